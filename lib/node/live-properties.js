'use strict';

/*
 * Lazy own properties. They are accessors, but util.inspect() shows them as the data properties of ws that they stand for. Used by
 * websocket.js and connection/receiver.js, which define the properties; none is named here.
 */

const { inspect } = require('util');

const { defineVisible } = require('./define');
const { queueMicrotask } = require('./schedule');

/**
 * @param {(object: any) => any} read
 * @param {(object: any, value: any) => void} write
 * @returns {PropertyDescriptor} shared by all objects with the property, so that they have one hidden class
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
 * Makes util.inspect() show live properties as data properties.
 *
 * @param {object} owner the object with the properties, or the prototype of such objects
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
      // inspect() then continues as without a custom method.
      return this;
    }
  });
}

/**
 * @param {object} object
 * @param {string} name
 * @param {Record<string, PropertyDescriptor>} properties
 * @returns {boolean} false if a program has redefined the property
 */
function isLive(object, name, properties) {
  return Object.getOwnPropertyDescriptor(object, name)?.get === properties[name].get;
}

/**
 * Makes a live property a data property until the next microtask.
 *
 * @param {any} object
 * @param {string} name
 * @param {PropertyDescriptor} descriptor
 */
function showOnce(object, name, descriptor) {
  const value = object[name];
  defineVisible(object, name, value);
  queueMicrotask(() => {
    const now = Object.getOwnPropertyDescriptor(object, name);
    if (now === undefined || !('value' in now)) return;
    Object.defineProperty(object, name, descriptor);
    if (now.value !== value) object[name] = now.value;
  });
}

module.exports = { live, showLive };
