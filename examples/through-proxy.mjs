// A client behind an HTTP proxy: an agent makes the connection by the proxy's CONNECT, and the rest is as always. Any
// agent for node:http will do; this one is the package https-proxy-agent (for SOCKS there is socks-proxy-agent).
//
//   npm install https-proxy-agent
//   node examples/through-proxy.mjs http://proxy.example:3128 wss://server.example/

import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ferrows';

const [proxy, url] = process.argv.slice(2);
if (url === undefined) {
  console.error('Which proxy, and which address? node through-proxy.mjs PROXY ADDRESS');
  process.exit(2);
}

const socket = new WebSocket(url, { agent: new HttpsProxyAgent(proxy) });

socket.on('open', () => socket.send('Hello from behind the proxy'));

socket.on('message', (data) => {
  console.log(`Received: ${data}`);
  socket.close();
});

socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
