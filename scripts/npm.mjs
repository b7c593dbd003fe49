/**
 * The command for npm: the one that runs this process, or else the one on the path. Imports no package: ready.mjs calls it before
 * any is installed.
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
