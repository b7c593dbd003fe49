// A reset without the FIN that Node sends before it: `resetAndDestroy` of net.Socket first ends the written data, and a peer
// that reads the end in time never observes the reset. Used by the proxy and by raw.mjs.

/** @param {import('node:net').Socket} socket */
export function reset(socket) {
  // Set by resetAndDestroy and read by destroy. checker.test.mjs fails if this changes.
  /** @type {any} */ (socket).resetAndClosing = true;
  socket.destroy();
}
