'use strict';

/*
 * Tells a transport that a handle of Node is about to give up its descriptor, which the addon uses, too. Used by
 * parked-socket.js and touched-socket.js. Node and programs look `close` and `reset` up on the handle when they call
 * them, so methods that come before those of its prototype are enough: no other handle is touched.
 */

/** @typedef {{ descriptorLost(): void }} User */

/** A property of a guarded handle: its user. */
const kUser = Symbol('ferrows.user');
/** Marks prototypes of guarded handles. */
const kIsGuarded = Symbol('ferrows.isGuarded');

/** @type {('close' | 'reset')[]} */
const METHODS = ['close', 'reset'];

/**
 * The prototypes of guarded handles, by those of handles.
 *
 * @type {Map<object, object>}
 */
const prototypes = new Map();

/**
 * @param {any} handle of Node, whose descriptor `user` uses
 * @param {User} user its descriptorLost() is called before `close()` or `reset()` of the handle does anything
 */
function guard(handle, user) {
  Object.defineProperty(handle, kUser, { configurable: true, value: user, writable: true });
  const prototype = Object.getPrototypeOf(handle);
  if (Object.hasOwn(prototype, kIsGuarded)) return;
  for (const name of METHODS) {
    if (Object.hasOwn(handle, name)) define(handle, name, handle[name]);
  }
  let guarded = prototypes.get(prototype);
  if (guarded === undefined) {
    guarded = /** @type {object} */ (Object.create(prototype, { [kIsGuarded]: { value: true } }));
    for (const name of METHODS) define(guarded, name, null);
    prototypes.set(prototype, guarded);
  }
  Object.setPrototypeOf(handle, guarded);
}

/**
 * Puts a method in front of one that gives up the descriptor.
 *
 * @param {any} object
 * @param {string} name
 * @param {Function | null} original null: that of the object's prototype
 */
function define(object, name, original) {
  const prototype = Object.getPrototypeOf(object);
  Object.defineProperty(object, name, {
    configurable: true,
    writable: true,
    /** @this {any} @param {any[]} args */
    value(...args) {
      this[kUser]?.handleDescriptorLoss();
      return Reflect.apply(original ?? prototype[name], this, args);
    }
  });
}

/** @param {any} handle whose descriptor is not used any more but by Node */
function unguard(handle) {
  if (handle[kUser] !== undefined) handle[kUser] = undefined;
}

module.exports = { guard, unguard };
