// The module of the live page: connects the connection with the chat and the figures.
import { Chat } from './chat.js';
import { Connection } from './connection.js';
import { Figure } from './figure.js';

const $ = (id) => document.getElementById(id);
const ADJECTIVES = [
  'Amber',
  'Brisk',
  'Calm',
  'Clever',
  'Copper',
  'Gentle',
  'Lucky',
  'Merry',
  'Quiet'
];
const ANIMALS = [
  'Badger',
  'Crane',
  'Finch',
  'Fox',
  'Heron',
  'Lynx',
  'Otter',
  'Owl',
  'Seal',
  'Wren'
];
const pick = (list) => list[Math.floor(Math.random() * list.length)];

/** Returns a value that the tab keeps across reloads. */
function remembered(item, make) {
  const value = sessionStorage.getItem(item) ?? make();
  sessionStorage.setItem(item, value);
  return value;
}

const whole = (value) => String(Math.round(value));
const fine = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0));
const figures = {
  roundTrip: new Figure($('round-trip'), fine),
  connections: new Figure($('connections'), whole),
  messagesPerSecond: new Figure($('messages'), whole),
  eventLoopDelay: new Figure($('delay'), fine)
};

const key = remembered('key', () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0')
  ).join('')
);
const chat = new Chat($('log'), $('empty'));
const name = $('name');
name.value = remembered('name', () => `${pick(ADJECTIVES)} ${pick(ANIMALS)}`);

const connection = new Connection(new URL('/live', location.href.replace(/^http/, 'ws')).href);
const join = () => connection.send(JSON.stringify({ type: 'join', name: name.value, key }));

const HANDLERS = {
  welcome: (message) => chat.welcome(message),
  line: ({ line }) => chat.add(line),
  counters: ({ values }) => {
    for (const [figure, value] of Object.entries(values)) figures[figure].push(value);
  },
  refused: ({ reason }) => {
    $('hint').textContent = reason;
  }
};

connection.addEventListener('text', ({ detail }) => {
  const message = JSON.parse(detail);
  HANDLERS[message.type]?.(message);
});

// Round-trip time: the server echoes a binary message of eight bytes with the time, once a second.
connection.addEventListener('binary', ({ detail }) => {
  figures.roundTrip.push(performance.now() - new Float64Array(detail)[0]);
});
setInterval(() => {
  if (connection.send(Float64Array.of(performance.now()))) return;
  for (const figure of Object.values(figures)) figure.push(null);
}, 1000);

const WORDS = { connecting: 'Connecting', open: 'Connected', waiting: 'Reconnecting' };
function showState() {
  const { state } = connection;
  $('state').dataset.state = state;
  $('state-word').textContent = WORDS[state];
  $('retry').hidden = state !== 'waiting';
  $('send').disabled = state !== 'open';
  showCountdown();
}
function showCountdown() {
  const seconds = Math.ceil((connection.retryAt - performance.now()) / 1000);
  $('countdown').textContent =
    connection.state === 'waiting' && seconds > 1 ? ` in ${seconds} s` : '';
}

connection.addEventListener('state', () => {
  showState();
  if (connection.state === 'open') join();
});
setInterval(showCountdown, 250);
$('retry').addEventListener('click', () => connection.retry());

name.addEventListener('change', () => {
  name.value = name.value.trim() || remembered('name');
  sessionStorage.setItem('name', name.value);
  join();
});

$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text === '') return;
  if (connection.send(JSON.stringify({ type: 'say', text }))) {
    $('text').value = '';
    $('hint').textContent = '';
  }
});

showState();
connection.retry();
