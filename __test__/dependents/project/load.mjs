/** Copied into the installed project, so that `import` resolves packages from there. */

/** @param {string} name */
export const load = (name) => import(name);
