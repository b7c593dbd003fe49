/**
 * The expected output of project/conversation.cjs, in any runtime. Used by the tests here.
 */

const MEBIBYTE = 1024 * 1024;

/** @param {string} transport the transport of plain sockets @param {string} extensions */
const talk = (transport, extensions) => ({
  transports: [transport, transport],
  extensions,
  url: '/path?query',
  echoes: [
    [true, false, 0],
    [true, false, 4],
    [true, false, MEBIBYTE],
    [true, true, 0],
    [true, true, 2],
    [true, true, MEBIBYTE]
  ],
  pong: [['?'], ['?']],
  closed: [
    [3001, 'bye'],
    [3001, 'bye']
  ]
});

/** @param {string} transport */
export const conversation = (transport) => ({
  plain: talk(transport, ''),
  compressed: talk(transport, 'permessage-deflate'),
  serverCloses: [
    [
      [1001, 'away'],
      [1001, 'away']
    ],
    []
  ],
  terminated: [
    [
      [1006, ''],
      [1006, '']
    ],
    []
  ],
  tooLarge: [
    [
      [1006, ''],
      [1009, '']
    ],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']
  ],
  shared: ['page', 'Unexpected server response: 404', 'welcome', 'ECONNREFUSED'],
  encrypted: true
});
