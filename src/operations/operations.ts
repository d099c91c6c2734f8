// The operations server: a small HTTP server in the primary, on a port of its own, so that it answers while
// every worker is busy. Rooms add their routes with `route()` before it starts.
//
// Who may ask: probes are open. Everything else asks for OPS_TOKEN where one is set; without a token only
// loopback is listened on (config/derive.ts sees to that), and a request must also name a loopback host and
// carry no Origin, so that a page in the operator's browser cannot ask in their name (DNS rebinding, CSRF). A browser
// that says a page of another site sent it (Sec-Fetch-Site) is refused, too: not every request carries an Origin.
//
// How much: wrong tokens are counted for each address, and everything but the probes has one budget, so that neither
// guessing nor a loop in a script keeps the primary busy.
//
// Whatever stands at this port, a probe gets in: with all places taken a connection that waits for its client is closed
// for the new one, then one that is being answered (a dashboard connects again), then the oldest.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, systemClock } from '../core/clock.ts';
import { type Connection, Connections, isIdle, isReceiving, isSettled } from '../core/connections.ts';
import { countHosts, framingFault, isHost } from '../core/framing.ts';
import { endWith } from '../core/last-word.ts';
import { listen } from '../core/listen.ts';
import { Allowance } from './allowance.ts';
import { namesLoopback } from './operations-session.ts';
import { sameSecret } from './same-secret.ts';
import { WrongTokens } from './wrong-tokens.ts';

/** Of all routes but the probes together. */
export const OPERATIONS_BURST = 500;
const PER_SECOND = 200;
/** As many as the system lets wait to be accepted, so that those accepted at once do not close each other. */
export const MAX_OPERATIONS_CONNECTIONS = 512;

export interface OperationsResponse {
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
) => OperationsResponse | Promise<OperationsResponse>;

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
  readonly #connections: Connections;
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
      // Refused below, with the headers that every answer has.
      requireHostHeader: false,
    };
    this.#server = createServer(limits, (request, response) => {
      if (this.#connections.began(request, response))
        this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.maxRequestsPerSocket = 1000;
    this.#server.on('checkExpectation', (request, response) => {
      if (this.#connections.began(request, response))
        write(response, { ...problem(417, 'only 100-continue can be expected'), headers: CLOSING });
    });
    this.#server.on('connect', (_request, socket: Socket) =>
      endWith(socket, 405, 'allow: GET, HEAD, POST\r\n'),
    );
    this.#connections = new Connections({
      server: this.#server,
      clock,
      max: MAX_OPERATIONS_CONNECTIONS,
      givesWay: [isSettled, isReceiving, isBeingAnswered, isIdle, () => true],
      refuse: (_request, response, status) => write(response, last(status)),
      statusOf: ({ code }) =>
        code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : code === 'HPE_HEADER_OVERFLOW' ? 431 : 400,
    });
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
    write(response, await this.#ask(request));
  }

  async #ask(request: IncomingMessage): Promise<OperationsResponse> {
    const fault = framingFault(request);
    if (fault !== undefined)
      return { ...problem(fault, 'this is not HTTP/1.1 as it is written'), headers: CLOSING };
    const host = hostFault(request);
    if (host !== undefined) return host;
    const raw = request.url ?? '/';
    if (!raw.startsWith('/') || raw.includes('#') || !URL.canParse(raw, 'http://operations'))
      return problem(400, 'bad target');
    const target = new URL(raw, 'http://operations');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = this.#routes.get(`${method} ${target.pathname}`);
    const refused = route?.open === true ? undefined : this.#refusal(request);
    if (refused !== undefined) return refused;
    if (route === undefined) return this.#noRoute(target.pathname);
    return await route.handler(request, target);
  }

  /** What the route of this path answers, for a request that came to another path and was let in there. */
  async forward(request: IncomingMessage, target: URL, path: string): Promise<OperationsResponse> {
    const route = this.#routes.get(`${request.method} ${path}`);
    if (route === undefined) return problem(404, 'not found');
    if (!this.#budget.take()) return tooMany(`more than ${PER_SECOND} calls a second`);
    return await route.handler(request, target);
  }

  #noRoute(pathname: string): OperationsResponse {
    const methods = [...this.#routes.values()]
      .filter(({ path }) => path === pathname)
      .map(({ method }) => method);
    if (methods.length > 0) {
      const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
      return { ...problem(405, 'method not allowed'), headers: { allow } };
    }
    return { status: 404, body: { error: 'not found', routes: [...this.#routes.keys()] } };
  }

  /** Undefined: it may ask. What is refused takes nothing of the budget, or strangers would use it up. */
  #refusal(request: IncomingMessage): OperationsResponse | undefined {
    const { token } = this.#options;
    const { origin, 'sec-fetch-site': site = 'none', authorization } = request.headers;
    if (token === undefined) {
      const isOurs =
        namesLoopback(request) && origin === undefined && (site === 'none' || site === 'same-origin');
      if (!isOurs) return problem(401, 'only from this machine');
    } else {
      const [scheme, given = ''] = (authorization ?? '').split(' ', 2);
      if (scheme?.toLowerCase() !== 'bearer' || !sameSecret(given, token)) {
        const isGuess = authorization !== undefined;
        if (isGuess && !this.wrongTokens.wasWrong(request.socket.remoteAddress ?? ''))
          return tooMany('too many wrong tokens');
        // A request without a token is told what is missing, and has guessed nothing.
        return problem(401, 'needs OPS_TOKEN as bearer token');
      }
    }
    return this.#budget.take() ? undefined : tooMany(`more than ${PER_SECOND} calls a second`);
  }
}

const CLOSING = { connection: 'close' };

function hostFault({ headers, rawHeaders, httpVersion }: IncomingMessage): OperationsResponse | undefined {
  const { host } = headers;
  if (host === undefined)
    return httpVersion === '1.0' ? undefined : { ...problem(400, 'no Host header'), headers: CLOSING };
  const isOne = countHosts(rawHeaders) === 1 && isHost(host);
  return isOne ? undefined : problem(400, 'the Host header is not one host name');
}

/** An answer has begun: an event stream, or a reader that takes its time. */
function isBeingAnswered({ responses }: Connection): boolean {
  const [first] = responses;
  return first?.headersSent === true;
}

function write(response: ServerResponse, answer: OperationsResponse): void {
  if (response.destroyed || response.headersSent) return;
  const { status, body, contentType, headers, stream } = answer;
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
  if (stream !== undefined && response.req.method !== 'HEAD') stream(response);
  else response.end(response.req.method === 'HEAD' ? undefined : text);
}

function tooMany(error: string): OperationsResponse {
  return { ...problem(429, error), headers: { 'retry-after': '1' } };
}

/** The last one on its connection. */
function last(status: number): OperationsResponse {
  const error = status === 503 ? 'too many requests on one connection' : 'the request is not complete';
  return { ...problem(status, error), headers: CLOSING };
}

function problem(status: number, error: string): OperationsResponse {
  return { status, body: { error } };
}
