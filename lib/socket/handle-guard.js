'use strict';

/*
 * Additions to a handle of Node whose descriptor the addon uses, too: a call that tells the transport before the handle gives
 * up the descriptor, and byte counters that include the bytes moved by the addon. Node and programs look `close` and `reset`
 * up on the handle per call, so methods in front of those of its prototype suffice. Other handles are not affected.
 */

const { defineHidden } = require('../node/define');

/** @typedef {{ handleDescriptorLoss(): void }} DescriptorUser */

/** The DescriptorUser of a guarded handle. */
const kUser = Symbol('ferrows.user');
/** Marks the prototypes of guarded handles. */
const kIsGuarded = Symbol('ferrows.isGuarded');

/** @type {('close' | 'reset')[]} */
const METHODS = ['close', 'reset'];

/** Guarding prototypes, by the original prototype. @type {Map<object, object>} */
const prototypes = new Map();

/**
 * Calls `user.handleDescriptorLoss()` before each `close()` and `reset()` of a handle.
 *
 * @param {any} handle of Node
 * @param {DescriptorUser} user replaces the one before
 */
function guard(handle, user) {
  defineHidden(handle, kUser, user);
  const prototype = Object.getPrototypeOf(handle);
  if (Object.hasOwn(prototype, kIsGuarded)) return;
  for (const name of METHODS) {
    if (Object.hasOwn(handle, name)) defineGuarded(handle, name, handle[name]);
  }
  let guarded = prototypes.get(prototype);
  if (guarded === undefined) {
    guarded = /** @type {object} */ (Object.create(prototype, { [kIsGuarded]: { value: true } }));
    for (const name of METHODS) defineGuarded(guarded, name, null);
    prototypes.set(prototype, guarded);
  }
  Object.setPrototypeOf(handle, guarded);
}

/**
 * @param {any} object a handle, or a prototype of handles
 * @param {string} name
 * @param {Function | null} original null: the method of the object's prototype
 */
function defineGuarded(object, name, original) {
  const prototype = Object.getPrototypeOf(object);
  const method = {
    /** @this {any} @param {any[]} args */
    [name](...args) {
      this[kUser]?.handleDescriptorLoss();
      return Reflect.apply(original ?? prototype[name], this, args);
    }
  }[name];
  defineHidden(object, name, method);
}

/** Removes the DescriptorUser. @param {any} handle */
function unguard(handle) {
  if (handle[kUser] !== undefined) handle[kUser] = undefined;
}

/**
 * Makes a byte counter of a handle continue from a total that includes bytes the handle has not moved.
 *
 * @param {any} handle of Node
 * @param {'bytesRead' | 'bytesWritten'} name
 * @param {number} total bytes so far
 */
function setCounter(handle, name, total) {
  const prototype = Object.getPrototypeOf(handle);
  const before = total - Reflect.get(prototype, name, handle);
  const get = () => before + Reflect.get(prototype, name, handle);
  Object.defineProperty(handle, name, { configurable: true, get });
}

module.exports = { guard, setCounter, unguard };
