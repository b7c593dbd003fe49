'use strict';

// ws is loaded in contexts of node:vm with only the globals of a module, several times in one process, as test runners do.

const { readdirSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const vm = require('node:vm');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

/** Loads files in a context, each once. */
function loader(context) {
  const cache = new Map();
  const load = (file) => {
    const cached = cache.get(file);
    if (cached) return cached.exports;
    const module = { exports: {} };
    if (file.endsWith('.node')) return require(file);
    cache.set(file, module);
    const source = require('node:fs').readFileSync(file, 'utf8');
    if (file.endsWith('.json')) return (module.exports = JSON.parse(source));
    const wrapper = vm.runInContext(Module.wrap(source), context, { filename: file });
    const from = Module.createRequire(file);
    const requireInContext = (name) => {
      const resolved = from.resolve(name);
      return Module.isBuiltin(resolved) ? require(resolved) : load(resolved);
    };
    wrapper.call(module.exports, module.exports, requireInContext, module, file, dirname(file));
    return module.exports;
  };
  return load;
}

/** The globals of Jest's environment for Node. */
const globals = () => {
  const {
    Buffer,
    URL,
    URLSearchParams,
    AbortController,
    AbortSignal,
    Event,
    EventTarget,
    Blob,
    performance,
    process
  } = globalThis;
  const {
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    setImmediate,
    clearImmediate,
    queueMicrotask,
    structuredClone
  } = globalThis;
  return {
    Buffer,
    URL,
    URLSearchParams,
    AbortController,
    AbortSignal,
    Event,
    EventTarget,
    Blob,
    performance,
    process,
    console,
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    setImmediate,
    clearImmediate,
    queueMicrotask,
    structuredClone,
    Uint8Array,
    ArrayBuffer
  };
};

const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

(async () => {
  const warnings = [];
  process.on('warning', ({ name }) => warnings.push(name));
  const entry = join(dirname(require.resolve('ws')), 'index.js');
  let before;
  for (let copy = 0; copy < 40; copy += 1) {
    const WebSocket = loader(vm.createContext(globals()))(entry);
    const names = copy === 0 ? Object.keys(specs) : ['an echo', 'a compressed echo'];
    for (const name of names) record(`${copy}: ${name}`, await specs[name](WebSocket));
    if (copy === 0) before = [descriptors(), process.listenerCount('exit')];
  }
  await new Promise((resolve) => setImmediate(resolve));
  record('left by all copies', [
    descriptors() - before[0],
    process.listenerCount('exit') - before[1],
    warnings
  ]);
})();
