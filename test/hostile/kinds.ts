// Hostile and broken clients, a kind each: what one connection sends, and how it leaves.
import { connect, type Socket } from 'node:net';

export interface Kind {
  readonly name: string;
  readonly bytes: (n: number) => string;
  /** `stays`: until it is sent away. */
  readonly leaves: 'stays' | 'by a FIN at once' | 'by a reset when it was answered or after a moment';
}

const HOST = 'Host: localhost\r\n';
const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\n${HOST}${headers}\r\n`;
const form = (headers: string, body = '') =>
  `POST /form HTTP/1.1\r\n${HOST}Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n${headers}\r\n${body}`;

const FIN = 'by a FIN at once';
const RESET = 'by a reset when it was answered or after a moment';

export const KINDS: readonly Kind[] = [
  { name: 'nothing', bytes: () => '', leaves: 'stays' },
  { name: 'a head without an end', bytes: () => `GET / HTTP/1.1\r\n${HOST}X: `, leaves: 'stays' },
  {
    name: 'a form without its last byte',
    bytes: () => form('Content-Length: 4\r\n', 'a=b'),
    leaves: 'stays',
  },
  {
    name: 'a form without its last byte, and a FIN',
    bytes: () => form('Content-Length: 4\r\n', 'a=b'),
    leaves: FIN,
  },
  {
    name: 'a form in chunks without an end',
    bytes: () => form('Transfer-Encoding: chunked\r\n', '3\r\na='),
    leaves: FIN,
  },
  {
    name: 'a form that waits to be asked',
    bytes: () => form('Content-Length: 3\r\nExpect: 100-continue\r\n'),
    leaves: RESET,
  },
  { name: 'a form that is too large', bytes: () => form('Content-Length: 900000\r\n', 'a='), leaves: RESET },
  {
    name: 'slow pages in a pipeline',
    bytes: (n) => get(`/slow/${n % 50}`) + get('/') + get('/slow/x'),
    leaves: RESET,
  },
  { name: 'a long pipeline', bytes: (n) => get(`/slow/${n % 50}`) + get('/').repeat(300), leaves: RESET },
  { name: 'a slow page, and a FIN', bytes: (n) => get(`/slow/${n % 50}`), leaves: FIN },
  { name: 'a page, and a FIN', bytes: () => get('/'), leaves: FIN },
  { name: 'a page that nobody asked for before, and a FIN', bytes: (n) => get(`/echo/${n}`), leaves: FIN },
  {
    name: 'a long Accept-Encoding',
    bytes: () => get('/', `Accept-Encoding: ${'gzip;q=0.5,'.repeat(1000)}\r\n`),
    leaves: RESET,
  },
  {
    name: 'another Accept-Encoding each',
    bytes: (n) => get('/', `Accept-Encoding: gzip;q=0.${n}\r\n`),
    leaves: RESET,
  },
  {
    name: 'other header names each',
    bytes: (n) => get('/', `X-${n}-a: 1\r\nX-${n}-b: 1\r\n`),
    leaves: RESET,
  },
  { name: 'thousands of parameters', bytes: () => get(`/echo/1?${'a&'.repeat(3000)}`), leaves: RESET },
  {
    name: 'thousands of tags',
    bytes: () => get('/', `If-None-Match: ${'"a",'.repeat(3000)}"b"\r\n`),
    leaves: RESET,
  },
  { name: 'a mistake that is logged', bytes: (n) => get(`/wrong?after=${n}`), leaves: RESET },
  { name: 'a failure that is logged', bytes: () => get('/broken'), leaves: RESET },
  {
    name: 'an upgrade with a request behind it',
    bytes: () => get('/', 'Connection: upgrade\r\nUpgrade: x\r\n') + get('/'),
    leaves: RESET,
  },
  {
    name: 'chunks over HTTP/1.0',
    bytes: () => `POST /form HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
    leaves: RESET,
  },
  {
    name: 'a length and chunks',
    bytes: () => form('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    leaves: RESET,
  },
  { name: 'no HTTP', bytes: () => '\x16\x03\x01\x02\x00\x01\r\n\r\n', leaves: RESET },
];

const MOMENT_MS = 300;

/** Resolves when it has connected and sent; the socket is given back if it stays. Whatever becomes of it is no error. */
export function attack({ bytes, leaves }: Kind, port: number, n: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = () => resolve(undefined);
    socket.on('error', done).once('close', done).resume();
    socket.once('connect', () => {
      if (leaves === FIN) {
        socket.end(Buffer.from(bytes(n), 'latin1'));
        done();
        return;
      }
      socket.write(Buffer.from(bytes(n), 'latin1'));
      if (leaves === 'stays') {
        resolve(socket);
        return;
      }
      const leave = setTimeout(() => socket.resetAndDestroy(), MOMENT_MS);
      socket.once('close', () => clearTimeout(leave));
      done();
    });
  });
}
