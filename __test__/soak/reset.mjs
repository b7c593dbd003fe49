// A reset without the FIN that Node sends before it: `resetAndDestroy` of net.Socket first ends what was written, and
// who reads the end in time never sees the reset. Used by the proxy and by raw.mjs.

/** @param {import('node:net').Socket} socket */
export function reset(socket) {
  // What resetAndDestroy sets, and destroy looks at. checker.test.mjs sees whether it still does.
  /** @type {any} */ (socket).resetAndClosing = true;
  socket.destroy();
}
