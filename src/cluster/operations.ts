// The operations server: a small HTTP server in the primary, on a port of its own, so that it answers while
// every worker is busy. Rooms add their routes with `route()` before it starts.
//
// Who may ask: probes are open. Everything else asks for OPS_TOKEN where one is set; without a token only
// loopback is listened on (config/derive.ts sees to that), and a request must also name a loopback host and
// carry no Origin, so that a page in the operator's browser cannot ask in his name (DNS rebinding, CSRF).
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isLoopback } from '../../config/derive.ts';
import { listen } from './listen.ts';

export interface OperationsAnswer {
  readonly status: number;
  /** Written as JSON unless it is text. */
  readonly body: unknown;
  readonly contentType?: string;
}

export type OperationsHandler = (
  request: IncomingMessage,
  target: URL,
) => OperationsAnswer | Promise<OperationsAnswer>;

export interface OperationsRoute {
  readonly method: 'GET' | 'POST';
  readonly path: `/${string}`;
  /** Answered without the token: probes only. */
  readonly open?: true;
  readonly handler: OperationsHandler;
}

export interface OperationsOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

export class Operations {
  readonly #routes = new Map<string, OperationsRoute>();
  readonly #options: OperationsOptions;
  readonly #server: Server;

  constructor(options: OperationsOptions) {
    this.#options = options;
    const limits = {
      headersTimeout: 5000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 8192,
    };
    this.#server = createServer(limits, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = 256;
    this.#server.maxRequestsPerSocket = 1000;
  }

  route(route: OperationsRoute): void {
    this.#routes.set(`${route.method} ${route.path}`, route);
  }

  /** Resolves to its port. Rejects with `E_LISTEN`. */
  start(): Promise<number> {
    const { host, port } = this.#options;
    return listen(this.#server, { portName: 'OPS_PORT', hostName: 'OPS_HOST', host, port });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, contentType } = await this.#ask(request);
    const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
    const type = contentType ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  async #ask(request: IncomingMessage): Promise<OperationsAnswer> {
    const raw = request.url ?? '/';
    if (!raw.startsWith('/') || !URL.canParse(raw, 'http://operations')) return problem(400, 'bad target');
    const target = new URL(raw, 'http://operations');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = this.#routes.get(`${method} ${target.pathname}`);
    if (route?.open !== true && !this.#mayAsk(request)) {
      return problem(
        401,
        this.#options.token === undefined ? 'only from this machine' : 'needs OPS_TOKEN as bearer token',
      );
    }
    if (route === undefined) return this.#noRoute(target.pathname);
    return await route.handler(request, target);
  }

  #noRoute(pathname: string): OperationsAnswer {
    const elsewhere = [...this.#routes.values()].some((route) => route.path === pathname);
    if (elsewhere) return problem(405, 'method not allowed');
    return { status: 404, body: { error: 'not found', routes: [...this.#routes.keys()] } };
  }

  #mayAsk(request: IncomingMessage): boolean {
    const { token } = this.#options;
    if (token !== undefined) {
      const [scheme, given = ''] = (request.headers.authorization ?? '').split(' ', 2);
      return scheme?.toLowerCase() === 'bearer' && sameSecret(given, token);
    }
    const host = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    return isLoopback(host) && request.headers.origin === undefined;
  }
}

function problem(status: number, error: string): OperationsAnswer {
  return { status, body: { error } };
}

/** Hashed first: comparing in constant time asks for equal lengths, and a length is a hint too. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
