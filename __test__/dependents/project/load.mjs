/** Copied into the installed project, so that `import` looks for a package where the project would find it. */

/** @param {string} name */
export const load = (name) => import(name);
