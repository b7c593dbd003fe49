/**
 * Frameworks in the style of their own tests: servers and clients are in one process, and the order of what both do is looked at.
 * The programs are in project/servers/. What ../dependents asks of packages across processes is not asked again.
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
