'use strict';

/*
 * Tells a transport that a handle of Node is about to give up its descriptor, which the addon uses, too. Used by
 * parked-socket.js and touched-socket.js. Node and programs look `close` and `reset` up on the handle when they call
 * them, so methods that come before those of its prototype are enough: nobody else's handle is touched.
 */

/** @typedef {{ descriptorLost(): void }} User */

/** Users of handles. A handle has no place of its own for one that a program could not meet. @type {WeakMap<object, User>} */
const users = new WeakMap();

/** @type {('close' | 'reset')[]} */
const METHODS = ['close', 'reset'];

/**
 * The prototypes of guarded handles, by those of handles.
 *
 * @type {Map<object, object>}
 */
const prototypes = new Map();

const isGuarded = Symbol('ferrows.isGuarded');

/**
 * @param {any} handle of Node, whose descriptor `user` uses
 * @param {User} user its descriptorLost() is called before `close()` or `reset()` of the handle does anything
 */
function guard(handle, user) {
  users.set(handle, user);
  const prototype = Object.getPrototypeOf(handle);
  if (Object.hasOwn(prototype, isGuarded)) return;
  for (const name of METHODS) {
    if (Object.hasOwn(handle, name)) define(handle, name, handle[name]);
  }
  let guarded = prototypes.get(prototype);
  if (guarded === undefined) {
    guarded = /** @type {object} */ (Object.create(prototype, { [isGuarded]: { value: true } }));
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
      users.get(this)?.descriptorLost();
      return Reflect.apply(original ?? prototype[name], this, args);
    }
  });
}

module.exports = { guard };
