/**
 * A command as a process group of its own: it runs without standard input, for a bounded time, and may leave no process behind.
 * Called by test.mjs for each suite.
 */

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { root, withCargo } from './ready.mjs';

/** Milliseconds that a command may take. */
const TIME_LIMIT = 10 * 60 * 1000;
/** Milliseconds that the other processes of a group get to end after its first one. */
const GRACE = 5000;

/** The groups that run now. @type {Set<number>} */
const running = new Set();

/**
 * Sends a signal to a process group.
 *
 * @param {number} group
 * @param {NodeJS.Signals | 0} signal 0 only tests for existence
 * @returns {boolean} false if there is no such group
 */
function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/**
 * True if a process of a group is alive. Zombies are not: they stay where the first process of a container reaps no orphans.
 *
 * @param {number} group
 */
function isAlive(group) {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc').some((name) => {
    try {
      // pid (name) state parent group ...; the name may contain any character.
      const [state, , of] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/.*\) /s, '')
        .split(' ');
      return Number(of) === group && state !== 'Z';
    } catch {
      return false;
    }
  });
}

/** Kills every group that runs. */
export function killAll() {
  for (const group of running) signalGroup(group, 'SIGKILL');
}

/**
 * Runs a command until no process of its group is left.
 *
 * @param {string[]} command
 * @param {object} options
 * @param {Record<string, string>} [options.env] additional variables
 * @param {number | 'inherit'} options.output the descriptor for standard output and standard error
 * @returns {Promise<string | undefined>} the reason of a failure
 */
export async function runGroup([program = '', ...args], { env, output }) {
  const child = spawn(program, args, {
    cwd: root,
    detached: true,
    env: { ...withCargo(process.env), ...env },
    stdio: ['ignore', output, output]
  });
  const group = child.pid;
  if (group) running.add(group);
  /** @type {string | undefined} */
  let failure;
  const limit = setTimeout(() => {
    failure = `took longer than ${TIME_LIMIT / 1000} s`;
    if (group) signalGroup(group, 'SIGKILL');
  }, TIME_LIMIT);
  await new Promise((resolve) => {
    child.on('error', (error) => {
      failure ??= error.message;
      resolve(undefined);
    });
    child.on('exit', (code, signal) => {
      if (code !== 0) failure ??= signal ? `ended by ${signal}` : `exit code ${code}`;
      resolve(undefined);
    });
  });
  clearTimeout(limit);
  if (group) {
    const deadline = Date.now() + GRACE;
    while (isAlive(group) && Date.now() < deadline) await delay(50);
    if (isAlive(group)) failure ??= 'left a process behind';
    signalGroup(group, 'SIGKILL');
    running.delete(group);
  }
  return failure;
}
