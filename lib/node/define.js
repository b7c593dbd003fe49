'use strict';

/*
 * Definitions of own properties on objects that programs hold: hidden or visible to enumeration, always configurable and
 * writable. Any module of lib/ may use it.
 */

/**
 * Defines a property that enumeration, JSON and util.inspect() do not show.
 *
 * @param {object} object
 * @param {PropertyKey} name
 * @param {unknown} value
 */
function defineHidden(object, name, value) {
  Object.defineProperty(object, name, { configurable: true, value, writable: true });
}

/**
 * Defines a property as an assignment does, even if the prototype has a setter of that name.
 *
 * @param {object} object
 * @param {PropertyKey} name
 * @param {unknown} value
 */
function defineVisible(object, name, value) {
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: true,
    value,
    writable: true
  });
}

module.exports = { defineHidden, defineVisible };
