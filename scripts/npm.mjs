/**
 * How npm is called: the one that runs this process, or else that of the path. No dependencies: ready.mjs needs it before there
 * are any.
 */

/**
 * @param {...string} args
 * @returns {[string, ...string[]]} a program and its arguments
 */
export function npmCommand(...args) {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli)) return [process.execPath, cli, ...args];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', ...args];
}
