/**
 * Frameworks in the style of their own tests: servers and clients are in one process, and the order of their events is
 * compared. The programs are in project/servers/. The cases of ../dependents, across processes, are not repeated.
 */

import { compare } from './compare.mjs';

for (const [program, isGate] of /** @type {const} */ ([
  ['fastify.mjs', true],
  ['mercurius.mjs', true],
  ['hono.mjs', true],
  ['crossws.mjs', true],
  ['socket.io.cjs', true],
  ['graphql-ws.mjs', false],
  ['y-websocket.mjs', false]
])) {
  compare(program.replace(/\.\w+$/, ''), [`servers/${program}`], { isGate });
}
