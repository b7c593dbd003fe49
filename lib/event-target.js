'use strict';

/*
 * The WHATWG interface of a WebSocket on top of EventEmitter: event classes, addEventListener(), removeEventListener() and the
 * `on...` attributes, for `open`, `message`, `close` and `error`. Only websocket.js uses it.
 */

const { kForOnEventAttribute, kListener } = require('./constants');

/** @typedef {import('events').EventEmitter & Record<string | symbol, any>} Target */
/** @typedef {((event: Event) => void) | { handleEvent(event: Event): void }} Listener */

/*
 * Own properties of an event. Not private fields: util.inspect() prints them, and a Proxy of an event or an object that
 * inherits from one reads them.
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

  /** The WebSocket; null before the event is dispatched. */
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
  constructor(type, { code = 0, reason = '', wasClean = false } = {}) {
    super(type);
    this[kCode] = code;
    this[kReason] = reason;
    this[kWasClean] = wasClean;
  }

  /** Status of the peer's close frame; 1005 if it had none, 1006 if there was no close frame. */
  get code() {
    return this[kCode];
  }

  get reason() {
    return this[kReason];
  }

  /** True if close frames were sent and received. */
  get wasClean() {
    return this[kWasClean];
  }
}

class ErrorEvent extends Event {
  /** @type {any} */
  [kError];

  /** @type {any} */
  [kMessage];

  /** @param {string} type @param {{ error?: any, message?: string }} [options] */
  constructor(type, { error = null, message = '' } = {}) {
    super(type);
    this[kError] = error;
    this[kMessage] = message;
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

  /** @param {string} type @param {{ data?: any }} [options] */
  constructor(type, { data = null } = {}) {
    super(type);
    this[kData] = data;
  }

  /** A string for a text message, else of the type that `binaryType` names. */
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
 * By event type, creates the EventEmitter listener that wraps a program's listener. Programs see the function names.
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
 * Calls the handleEvent() of a listener object, or a listener function with the target as `this`.
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
 * Finds the wrapper of a listener that addEventListener() added.
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
 * Finds the wrapper of the listener that an `on...` attribute added.
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

/** Methods to mix into an EventEmitter. They call its methods, which programs may have overridden. */
const EventTarget = {
  /**
   * Adds a listener, unless it was added for the type. Types that are not in WRAPPERS are ignored.
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
   * Removes a listener that addEventListener() added.
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
      /** @this {Target} @param {any} listener a function; anything else clears the attribute */
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
