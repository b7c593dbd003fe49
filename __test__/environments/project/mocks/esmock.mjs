// esmock: another ws for a module.

import esmock from 'esmock';
import record from '../record.cjs';
import specs from '../specs.cjs';

const calls = [];
class Fake {
  constructor(url) {
    calls.push(url);
  }
  on() {}
  send(data) {
    calls.push(data);
    return 'sent';
  }
}
const replaced = await esmock('./subject.mjs', { ws: { default: Fake } });
record('esmock', [
  replaced.send('ws://a', 'b'),
  calls,
  typeof replaced.WebSocketServer,
  await specs['an echo'](Object.assign(class extends replaced.WebSocketServer {}, {})).catch(
    (error) => error.name
  )
]);
const { WebSocket } = await esmock('./subject.mjs', {});
record('nothing mocked', await specs['an echo'](WebSocket));
