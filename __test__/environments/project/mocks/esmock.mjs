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
record('esmock', [replaced.send('ws://a', 'b'), calls, typeof replaced.WebSocketServer]);
record('nothing mocked', await specs['an echo'](await esmock('./subject.mjs', {})));
