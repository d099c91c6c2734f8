// One visitor in one request: what came in their cookies, and what goes back with the answer. Its life:
//
//   settle     the session is opened, and `valid` asked, once, whoever needs it first (a guard, a load, an action)
//   use        `reading`, `personal`, `writing`: what the application's code is given
//   headers    what the answer carries; whatever is written after that is an error (E_VISITOR_DONE)
import type { Clock } from '../core/clock.ts';
import type { Db } from '../data/db.ts';
import { type CookieOptions, type Cookies, SentCookies, SetCookies } from './cookies.ts';
import type { SessionDeclaration } from './declaration.ts';
import { CookieError, NoSessionError, VisitorDoneError } from './errors.ts';
import { FLASH_MAX_AGE_MS, type Flash, type FlashKind, type FlashSeal } from './flash.ts';
import type { SessionData, SessionInput } from './register.ts';
import { logIdOf, type OpenSession, type SessionSeal } from './session-seal.ts';
import type { PersonalVisitor, Session, Visitor, WritingVisitor } from './visitor.ts';

/** A request, as far as a visitor is told by it. */
export interface VisitorRequest {
  /** Names in lower case. */
  readonly header: (name: string) => string | undefined;
  /** The Host header: one that we answer for. */
  readonly host: string | undefined;
  /** The visitor came over TLS, here or at a proxy in front that is trusted. */
  readonly isSecure: boolean;
}

export interface ArrivalParts {
  readonly declaration: SessionDeclaration | undefined;
  readonly sessions: SessionSeal | undefined;
  readonly flashes: FlashSeal | undefined;
  readonly clock: Clock;
}

/** Only a host over TLS can set a cookie of this prefix, for itself alone: nobody beside it can put one there. */
const SECURE_PREFIX = '__Host-';
const OURS: ReadonlySet<string> = new Set(['session', 'flash', '__Host-session', '__Host-flash']);

export class Arrival {
  readonly #parts: ArrivalParts;
  readonly #request: VisitorRequest;
  readonly #host: string;
  readonly #prefix: string;
  readonly #sent: SentCookies;
  readonly #set: SetCookies;
  #settling: Promise<void> | undefined;
  #isSettled = false;
  #session: OpenSession | undefined;
  #said: Flash[] = [];
  #hasCleared = false;
  #isDone = false;

  constructor(parts: ArrivalParts, request: VisitorRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#host = hostName(request.host);
    this.#prefix = request.isSecure ? SECURE_PREFIX : '';
    this.#sent = new SentCookies(request.header('cookie'));
    this.#set = new SetCookies(request.isSecure);
  }

  /**
   * Before anything below is used. A promise only where `valid` must be waited for, which rejects as it does: then nobody
   * is let in.
   */
  settle(db: () => Db): Promise<void> | undefined {
    if (this.#isSettled) return this.#settling;
    this.#isSettled = true;
    const { declaration, sessions } = this.#parts;
    const sealed = this.#sent.only(`${this.#prefix}session`);
    if (declaration === undefined || sealed === undefined) return undefined;
    const open = sessions?.open(sealed, this.#host);
    const { definition } = declaration;
    if (open === undefined || definition.valid === undefined) {
      this.#session = open;
      return undefined;
    }
    const asked = definition.valid({ data: open.data, issuedAt: new Date(open.issuedMs) }, db());
    if (!(asked instanceof Promise)) this.#judged(open, asked);
    else this.#settling = asked.then((isValid) => this.#judged(open, isValid));
    return this.#settling;
  }

  /** What the database is told of the visitor, for row-level security. */
  get rowSettings(): Readonly<Record<string, string>> | undefined {
    const { declaration } = this.#parts;
    return this.#session && declaration?.definition.rowSecurity?.(this.#session.data);
  }

  /** By which the session can be found in the log; undefined without one. */
  get logId(): string | undefined {
    return this.#session && logIdOf(this.#session);
  }

  get reading(): Visitor {
    const arrival = this;
    return {
      session: {
        get data() {
          return arrival.#data;
        },
      },
      cookies: { get: (name) => this.#sent.get(name) },
      header: (name) => this.#request.header(name.toLowerCase()),
    };
  }

  get personal(): PersonalVisitor {
    return { ...this.reading, flashes: () => this.#taken() };
  }

  get writing(): WritingVisitor {
    return {
      session: this.#writableSession(),
      cookies: this.#writableCookies(),
      header: (name) => this.#request.header(name.toLowerCase()),
      flash: (text, kind = 'info') => this.#say({ text, kind }),
    };
  }

  /** What the answer carries. From now on nothing is written any more. */
  headers(): readonly (readonly [name: string, value: string])[] {
    this.#isDone = true;
    const cookies = this.#set.all.map((value) => ['set-cookie', value] as const);
    return this.#hasCleared ? [...cookies, ['clear-site-data', '"cache"']] : cookies;
  }

  #judged(open: OpenSession, isValid: boolean): void {
    // Nothing but `true` lets anybody in: an author's slip must not.
    if (isValid === true) this.#session = open;
    else this.#set.delete(`${this.#prefix}session`);
  }

  get #data(): SessionData | undefined {
    if (this.#parts.declaration === undefined) throw undeclared('session');
    // Its schema has answered with it: the type that the application registered is that of this schema.
    return this.#session?.data as SessionData | undefined;
  }

  #writableSession(): Session {
    const arrival = this;
    return {
      get data() {
        return arrival.#data;
      },
      set: (data: SessionInput) => this.#issue((sessions) => sessions.issue(data, this.#host)),
      update: (data: SessionInput) =>
        this.#issue((sessions) =>
          this.#session === undefined
            ? sessions.issue(data, this.#host)
            : sessions.change(this.#session, data, this.#host),
        ),
      clear: () => {
        this.#assertOpen();
        if (this.#parts.declaration === undefined) throw undeclared('session');
        this.#session = undefined;
        this.#hasCleared = true;
        this.#set.delete(`${this.#prefix}session`);
      },
    };
  }

  #issue(make: (sessions: SessionSeal) => OpenSession & { readonly sealed: string }): void {
    this.#assertOpen();
    const { sessions, clock } = this.#parts;
    if (sessions === undefined) throw undeclared('session');
    const { sealed, ...session } = make(sessions);
    this.#session = session;
    const maxAgeMs = session.endsMs - clock.now();
    this.#set.set(`${this.#prefix}session`, sealed, { maxAgeMs });
  }

  #writableCookies(): Cookies {
    return {
      get: (name) => this.#sent.get(name),
      set: (name, value, options?: CookieOptions) => {
        this.#assertOpen();
        assertNotOurs(name);
        this.#set.set(name, value, options);
      },
      delete: (name, options) => {
        this.#assertOpen();
        assertNotOurs(name);
        this.#set.delete(name, options);
      },
    };
  }

  #say(flash: { readonly text: string; readonly kind: FlashKind }): void {
    this.#assertOpen();
    const { flashes } = this.#parts;
    if (flashes === undefined) throw undeclared('flash');
    // What an earlier request said and nobody has seen yet is not lost.
    if (this.#said.length === 0) this.#said = [...this.#sentFlashes()];
    this.#said.push(flash);
    this.#set.set(`${this.#prefix}flash`, flashes.seal(this.#said, this.#host), {
      maxAgeMs: FLASH_MAX_AGE_MS,
    });
  }

  #taken(): readonly Flash[] {
    if (this.#parts.flashes === undefined) throw undeclared('flashes');
    const sent = this.#sentFlashes();
    if (sent.length > 0) {
      this.#assertOpen();
      this.#set.delete(`${this.#prefix}flash`);
    }
    return sent;
  }

  #sentFlashes(): readonly Flash[] {
    const sealed = this.#sent.only(`${this.#prefix}flash`);
    return sealed === undefined ? NO_FLASHES : (this.#parts.flashes?.open(sealed, this.#host) ?? NO_FLASHES);
  }

  #assertOpen(): void {
    if (this.#isDone)
      throw new VisitorDoneError(
        'A session or a cookie was written when its answer was made already. Await what writes it before the action returns.',
      );
  }
}

const NO_FLASHES: readonly Flash[] = Object.freeze([]);

function assertNotOurs(name: string): void {
  if (OURS.has(name))
    throw new CookieError(
      `The cookie '${name}' is the server's own. Use session and flash, or another name.`,
    );
}

function undeclared(what: string): NoSessionError {
  return new NoSessionError(
    `${what} was used, and the application declares no session. Write in app.ts: application({ session: session({ schema }) }).`,
  );
}

/** Cookies belong to a host, whatever the port. */
function hostName(host = ''): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
