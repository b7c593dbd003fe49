'use strict';

/*
 * The WHATWG side of a WebSocket: event classes, addEventListener() and the `on...` attributes, all on top
 * of EventEmitter. Only websocket.js mixes it in. Only `open`, `message`, `close` and `error` exist here.
 */

const { kForOnEventAttribute, kListener } = require('./constants');

/** @typedef {import('events').EventEmitter & Record<string | symbol, any>} Target */
/** @typedef {((event: Event) => void) | { handleEvent(event: Event): void }} Listener */

class Event {
  #type;
  /** @type {any} */
  #target = null;

  /** @param {string} type name of the event */
  constructor(type) {
    this.#type = type;
  }

  /** The WebSocket that the event was dispatched to. */
  get target() {
    return this.#target;
  }

  get type() {
    return this.#type;
  }

  /**
   * Dispatches an event: an object is called by its handleEvent(), a function with the target as `this`.
   *
   * @param {Event} event
   * @param {any} target
   * @param {any} listener
   */
  static dispatch(event, target, listener) {
    event.#target = target;
    if (typeof listener === 'object' && listener.handleEvent) listener.handleEvent(event);
    else listener.call(target, event);
  }
}

const { dispatch } = Event;
Reflect.deleteProperty(Event, 'dispatch');

class CloseEvent extends Event {
  #code;
  #reason;
  #wasClean;

  /**
   * @param {string} type
   * @param {{ code?: number, reason?: string, wasClean?: boolean }} [options]
   */
  constructor(type, { code = 0, reason = '', wasClean = false } = {}) {
    super(type);
    this.#code = code;
    this.#reason = reason;
    this.#wasClean = wasClean;
  }

  /** Status of the peer's close frame; 1005 or 1006 where there was none. */
  get code() {
    return this.#code;
  }

  get reason() {
    return this.#reason;
  }

  /** Whether close frames went both ways. */
  get wasClean() {
    return this.#wasClean;
  }
}

class ErrorEvent extends Event {
  #error;
  #message;

  /**
   * @param {string} type
   * @param {{ error?: any, message?: string }} [options]
   */
  constructor(type, { error = null, message = '' } = {}) {
    super(type);
    this.#error = error;
    this.#message = message;
  }

  get error() {
    return this.#error;
  }

  get message() {
    return this.#message;
  }
}

class MessageEvent extends Event {
  #data;

  /**
   * @param {string} type
   * @param {{ data?: any }} [options]
   */
  constructor(type, { data = null } = {}) {
    super(type);
    this.#data = data;
  }

  /** A string for text, else what `binaryType` says. */
  get data() {
    return this.#data;
  }
}

for (const EventClass of [Event, CloseEvent, ErrorEvent, MessageEvent]) {
  for (const name of Object.getOwnPropertyNames(EventClass.prototype)) {
    if (name !== 'constructor') {
      Object.defineProperty(EventClass.prototype, name, { enumerable: true });
    }
  }
}

/**
 * For each event that can be listened to: what makes the event object from the emitted arguments.
 *
 * @type {Record<string, (target: Target, ...args: any[]) => Event>}
 */
const EVENTS = {
  open: () => new Event('open'),
  message: (_target, data, isBinary) =>
    new MessageEvent('message', { data: isBinary ? data : data.toString() }),
  close: (target, code, reason) =>
    new CloseEvent('close', {
      code,
      reason: reason.toString(),
      wasClean: target._closeFrameReceived && target._closeFrameSent
    }),
  error: (_target, error) => new ErrorEvent('error', { error, message: error.message })
};

/**
 * The wrapper that stands for `listener` among the listeners of `type`.
 *
 * @param {Target} target
 * @param {string} type
 * @param {any} listener
 * @param {boolean} forAttribute whether it was set through an `on...` attribute
 * @returns {Function | undefined}
 */
function findWrapper(target, type, listener, forAttribute) {
  return /** @type {any[]} */ (target.listeners(type)).find(
    (wrapper) =>
      wrapper[kListener] !== undefined &&
      wrapper[kForOnEventAttribute] === forAttribute &&
      (forAttribute || wrapper[kListener] === listener)
  );
}

/**
 * @param {Target} target
 * @param {string} type one of EVENTS
 * @param {any} listener
 * @param {boolean} forAttribute
 * @param {boolean} once
 */
function addWrapper(target, type, listener, forAttribute, once) {
  const createEvent = EVENTS[type];
  /**
   * @this {Target}
   * @param {...any} args
   */
  function wrapper(...args) {
    dispatch(createEvent(this, ...args), this, listener);
  }
  Object.assign(wrapper, { [kListener]: listener, [kForOnEventAttribute]: forAttribute });
  if (once) target.once(type, wrapper);
  else target.on(type, wrapper);
}

/** Methods to be mixed into an EventEmitter. */
const EventTarget = {
  /**
   * Adds a listener once per type; other types than those of EVENTS are ignored.
   *
   * @this {any}
   * @param {string} type
   * @param {Listener} listener
   * @param {{ once?: boolean }} [options]
   */
  addEventListener(type, listener, options = {}) {
    if (!Object.hasOwn(EVENTS, type) || findWrapper(this, type, listener, false)) return;
    addWrapper(this, type, listener, false, !!options.once);
  },

  /**
   * Removes what addEventListener() added.
   *
   * @this {any}
   * @param {string} type
   * @param {Listener} listener
   */
  removeEventListener(type, listener) {
    const wrapper = findWrapper(this, type, listener, false);
    if (wrapper) this.removeListener(type, wrapper);
  }
};

/**
 * Defines addEventListener(), removeEventListener() and the `on...` attributes.
 *
 * @param {object} prototype of an EventEmitter
 */
function mixInto(prototype) {
  Object.assign(prototype, EventTarget);
  for (const type of Object.keys(EVENTS)) {
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      /** @this {Target} */
      get() {
        const wrapper = findWrapper(this, type, undefined, true);
        return wrapper ? /** @type {any} */ (wrapper)[kListener] : null;
      },
      /**
       * @this {Target}
       * @param {any} listener a function; anything else clears the attribute
       */
      set(listener) {
        const wrapper = /** @type {any} */ (findWrapper(this, type, undefined, true));
        if (wrapper) this.removeListener(type, wrapper);
        if (typeof listener === 'function') addWrapper(this, type, listener, true, false);
      }
    });
  }
}

module.exports = { CloseEvent, ErrorEvent, Event, EventTarget, MessageEvent, mixInto };
