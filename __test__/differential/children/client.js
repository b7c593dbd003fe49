'use strict';

// A client in a child process, connected to URL; ACTION selects its behavior after `open`.

const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

const ws = new WebSocket(process.env.URL, { perMessageDeflate: false });

const actions = {
  // Everything sent before the exit must be delivered.
  exit() {
    for (let i = 0; i < 10; i++) ws.send(`last words ${i}`);
    ws.send(Buffer.alloc(20000, 'x'));
    ws.ping('last ping');
    process.exit(4);
  },
  'exit later'() {
    setImmediate(() => {
      ws.send('from an immediate');
      process.exit(5);
    });
  },
  'exit listener'() {
    process.on('exit', () => ws.send('from the exit listener'));
    process.exit(6);
  },
  crash() {
    ws.send('before the crash');
    throw new Error('crash');
  },
  // Only the socket keeps the process alive: it ends after the closing handshake.
  close() {
    ws.send('bye');
    ws.close(1000, 'done');
  },
  kill() {
    ws.send('before the kill', () => process.kill(process.pid, 'SIGKILL'));
  }
};

ws.on('open', () => actions[process.env.ACTION]());
ws.on('close', (code, reason) => console.log(`close ${code} ${reason}`));
process.on('exit', (code) => console.log(`exit ${code}`));
