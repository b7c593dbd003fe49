'use strict';

// Negotiation of permessage-deflate by the server (1.6, statements H3 to H5): accepted offers with their responses, and refused
// offers.

const { scenario } = require('../run');
const { NAME, agreement } = require('../deflate-peer');

/** Every parameter alone and combined, well formed; the name of the extension is prepended. */
const PARAMETERS = [
  '',
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=8',
  'server_max_window_bits=9',
  'server_max_window_bits=15',
  'client_max_window_bits',
  'client_max_window_bits=8',
  'client_max_window_bits=9',
  'client_max_window_bits=15',
  'server_max_window_bits=12; client_max_window_bits=11',
  'client_max_window_bits; server_max_window_bits=10',
  'client_max_window_bits=10; server_no_context_takeover',
  'client_no_context_takeover; server_max_window_bits=11; client_max_window_bits; server_no_context_takeover'
];

const offer = (...all) => all.map((one) => (one ? `${NAME}; ${one}` : NAME)).join(', ');

/** Several offers in one header: the first acceptable one is selected. */
const SEVERAL = [
  offer('server_max_window_bits=9', ''),
  offer('client_max_window_bits=9', 'client_max_window_bits=12', 'client_max_window_bits'),
  offer('server_no_context_takeover', 'client_no_context_takeover', ''),
  offer('', 'server_no_context_takeover'),
  `x-webkit-deflate-frame, ${offer('client_max_window_bits')}, other; a=1`,
  [offer('server_max_window_bits=9'), offer('')],
  ['other', offer('client_max_window_bits')]
];

/** Settings of the option perMessageDeflate. */
const SETTINGS = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['a number', 1],
  ['no setting', {}],
  ['serverNoContextTakeover', { serverNoContextTakeover: true }],
  ['serverNoContextTakeover false', { serverNoContextTakeover: false }],
  ['clientNoContextTakeover', { clientNoContextTakeover: true }],
  ['clientNoContextTakeover false', { clientNoContextTakeover: false }],
  ['serverMaxWindowBits 10', { serverMaxWindowBits: 10 }],
  ['serverMaxWindowBits 8', { serverMaxWindowBits: 8 }],
  ['serverMaxWindowBits false', { serverMaxWindowBits: false }],
  ['serverMaxWindowBits true', { serverMaxWindowBits: true }],
  ['clientMaxWindowBits 10', { clientMaxWindowBits: 10 }],
  ['clientMaxWindowBits 15', { clientMaxWindowBits: 15 }],
  ['clientMaxWindowBits false', { clientMaxWindowBits: false }],
  ['clientMaxWindowBits true', { clientMaxWindowBits: true }],
  ['clientMaxWindowBits NaN', { clientMaxWindowBits: NaN }],
  [
    'everything',
    {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 9
    }
  ],
  [
    'nothing allowed',
    { serverNoContextTakeover: false, serverMaxWindowBits: false, clientMaxWindowBits: false }
  ]
];

/** Makes an offer, and records the response in lane `wire` and the agreed parameters in lane `agreed`. */
async function sendOffer(t, wss, header) {
  const raw = await t.sendRequest(wss, { headers: { 'Sec-WebSocket-Extensions': header } });
  const head = await raw.head();
  const status = head.split(' ', 2)[1];
  t.log('wire', String(header), status, /^Sec-WebSocket-Extensions: .*$/m.exec(head)?.[0]);
  if (status === '101') {
    const { server } = await t.accepted(wss);
    t.log('agreed', String(header), ...agreement(server));
    server.terminate();
    await t.closed(server);
  }
  raw.finish();
}

for (const [name, perMessageDeflate] of SETTINGS) {
  scenario(`H5 deflate: offers to a server with ${name}`, 'server', async (t) => {
    const wss = await t.listen({ perMessageDeflate });
    for (const one of PARAMETERS) await sendOffer(t, wss, offer(one));
    for (const header of SEVERAL) await sendOffer(t, wss, header);
  });
}

/** Other forms of values, and other letter case of names. */
const FORMS = [
  offer('client_max_window_bits="10"'),
  offer('server_max_window_bits="9"; client_max_window_bits="1\\2"'),
  offer('client_max_window_bits=1e1'),
  offer('client_max_window_bits=010; server_max_window_bits=0xa'),
  offer('client_max_window_bits=10.0'),
  `${NAME};client_max_window_bits;server_max_window_bits=10`,
  `  ${NAME}\t;  client_max_window_bits  ;\tserver_max_window_bits=10  `,
  'Permessage-Deflate; client_max_window_bits',
  'permessage-deflate2',
  'other; server_max_window_bits=1; unknown'
];

scenario('H5 deflate: offers in unusual forms', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  for (const header of FORMS) await sendOffer(t, wss, header);
});

/** Offers that every server refuses: unknown parameters, invalid values, repeated parameters. */
const BAD = [
  'unknown',
  'unknown=1',
  'Server_No_Context_Takeover',
  'constructor',
  'server_max_window_bits',
  ...['7', '16', '0', '-9', '10.5', 'abc', '"abc"', '"7"'].flatMap((value) => [
    `server_max_window_bits=${value}`,
    `client_max_window_bits=${value}`
  ]),
  'server_no_context_takeover=1',
  'server_no_context_takeover=true',
  'server_no_context_takeover="true"',
  'client_no_context_takeover=1',
  'client_no_context_takeover="x"',
  'server_no_context_takeover; server_no_context_takeover',
  'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=10; server_max_window_bits=10',
  'client_max_window_bits; client_max_window_bits',
  'client_max_window_bits=10; client_max_window_bits=11'
];

/** Malformed headers. */
const MALFORMED = [
  ',',
  ';',
  `${NAME},`,
  `${NAME};`,
  `${NAME}; ;`,
  `${NAME}; a=`,
  `${NAME}; a=b c`,
  `${NAME}; client_max_window_bits=""`,
  `${NAME}; client_max_window_bits="10`,
  `"${NAME}"`,
  'permessage deflate',
  `other;, ${NAME}`
];

scenario('H3 deflate: offers with invalid parameters', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  for (const one of BAD) await sendOffer(t, wss, offer(one));
});

scenario('H3 deflate: an invalid offer beside valid ones', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  await sendOffer(t, wss, offer('', 'unknown'));
  await sendOffer(t, wss, offer('server_max_window_bits=7', ''));
  await sendOffer(t, wss, offer('', 'client_no_context_takeover=1', ''));
  await sendOffer(t, wss, `other; unknown, ${offer('')}`);
});

scenario('H3 deflate: extension headers that are malformed', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  for (const header of MALFORMED) await sendOffer(t, wss, header);
});

scenario(
  'H5 deflate: a server without the option ignores extension headers',
  'server',
  async (t) => {
    const wss = await t.listen();
    for (const header of [...MALFORMED, ...BAD.map((one) => offer(one))])
      await sendOffer(t, wss, header);
  }
);

scenario('H3 deflate: the response to a refused offer', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: { serverMaxWindowBits: false } });
  for (const one of ['server_max_window_bits=10', 'unknown', '=']) {
    const headers = { 'Sec-WebSocket-Extensions': offer(one) };
    const { raw } = await t.request(wss, { headers });
    t.log('wire', 'body', await raw.rest());
    raw.finish();
  }
});

scenario('H4 deflate: wsClientError for a refused offer', 'server', async (t) => {
  const verifyClient = () => t.log('server', 'verifyClient');
  const wss = await t.listen({ perMessageDeflate: true, verifyClient });
  wss.on('wsClientError', (err, socket) => {
    t.log('server', 'wsClientError', err);
    socket.end('HTTP/1.1 418 No\r\n\r\n');
  });
  for (const one of ['client_max_window_bits=7', '=']) {
    const { raw } = await t.request(wss, {
      headers: { 'Sec-WebSocket-Extensions': offer(one) }
    });
    raw.finish();
  }
});

scenario(
  'H5 deflate: the header line in the headers event and in the response',
  'server',
  async (t) => {
    const wss = await t.listen({ perMessageDeflate: { serverNoContextTakeover: true } });
    wss.on('headers', (headers) => {
      t.log('server', 'headers', headers);
      headers.push('X-Mine: yes');
    });
    await t.request(wss, {
      headers: {
        'Sec-WebSocket-Extensions': offer('client_max_window_bits=9; client_no_context_takeover'),
        'Sec-WebSocket-Protocol': 'a'
      }
    });
    const { server } = await t.accepted(wss);
    t.log('server', 'extensions', ...agreement(server));
  }
);

scenario('1.4 deflate: the option can be changed after construction', 'server', async (t) => {
  const wss = await t.listen();
  const changes = [true, { clientNoContextTakeover: true }, false, { serverMaxWindowBits: 10 }];
  for (const change of [undefined, ...changes]) {
    wss.options.perMessageDeflate = change;
    await sendOffer(t, wss, offer('client_max_window_bits'));
  }
});
