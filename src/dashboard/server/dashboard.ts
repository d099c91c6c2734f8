// The dashboard of the operations port: its pages and files, the figures once a second for those who look, and what its
// buttons do. Its paths are open to the port itself, because a browser comes without the bearer token; who is let in
// is decided here, for each of them, by operations-session.ts.
//
//   GET  /dashboard            the page, or the form to log in
//   POST /dashboard/login      the form; /dashboard/logout ends the session
//   GET  /dashboard/session    204, or 401: whether to log in again
//   GET  /dashboard/events     server-sent events: figures once a second
//   *    /dashboard/do/<name>  purge, reload, drain, explain: the routes of that name, asked by this page
//   GET  /frame                the figures once, for `coherent-server top`; with the bearer token as everywhere
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { HostSnapshot } from '../../monitor/snapshot.ts';
import { readText } from '../../operations/json-body.ts';
import type { Operations, OperationsResponse } from '../../operations/operations.ts';
import { type Admission, BrowserSessions } from '../../operations/operations-session.ts';
import type { Frame, Greeting } from '../data/frame.ts';
import { type FrameExtras, Frames } from '../data/frames.ts';
import { type DashboardFiles, type DashboardPage, readDashboardFiles } from './dashboard-files.ts';
import { EventStream } from './event-stream.ts';

/** Of the form: the token and what names it. */
const MAX_FORM_BYTES = 2048;

const ACTIONS = [
  { method: 'POST', name: 'purge' },
  { method: 'POST', name: 'reload' },
  { method: 'POST', name: 'drain' },
  { method: 'GET', name: 'explain' },
] as const;

export interface DashboardOptions {
  readonly operations: Pick<Operations, 'route' | 'forward' | 'wrongTokens'>;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stats: {
    collect(): Promise<HostSnapshot>;
    subscribe(listener: (box: HostSnapshot) => void): () => void;
  };
  /** What is not in a snapshot, now. `watched`: a browser looks, so requests may be recorded. */
  readonly extras: (watched: boolean) => FrameExtras;
  readonly files?: DashboardFiles | undefined;
}

export class Dashboard {
  readonly #options: DashboardOptions;
  readonly #door: BrowserSessions;
  readonly #frames = new Frames();
  readonly #events: EventStream;
  readonly #files: DashboardFiles | undefined;
  readonly #unsubscribe: () => void;

  constructor(options: DashboardOptions) {
    this.#options = options;
    const { operations, token, clock, logger, stats } = options;
    this.#files = 'files' in options ? options.files : readDashboardFiles();
    this.#door = new BrowserSessions({ token, wrongTokens: operations.wrongTokens, clock });
    this.#unsubscribe = stats.subscribe((box) => this.#frames.see(box));
    this.#events = new EventStream({
      clock,
      logger,
      greeting: (): Greeting => ({ points: this.#frames.points, hasSession: this.#door.usesToken }),
      message: () => this.#frame(true),
    });
    this.#addRoutes();
  }

  close(): void {
    this.#unsubscribe();
    this.#events.close();
  }

  #addRoutes(): void {
    const { operations } = this.#options;
    const open = true;
    operations.route({ method: 'GET', path: '/frame', handler: async () => ok(await this.#frame(false)) });
    operations.route({ method: 'GET', path: '/dashboard', open, handler: (request) => this.#visit(request) });
    operations.route({
      method: 'POST',
      path: '/dashboard/login',
      open,
      handler: (request) => this.#login(request),
    });
    operations.route({
      method: 'POST',
      path: '/dashboard/logout',
      open,
      handler: (request) => this.#logout(request),
    });
    operations.route({
      method: 'GET',
      path: '/dashboard/session',
      open,
      handler: (request) => refusal(this.#door.admitsQuestion(request)) ?? ok({ session: true }),
    });
    operations.route({
      method: 'GET',
      path: '/dashboard/events',
      open,
      handler: (request) => this.#watch(request),
    });
    for (const { method, name } of ACTIONS) {
      operations.route({
        method,
        path: `/dashboard/do/${name}`,
        open,
        handler: (request, target) =>
          refusal(method === 'GET' ? this.#door.admitsQuestion(request) : this.#door.admitsAction(request)) ??
          operations.forward(request, target, `/${name}`),
      });
    }
    for (const [path, answer] of this.#files?.assets ?? []) {
      operations.route({ method: 'GET', path, open, handler: () => answer });
    }
  }

  #visit(request: IncomingMessage): OperationsResponse {
    const admission = this.#door.admitsVisit(request);
    if (admission === 'foreign') return refused;
    return this.#page(admission === 'in' ? 'dashboard' : 'login-asked', admission === 'in' ? 200 : 401);
  }

  async #login(request: IncomingMessage): Promise<OperationsResponse> {
    if (!this.#door.admitsForm(request)) return refused;
    const form = new URLSearchParams((await readText(request, MAX_FORM_BYTES)) ?? '');
    const login = this.#door.login(request, form.get('token') ?? '');
    const from = request.socket.remoteAddress;
    if (login.outcome === 'in') {
      this.#options.logger.info({ audit: 'login', from }, 'somebody logged in to the dashboard');
      return redirect(login.cookie);
    }
    this.#options.logger.warn({ audit: 'login', from }, 'a login to the dashboard was refused');
    return this.#page(`login-${login.outcome}`, login.outcome === 'wrong' ? 401 : 429);
  }

  #logout(request: IncomingMessage): OperationsResponse {
    return this.#door.admitsForm(request) ? redirect(this.#door.logout(request)) : refused;
  }

  #watch(request: IncomingMessage): OperationsResponse {
    const no = refusal(this.#door.admitsQuestion(request));
    if (no !== undefined) return no;
    if (this.#events.isClosed) return { status: 503, body: { error: 'the server is about to stop' } };
    const mayLook = () => this.#door.admitsVisit(request) === 'in';
    return {
      status: 200,
      body: undefined,
      contentType: 'text/event-stream; charset=utf-8',
      // A proxy in front must not keep it until it is complete, which it never is.
      headers: { 'x-accel-buffering': 'no' },
      stream: (response) => this.#events.add(response, mayLook),
    };
  }

  async #frame(watched: boolean): Promise<Frame> {
    const snapshot = await this.#options.stats.collect();
    return this.#frames.frame(snapshot, this.#options.extras(watched));
  }

  #page(page: DashboardPage, status: number): OperationsResponse {
    if (this.#files === undefined) {
      return { status: 404, body: { error: 'this build has no dashboard: npm run build makes one' } };
    }
    const { pages, headers } = this.#files;
    return { status, body: pages[page], contentType: 'text/html; charset=utf-8', headers };
  }
}

const refused: OperationsResponse = {
  status: 403,
  body: { error: 'only for the dashboard itself, opened on this host' },
};

function ok(body: unknown): OperationsResponse {
  return { status: 200, body };
}

function refusal(admission: Admission): OperationsResponse | undefined {
  if (admission === 'in') return undefined;
  return admission === 'needs-login' ? { status: 401, body: { error: 'log in first' } } : refused;
}

function redirect(cookie: string): OperationsResponse {
  return { status: 303, body: '', headers: { location: '/dashboard', 'set-cookie': cookie } };
}
