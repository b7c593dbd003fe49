'use strict';

/*
 * Own properties that are made or read on use. They are accessors, but util.inspect() shows them as the data properties that
 * ws has in their place.
 */

const { inspect } = require('util');

const { queueMicrotask } = require('./schedule');

/**
 * @param {(object: any) => any} read
 * @param {(object: any, value: any) => void} write
 * @returns {PropertyDescriptor} to be shared by all objects that have the property, which then have one hidden class
 */
function live(read, write) {
  return {
    configurable: true,
    enumerable: true,
    get() {
      return read(this);
    },
    set(value) {
      write(this, value);
    }
  };
}

/**
 * Has util.inspect() show live properties.
 *
 * @param {object} owner the object that has them, or a prototype of such objects
 * @param {Record<string, PropertyDescriptor>} properties
 */
function showLive(owner, properties) {
  const names = Object.keys(properties);
  Object.defineProperty(owner, inspect.custom, {
    configurable: true,
    writable: true,
    /** @this {any} */
    value: function () {
      for (const name of names) {
        if (isLive(this, name, properties)) showOnce(this, name, properties[name]);
      }
      // It goes on as if there were no such method.
      return this;
    }
  });
}

/**
 * @param {object} object
 * @param {string} name
 * @param {Record<string, PropertyDescriptor>} properties
 */
function isLive(object, name, properties) {
  return Object.getOwnPropertyDescriptor(object, name)?.get === properties[name].get;
}

/**
 * @param {any} object
 * @param {string} name
 * @param {PropertyDescriptor} descriptor
 */
function showOnce(object, name, descriptor) {
  const value = object[name];
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: true,
    value,
    writable: true
  });
  queueMicrotask(() => {
    const now = Object.getOwnPropertyDescriptor(object, name);
    if (now === undefined || !('value' in now)) return;
    Object.defineProperty(object, name, descriptor);
    if (now.value !== value) object[name] = now.value;
  });
}

module.exports = { live, showLive };
