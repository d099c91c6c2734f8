// The operations server: a small HTTP server in the primary, on a port of its own, so that it answers while
// every worker is busy. Rooms add their routes with `route()` before it starts.
//
// Who may ask: probes are open. Everything else asks for OPS_TOKEN where one is set; without a token only
// loopback is listened on (config/derive.ts sees to that), and a request must also name a loopback host and
// carry no Origin, so that a page in the operator's browser cannot ask in his name (DNS rebinding, CSRF). A browser
// that says a page of another site sent it (Sec-Fetch-Site) is refused, too: not every request carries an Origin.
//
// How much: wrong tokens are counted for each address, and everything but the probes has one budget, so that neither
// guessing nor a loop in somebody's script keeps the primary busy.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../../core/clock.ts';
import { listen } from '../listen.ts';
import { Allowance } from './allowance.ts';
import { namesLoopback } from './operations-session.ts';
import { sameSecret } from './same-secret.ts';
import { WrongTokens } from './wrong-tokens.ts';

/** Of all routes but the probes together. */
export const OPERATIONS_BURST = 500;
const PER_SECOND = 200;

export interface OperationsAnswer {
  readonly status: number;
  /** Written as JSON unless it is text or bytes. */
  readonly body: unknown;
  readonly contentType?: string;
  /** Beside those that every answer has, or in their place; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body in its own time, and ends it. `body` is then not looked at. */
  readonly stream?: (response: ServerResponse) => void;
}

export type OperationsHandler = (
  request: IncomingMessage,
  target: URL,
) => OperationsAnswer | Promise<OperationsAnswer>;

export interface OperationsRoute {
  readonly method: 'GET' | 'POST';
  readonly path: `/${string}`;
  /** Answered without the token: probes, and the dashboard, which lets browsers in by a session of its own. */
  readonly open?: true;
  readonly handler: OperationsHandler;
}

export interface OperationsOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly clock?: Clock;
}

export class Operations {
  readonly #routes = new Map<string, OperationsRoute>();
  readonly #options: OperationsOptions;
  readonly #server: Server;
  readonly #budget: Allowance;
  /** Of bearers and of the dashboard's form together. */
  readonly wrongTokens: WrongTokens;

  constructor(options: OperationsOptions) {
    this.#options = options;
    const { clock = systemClock } = options;
    this.#budget = new Allowance({ clock, burst: OPERATIONS_BURST, perSecond: PER_SECOND });
    this.wrongTokens = new WrongTokens(clock);
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
    const { status, body, contentType, headers, stream } = await this.#ask(request);
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : `${JSON.stringify(body)}\n`;
    const type = contentType ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
    response.writeHead(status, {
      'content-type': type,
      ...(stream === undefined ? { 'content-length': Buffer.byteLength(text) } : {}),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...headers,
    });
    if (stream !== undefined && request.method !== 'HEAD') {
      stream(response);
      return;
    }
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  async #ask(request: IncomingMessage): Promise<OperationsAnswer> {
    const raw = request.url ?? '/';
    if (!raw.startsWith('/') || !URL.canParse(raw, 'http://operations')) return problem(400, 'bad target');
    const target = new URL(raw, 'http://operations');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = this.#routes.get(`${method} ${target.pathname}`);
    const refused = route?.open === true ? undefined : this.#refusal(request);
    if (refused !== undefined) return refused;
    if (route === undefined) return this.#noRoute(target.pathname);
    return await route.handler(request, target);
  }

  /** What the route of this path answers, for a request that came to another path and was let in there. */
  async forward(request: IncomingMessage, target: URL, path: string): Promise<OperationsAnswer> {
    const route = this.#routes.get(`${request.method} ${path}`);
    if (route === undefined) return problem(404, 'not found');
    if (!this.#budget.take()) return tooMany(`more than ${PER_SECOND} calls a second`);
    return await route.handler(request, target);
  }

  #noRoute(pathname: string): OperationsAnswer {
    const elsewhere = [...this.#routes.values()].some((route) => route.path === pathname);
    if (elsewhere) return problem(405, 'method not allowed');
    return { status: 404, body: { error: 'not found', routes: [...this.#routes.keys()] } };
  }

  /** Undefined: it may ask. What is refused takes nothing of the budget, or strangers would use it up. */
  #refusal(request: IncomingMessage): OperationsAnswer | undefined {
    const { token } = this.#options;
    const { origin, 'sec-fetch-site': site = 'none', authorization } = request.headers;
    if (token === undefined) {
      const isOurs =
        namesLoopback(request) && origin === undefined && (site === 'none' || site === 'same-origin');
      if (!isOurs) return problem(401, 'only from this machine');
    } else {
      const address = request.socket.remoteAddress ?? '';
      if (!this.wrongTokens.mayTry(address)) return tooMany('too many wrong tokens');
      const [scheme, given = ''] = (authorization ?? '').split(' ', 2);
      if (scheme?.toLowerCase() !== 'bearer' || !sameSecret(given, token)) {
        // Who sent none is told what is missing, and has guessed nothing.
        if (authorization !== undefined) this.wrongTokens.wasWrong(address);
        return problem(401, 'needs OPS_TOKEN as bearer token');
      }
    }
    return this.#budget.take() ? undefined : tooMany(`more than ${PER_SECOND} calls a second`);
  }
}

function tooMany(error: string): OperationsAnswer {
  return { ...problem(429, error), headers: { 'retry-after': '1' } };
}

function problem(status: number, error: string): OperationsAnswer {
  return { status, body: { error } };
}
