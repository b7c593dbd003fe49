'use strict';

/*
 * The WHATWG side of a WebSocket: event classes, addEventListener() and the `on...` attributes, all on top
 * of EventEmitter. Only websocket.js mixes it in. Only `open`, `message`, `close` and `error` exist here.
 */

const { kForOnEventAttribute, kListener } = require('./constants');

/** @typedef {import('events').EventEmitter & Record<string | symbol, any>} Target */
/** @typedef {((event: Event) => void) | { handleEvent(event: Event): void }} Listener */

/*
 * Own properties of an event, not private fields: util.inspect() prints them, and a Proxy or an object derived from an event
 * reads them.
 */
const kCode = Symbol('kCode');
const kData = Symbol('kData');
const kError = Symbol('kError');
const kMessage = Symbol('kMessage');
const kReason = Symbol('kReason');
const kTarget = Symbol('kTarget');
const kType = Symbol('kType');
const kWasClean = Symbol('kWasClean');

class Event {
  /** @type {any} */
  [kTarget] = null;

  /** @type {string} */
  [kType];

  /** @param {string} type name of the event */
  constructor(type) {
    this[kType] = type;
  }

  /** The WebSocket that the event was dispatched to. */
  get target() {
    return this[kTarget];
  }

  get type() {
    return this[kType];
  }
}

class CloseEvent extends Event {
  /** @type {any} */
  [kCode];

  /** @type {any} */
  [kReason];

  /** @type {any} */
  [kWasClean];

  /**
   * @param {string} type
   * @param {{ code?: number, reason?: string, wasClean?: boolean }} [options]
   */
  constructor(type, options = {}) {
    super(type);
    this[kCode] = orDefault(options.code, 0);
    this[kReason] = orDefault(options.reason, '');
    this[kWasClean] = orDefault(options.wasClean, false);
  }

  /** Status of the peer's close frame; 1005 or 1006 where there was none. */
  get code() {
    return this[kCode];
  }

  get reason() {
    return this[kReason];
  }

  /** Whether close frames went both ways. */
  get wasClean() {
    return this[kWasClean];
  }
}

class ErrorEvent extends Event {
  /** @type {any} */
  [kError];

  /** @type {any} */
  [kMessage];

  /**
   * @param {string} type
   * @param {{ error?: any, message?: string }} [options]
   */
  constructor(type, options = {}) {
    super(type);
    this[kError] = orDefault(options.error, null);
    this[kMessage] = orDefault(options.message, '');
  }

  get error() {
    return this[kError];
  }

  get message() {
    return this[kMessage];
  }
}

class MessageEvent extends Event {
  /** @type {any} */
  [kData];

  /**
   * @param {string} type
   * @param {{ data?: any }} [options]
   */
  constructor(type, options = {}) {
    super(type);
    this[kData] = orDefault(options.data, null);
  }

  /** A string for text, else what `binaryType` says. */
  get data() {
    return this[kData];
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
 * For each event that can be listened to: makes the wrapper that stands for a listener among those of the emitter. Programs
 * see the names of the wrappers.
 *
 * @type {Record<string, (listener: any) => (this: Target, ...args: any[]) => void>}
 */
const WRAPPERS = {
  open: (listener) =>
    function onOpen() {
      dispatch(new Event('open'), this, listener);
    },
  message: (listener) =>
    function onMessage(data, isBinary) {
      dispatch(
        new MessageEvent('message', { data: isBinary ? data : data.toString() }),
        this,
        listener
      );
    },
  close: (listener) =>
    function onClose(code, message) {
      const wasClean = this._closeFrameReceived && this._closeFrameSent;
      const reason = message.toString();
      dispatch(new CloseEvent('close', { code, reason, wasClean }), this, listener);
    },
  error: (listener) =>
    function onError(error) {
      dispatch(new ErrorEvent('error', { error, message: error.message }), this, listener);
    }
};

/**
 * @param {any} value
 * @param {any} fallback
 */
function orDefault(value, fallback) {
  return value === undefined ? fallback : value;
}

/**
 * Dispatches an event: an object is called by its handleEvent(), a function with the target as `this`.
 *
 * @param {Event} event
 * @param {any} target
 * @param {any} listener
 */
function dispatch(event, target, listener) {
  event[kTarget] = target;
  if (typeof listener === 'object' && listener.handleEvent) listener.handleEvent(event);
  else listener.call(target, event);
}

/**
 * The wrapper of a listener that addEventListener() added.
 *
 * @param {Target} target
 * @param {string} type
 * @param {any} listener
 * @returns {any}
 */
function findWrapper(target, type, listener) {
  return /** @type {any[]} */ (target.listeners(type)).find(
    (wrapper) => wrapper[kListener] === listener && !wrapper[kForOnEventAttribute]
  );
}

/**
 * The wrapper of an attribute's listener.
 *
 * @param {Target} target
 * @param {string} type
 * @returns {any}
 */
function findAttribute(target, type) {
  return /** @type {any[]} */ (target.listeners(type)).find(
    (wrapper) => wrapper[kForOnEventAttribute]
  );
}

/** Methods to be mixed into an EventEmitter. They act through its methods, which programs may have overridden. */
const EventTarget = {
  /**
   * Adds a listener once per type; other types than those of WRAPPERS are ignored.
   *
   * @this {any}
   * @param {string} type
   * @param {Listener} listener
   * @param {any} [options] `once`
   */
  addEventListener(type, listener, options = {}) {
    const isForAttribute = !!options[kForOnEventAttribute];
    if (!isForAttribute && findWrapper(this, type, listener)) return;
    if (!Object.hasOwn(WRAPPERS, type)) return;

    const wrapper = WRAPPERS[type](listener);
    Object.assign(wrapper, { [kForOnEventAttribute]: isForAttribute, [kListener]: listener });
    if (options.once) this.once(type, wrapper);
    else this.on(type, wrapper);
  },

  /**
   * Removes what addEventListener() added.
   *
   * @this {any}
   * @param {string} type
   * @param {Listener} listener
   */
  removeEventListener(type, listener) {
    const wrapper = findWrapper(this, type, listener);
    if (wrapper) this.removeListener(type, wrapper);
  }
};

/**
 * Defines addEventListener(), removeEventListener() and the `on...` attributes.
 *
 * @param {object} prototype of an EventEmitter
 */
function mixInto(prototype) {
  for (const type of ['open', 'error', 'close', 'message']) {
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      /** @this {Target} */
      get() {
        const wrapper = findAttribute(this, type);
        return wrapper ? wrapper[kListener] : null;
      },
      /**
       * @this {Target}
       * @param {any} listener a function; anything else clears the attribute
       */
      set(listener) {
        const wrapper = findAttribute(this, type);
        if (wrapper) this.removeListener(type, wrapper);
        if (typeof listener === 'function') {
          this.addEventListener(type, listener, { [kForOnEventAttribute]: true });
        }
      }
    });
  }
  Object.assign(prototype, EventTarget);
}

module.exports = { CloseEvent, ErrorEvent, Event, EventTarget, MessageEvent, mixInto };
