// A client behind an HTTP proxy: an http.Agent opens the connection through the proxy by CONNECT. This is the one of the package
// https-proxy-agent; any other agent works too (socks-proxy-agent for SOCKS).
//
//   npm install https-proxy-agent
//   node examples/through-proxy.mjs http://proxy.example:3128 wss://server.example/

import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ferrows';

const [proxy, url] = process.argv.slice(2);
if (url === undefined) {
  console.error('Usage: node examples/through-proxy.mjs PROXY_URL WEBSOCKET_URL');
  process.exit(2);
}

const socket = new WebSocket(url, { agent: new HttpsProxyAgent(proxy) });

socket.on('open', () => socket.send('Hello from behind the proxy'));

socket.on('message', (data) => {
  console.log(`Received: ${data}`);
  socket.close();
});

socket.on('error', (error) => {
  console.error(error.message || error.code);
  process.exitCode = 1;
});
