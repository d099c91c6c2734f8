// The HTTP side of a development server: who may ask, the script and the line of the browsers that look at its pages, and
// whatever answers for the application now. While nothing does (it is being loaded for the first time, or all of it is
// broken) a request waits, or is shown why.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { Allowed } from './allowed.ts';
import { CLIENT_SCRIPT, ERROR_PAGE_POLICY } from './error-page.ts';

/** What answers for the application: its pages, or why there are none. */
export type Answering =
  | { readonly handle: (request: IncomingMessage, response: ServerResponse) => unknown }
  | { readonly brokenPage: string };

export interface DevServerOptions {
  /** The compiled script for browsers. Absolute. */
  readonly clientFile: string;
  /** Names it answers for, beside those of this machine. */
  readonly hosts: readonly string[];
  /** The first words to a browser that connects. */
  readonly hello: () => object;
}

const LIVE = '/__coherent/live';
const MAX_MESSAGE_BYTES = 1024;

export class DevServer {
  readonly http: Server;
  readonly #allowed: Allowed;
  readonly #browsers: WebSocketServer;
  readonly #script: string;
  readonly #waiting: (() => void)[] = [];
  #answering: Answering | undefined;

  constructor({ clientFile, hosts, hello }: DevServerOptions) {
    this.#allowed = new Allowed(hosts);
    this.#script = readFileSync(clientFile, 'utf8');
    this.#browsers = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
    this.#browsers.on('connection', (browser: WebSocket) => {
      browser.on('error', () => {});
      browser.send(JSON.stringify(hello()));
    });
    this.http = createServer((request, response) => this.#request(request, response));
    this.http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  answerWith(answering: Answering): void {
    this.#answering = answering;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** To all browsers. */
  say(message: object): void {
    const text = JSON.stringify(message);
    for (const browser of this.#browsers.clients) browser.send(text);
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers.clients) browser.terminate();
    const closed = new Promise((resolve) => this.http.close(resolve));
    this.http.closeAllConnections();
    await closed;
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#allowed.host(request.headers.host)) {
      plain(response, 421, 'This development server does not answer for that host. Name it with --host.');
    } else if (request.url?.split('?')[0] === CLIENT_SCRIPT) {
      response.setHeader('content-type', 'text/javascript; charset=utf-8');
      response.setHeader('cache-control', 'no-store');
      response.setHeader('x-content-type-options', 'nosniff');
      response.end(this.#script);
    } else if (request.url?.startsWith('/__coherent/') === true) {
      plain(response, 404, 'Nothing is here.');
    } else if (this.#answering === undefined) {
      this.#waiting.push(() => this.#answer(request, response));
    } else this.#answer(request, response);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const answering = this.#answering;
    if (answering !== undefined && 'handle' in answering) {
      answering.handle(request, response);
      return;
    }
    response.statusCode = 500;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('cache-control', 'no-store');
    response.setHeader('content-security-policy', ERROR_PAGE_POLICY);
    response.end(answering?.brokenPage);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    if (request.url !== LIVE || !this.#allowed.upgrade(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#browsers.handleUpgrade(request, socket, head, (browser) =>
      this.#browsers.emit('connection', browser, request),
    );
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('x-content-type-options', 'nosniff');
  response.end(`${text}\n`);
}
