'use strict';

// Negotiation of permessage-deflate by the client (1.6, statements C4 and C10): offers, and accepted and refused responses.

const { scenario } = require('../run');
const { NAME, agreement } = require('../deflate-peer');

/** Settings of the option perMessageDeflate. */
const OFFERED = [
  ['undefined', undefined],
  ['true', true],
  ['false', false],
  ['null', null],
  ['0', 0],
  ['a string', 'yes'],
  ['no setting', {}],
  ['serverNoContextTakeover', { serverNoContextTakeover: true }],
  ['serverNoContextTakeover false', { serverNoContextTakeover: false }],
  ['clientNoContextTakeover', { clientNoContextTakeover: true }],
  ['clientNoContextTakeover false', { clientNoContextTakeover: false }],
  ['serverMaxWindowBits 10', { serverMaxWindowBits: 10 }],
  ['serverMaxWindowBits false', { serverMaxWindowBits: false }],
  ['serverMaxWindowBits true', { serverMaxWindowBits: true }],
  ['clientMaxWindowBits 10', { clientMaxWindowBits: 10 }],
  ['clientMaxWindowBits 8', { clientMaxWindowBits: 8 }],
  ['clientMaxWindowBits true', { clientMaxWindowBits: true }],
  ['clientMaxWindowBits null', { clientMaxWindowBits: null }],
  ['clientMaxWindowBits false', { clientMaxWindowBits: false }],
  ['clientMaxWindowBits 0', { clientMaxWindowBits: 0 }],
  ['numbers that no server takes', { clientMaxWindowBits: 7, serverMaxWindowBits: 16 }],
  [
    'everything',
    {
      clientMaxWindowBits: 11,
      serverMaxWindowBits: 12,
      clientNoContextTakeover: true,
      serverNoContextTakeover: true
    }
  ]
];

scenario('C4 deflate: offers of a client', 'client', async (t) => {
  const listening = await t.rawServer();
  for (const [name, perMessageDeflate] of OFFERED) {
    const ws = t.openClient(listening.url, undefined, { perMessageDeflate });
    const raw = await listening.next();
    const head = await raw.head();
    t.log('wire', name, /^Sec-WebSocket-Extensions: .*$/m.exec(head)?.[0]);
    ws.terminate();
    await t.closed(ws);
  }
});

scenario('C4 deflate: the request with an offer', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, ['a'], {
    perMessageDeflate: true,
    headers: { 'Sec-WebSocket-Extensions': 'mine', 'X-Mine': 'yes' }
  });
  const raw = await listening.next();
  t.logHead(await raw.head());
  ws.terminate();
  await t.closed(ws);
});

scenario(
  'C4 deflate: the header of the user is sent if nothing is offered',
  'client',
  async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, undefined, {
      headers: { 'Sec-WebSocket-Extensions': NAME }
    });
    const raw = await listening.next();
    const head = await raw.head();
    t.log('wire', 'request', /^Sec-WebSocket-Extensions: .*$/m.exec(head)?.[0]);
    raw.accept(head, { headers: { 'Sec-WebSocket-Extensions': NAME } });
    await t.closed(ws);
  }
);

/** Responds to a client, and records whether it opened and the agreed parameters. */
async function respond(t, perMessageDeflate, header) {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, undefined, { perMessageDeflate });
  const raw = await listening.next();
  raw.accept(await raw.head(), { headers: { 'Sec-WebSocket-Extensions': header } });
  await Promise.race([t.emitted(ws, 'open'), t.emitted(ws, 'close')]);
  t.log('agreed', String(header), ...(ws.readyState === 1 ? agreement(ws) : []));
  ws.terminate();
  await t.closed(ws);
}

/** Well-formed responses; the name of the extension is prepended. */
const RESPONSES = [
  '',
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits=8',
  'server_max_window_bits=15',
  'client_max_window_bits=8',
  'client_max_window_bits=10',
  'client_max_window_bits=11',
  'client_max_window_bits=15',
  'client_max_window_bits="9"',
  'client_max_window_bits=1e1; server_max_window_bits=0xb',
  'client_max_window_bits=9; client_no_context_takeover; server_max_window_bits=10; server_no_context_takeover'
];

/** Settings of a client that makes an offer. */
const SETTINGS = [
  ['true', true],
  ['no setting', {}],
  ['clientMaxWindowBits 10', { clientMaxWindowBits: 10 }],
  ['clientMaxWindowBits true', { clientMaxWindowBits: true }],
  ['clientMaxWindowBits false', { clientMaxWindowBits: false }],
  ['clientNoContextTakeover', { clientNoContextTakeover: true }],
  ['clientNoContextTakeover false', { clientNoContextTakeover: false }],
  ['serverMaxWindowBits 10', { serverMaxWindowBits: 10 }],
  ['serverMaxWindowBits false', { serverMaxWindowBits: false }],
  ['serverNoContextTakeover', { serverNoContextTakeover: true }],
  ['serverNoContextTakeover false', { serverNoContextTakeover: false }]
];

for (const [name, setting] of SETTINGS) {
  scenario(`C10 deflate: responses to a client with ${name}`, 'client', async (t) => {
    await respond(t, setting, null);
    for (const one of RESPONSES) await respond(t, setting, one ? `${NAME}; ${one}` : NAME);
  });
}

/** Responses that every client refuses. */
const REFUSED = [
  ['unknown parameters', ['unknown', 'unknown=1', '__proto__', 'Server_No_Context_Takeover']],
  [
    'invalid windows',
    [
      'client_max_window_bits',
      'server_max_window_bits',
      ...['7', '16', 'abc', '""', '10.5'].flatMap((value) => [
        `client_max_window_bits=${value}`,
        `server_max_window_bits=${value}`
      ])
    ]
  ],
  [
    'superfluous values',
    [
      'server_no_context_takeover=1',
      'server_no_context_takeover="true"',
      'client_no_context_takeover=true'
    ]
  ],
  [
    'parameters twice',
    [
      'server_no_context_takeover; server_no_context_takeover',
      'client_no_context_takeover; client_no_context_takeover',
      'server_max_window_bits=9; server_max_window_bits=9',
      'client_max_window_bits=9; client_max_window_bits=10'
    ]
  ]
];

for (const [name, all] of REFUSED) {
  scenario(`C10 deflate: responses with ${name}`, 'client', async (t) => {
    for (const one of all) await respond(t, true, `${NAME}; ${one}`);
  });
}

scenario('C10 deflate: responses with other extensions', 'client', async (t) => {
  for (const header of [
    'other',
    'other; a=1',
    `other, ${NAME}`,
    `${NAME}, other`,
    [NAME, 'other'],
    'Permessage-Deflate',
    '__proto__'
  ])
    await respond(t, true, header);
});

scenario('C10 deflate: responses with the extension twice', 'client', async (t) => {
  await respond(t, true, `${NAME}; server_max_window_bits=9, ${NAME}`);
  await respond(t, true, [NAME, `${NAME}; server_no_context_takeover`]);
  await respond(t, true, `${NAME}, ${NAME}; unknown`);
});

scenario('C10 deflate: responses that are malformed', 'client', async (t) => {
  for (const header of ['', ',', `${NAME};`, `${NAME}; a=`, `"${NAME}"`, 'permessage deflate'])
    await respond(t, true, header);
});

scenario('C10 deflate: responses to a client that offered nothing', 'client', async (t) => {
  for (const header of [NAME, 'other', '', ';', `${NAME}; unknown`])
    await respond(t, false, header);
});

scenario('C10 deflate: a wrong subprotocol comes before a wrong extension', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, ['a'], { perMessageDeflate: true });
  const raw = await listening.next();
  raw.accept(await raw.head(), {
    headers: { 'Sec-WebSocket-Protocol': 'b', 'Sec-WebSocket-Extensions': 'other' }
  });
  await t.closed(ws);
  await raw.rest();
  raw.finish();
  await raw.gone();
});

scenario('1.3 deflate: extensions before, after and without a connection', 'pair', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  const client = t.openClient(t.url(wss), undefined, { perMessageDeflate: true });
  t.log('client', 'connecting', client.extensions);
  client.on('upgrade', () => t.log('client', 'upgrade', client.extensions));
  const { server } = await t.accepted(wss);
  await t.opened(client);
  t.log('client', 'open', ...agreement(client));
  t.log('server', 'open', ...agreement(server));
  client.close(1000);
  await t.closed(server, client);
  t.log('client', 'closed', client.extensions);
  t.log('server', 'closed', server.extensions);
});
