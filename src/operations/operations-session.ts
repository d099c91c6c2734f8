// How a browser is let in to the dashboard. It cannot send a bearer token when a user types an address, so the
// token is posted once, by a form, and a cookie stands for it from then on.
//
//   with OPS_TOKEN      a session: a random id, held in memory, gone with the process, after SESSION_MS, or when too
//                       many came after it. Wrong tokens count with those of the bearers (wrong-tokens.ts).
//   without a token     no session: as everywhere on this port, the request must name a loopback host.
//
// Either way a request that a page of another origin had the browser send is refused: by `Origin`, which has to be
// this very host and port, by `Sec-Fetch-Site`, and for whatever changes something by a header that no form can send.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../../config/derive.ts';
import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';
import { sameSecret } from './same-secret.ts';
import type { WrongTokens } from './wrong-tokens.ts';

export const SESSION_COOKIE = 'coherent_operations';
/** Of the operations port alone: pages of the site on the same host are sent no cookie that bears this path. */
const COOKIE_PATH = '/dashboard';
const ACTION_HEADER = 'x-coherent-action';
export const SESSION_MS: Milliseconds = 8 * 60 * 60 * 1000;
export const MAX_SESSIONS = 64;

/** `foreign`: sent by a page of another site, or not to this host. */
export type Admission = 'in' | 'needs-login' | 'foreign';
export type Login =
  | { readonly outcome: 'in'; readonly cookie: string }
  | { readonly outcome: 'wrong' | 'too-many' };

export interface BrowserSessionsOptions {
  readonly token: string | undefined;
  readonly wrongTokens: WrongTokens;
  readonly clock: Clock;
  readonly newId?: () => string;
}

export class BrowserSessions {
  /** Until when, by id; the oldest first. */
  readonly #sessions = new Map<string, Milliseconds>();
  readonly #token: string | undefined;
  readonly #wrongTokens: WrongTokens;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor({ token, wrongTokens, clock, newId = randomId }: BrowserSessionsOptions) {
    this.#token = token;
    this.#wrongTokens = wrongTokens;
    this.#clock = clock;
    this.#newId = newId;
  }

  get usesToken(): boolean {
    return this.#token !== undefined;
  }

  /** Whether to show the dashboard to a browser that opens it: it may be a link on another site that led here. */
  admitsVisit(request: IncomingMessage): Admission {
    if (this.#token === undefined) return namesLoopback(request) ? 'in' : 'foreign';
    return this.#hasSession(request) ? 'in' : 'needs-login';
  }

  /** Whether to answer what the dashboard's own script asks. */
  admitsQuestion(request: IncomingMessage): Admission {
    return isOurs(request) ? this.admitsVisit(request) : 'foreign';
  }

  /** Whether to do what the dashboard's own script wants done. */
  admitsAction(request: IncomingMessage): Admission {
    const { origin, [ACTION_HEADER]: header } = request.headers;
    if (origin === undefined || header === undefined) return 'foreign';
    return this.admitsQuestion(request);
  }

  /** Of the form, which cannot send the header: its `Origin` alone has to do. */
  admitsForm(request: IncomingMessage): boolean {
    return request.headers.origin !== undefined && isOurs(request);
  }

  login(request: IncomingMessage, given: string): Login {
    if (this.#token === undefined) return { outcome: 'wrong' };
    const address = request.socket.remoteAddress ?? '';
    if (!sameSecret(given, this.#token))
      return { outcome: this.#wrongTokens.wasWrong(address) ? 'wrong' : 'too-many' };
    const id = this.#open();
    return { outcome: 'in', cookie: cookie(request, id, SESSION_MS / 1000) };
  }

  /** The cookie that takes the place of the session's. */
  logout(request: IncomingMessage): string {
    this.#sessions.delete(sessionId(request));
    return cookie(request, '', 0);
  }

  #open(): string {
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const id = this.#newId();
    this.#sessions.set(id, this.#clock.monotonic() + SESSION_MS);
    return id;
  }

  #hasSession(request: IncomingMessage): boolean {
    const id = sessionId(request);
    const until = this.#sessions.get(id);
    if (until === undefined) return false;
    if (this.#clock.monotonic() < until) return true;
    this.#sessions.delete(id);
    return false;
  }
}

/** Asked by a page of this host and port, or by no page at all. */
function isOurs({ headers }: IncomingMessage): boolean {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  // Compared as written: a browser leaves the port out of both, or out of neither. https: something in front of us
  // speaks it, and has passed the Host on.
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

/** An attacker who points a name of their own at 127.0.0.1 (DNS rebinding) has the browser send that name. */
export function namesLoopback({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isLoopback(host);
}

function randomId(): string {
  return randomBytes(32).toString('base64url');
}

const OUR_COOKIE = new RegExp(`(?:^|;) *${SESSION_COOKIE}=([^;]*)`);

function sessionId({ headers }: IncomingMessage): string {
  return OUR_COOKIE.exec(headers.cookie ?? '')?.[1] ?? '';
}

/** The browser says in `Origin` whether it speaks TLS to whatever is in front of us. */
function cookie({ headers }: IncomingMessage, id: string, maxAgeSeconds: number): string {
  const secure = headers.origin?.startsWith('https:') === true ? '; Secure' : '';
  return `${SESSION_COOKIE}=${id}; Path=${COOKIE_PATH}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}
