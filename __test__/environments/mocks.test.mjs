/**
 * Packages that replace methods, timers, modules and the HTTP client of Node. The programs are in project/mocks/.
 */

import { compare } from './compare.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

compare('Sinon: spies, stubs and stub instances', ['mocks/sinon.cjs'], { records: 5 });
compare('Sinon: fake timers', ['mocks/sinon-timers.cjs']);
compare('Sinon: fake timers, over TLS', ['mocks/sinon-timers.cjs'], {
  env: { ENCRYPTED: 'yes' }
});
compare('nock 14', ['mocks/nock.cjs'], { env: { NOCK: '14' }, isGate: false });
// Needs Node.js 22.20.
if (major > 22 || (major === 22 && minor >= 20))
  compare('nock 15', ['mocks/nock.cjs'], { env: { NOCK: '15' } });
compare('MSW', ['mocks/msw.mjs']);
compare('proxyquire', ['mocks/proxyquire.cjs'], { records: 3 });
compare('esmock', ['--no-warnings', 'mocks/esmock.mjs'], { isGate: false });
compare('testdouble.js', ['mocks/testdouble.cjs'], { isGate: false });
