'use strict';

// Connections that end abruptly while messages are compressed or inflated: statements Z5 and K7.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { text, binary, close, pong } = OPCODE;

/** Small on the wire, and slow to inflate and to compress. */
const LARGE = Buffer.alloc(8 << 20, 'large ');

let count = 0;

/** A different one each time: the compression of an equal payload would be shared with an earlier run and finish too soon. */
const distinctLarge = () => Buffer.alloc(LARGE.length, `large ${++count} `);

/** Abrupt ends of a connection. */
const ENDS = [
  ['terminate()', (ws) => ws.terminate()],
  ['destroying the raw socket', (ws) => ws._socket.destroy()]
];

for (const [name, end] of ENDS) {
  scenario(`Z5 deflate: ${name} while a large message is compressed`, BOTH, async (t) => {
    const { ws, lane } = await deflating(t);
    const large = distinctLarge();
    const sent = (what) => (err) => t.trace.event(lane, 'sent', [what, err], ws);
    ws.send(large, sent('large'));
    ws.send('queued', sent('queued'));
    ws.send('without a callback');
    ws.send('plain', { compress: false }, sent('plain'));
    ws.ping('ping', undefined, sent('ping'));
    ws.pong('pong', undefined, sent('pong'));
    ws.send(new Blob(['blob']), sent('blob'));
    ws.send(large, sent('large too'));
    end(ws);
    t.trace.event(lane, 'ended', [], ws);
    await t.closed(ws);
  });
}

scenario(
  'Z5 deflate: close(), then terminate(), while a large message is compressed',
  BOTH,
  async (t) => {
    const { ws, lane } = await deflating(t);
    ws.send(distinctLarge(), (err) => t.trace.event(lane, 'sent', [err], ws));
    ws.close(1000);
    ws.terminate();
    await t.closed(ws);
  }
);

scenario(
  'Z5 deflate: the peer disconnects while large messages are compressed',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await deflating(t);
    for (let i = 0; i < 20; i++) ws.send(LARGE);
    // Enough is queued before it that this one has certainly not been sent.
    ws.send(LARGE, (err) => t.log(lane, 'sent', err instanceof Error));
    raw.reset();
    await t.closed(ws);
  }
);

scenario('Z5 deflate: a compression that ends after its socket is destroyed', 'pair', async (t) => {
  const deflate = { perMessageDeflate: true };
  const { server, client } = await t.pair({ server: deflate, client: deflate });
  server.send(LARGE, (err) => t.log('callbacks', 'sent', err));
  server.terminate();
  await t.closed(server, client);
  // The other connections continue to compress.
  const { server: second, client: other } = await t.pair({ server: deflate, client: deflate });
  second.send('and the next');
  await t.emitted(other, 'message');
});

for (const call of ['terminate', 'close']) {
  scenario(`K7 deflate: ${call}() in a listener between compressed messages`, BOTH, async (t) => {
    const { peer, raw, ws } = await deflating(t);
    ws.once('message', () => ws[call]());
    const all = ['1', '2', '3'].map((data) => peer.make(text, data));
    raw.write(Buffer.concat([...all, raw.make(pong, '4'), raw.make(text, '5')]));
    if (call === 'close') {
      await peer.through(close);
      raw.close(1000);
      await raw.rest();
      raw.finish();
    }
    await t.closed(ws);
  });
}

scenario('K7 deflate: terminate() in a listener of the last message', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.on('message', () => ws.terminate());
  peer.send(binary, LARGE);
  await t.closed(ws);
  raw.finish();
});
