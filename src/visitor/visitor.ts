// What code that answers one visitor is given of them. A page that is kept sees none of it.
import type { Cookies, ReadableCookies } from './cookies.ts';
import type { Flash, FlashKind } from './flash.ts';
import type { SessionData, SessionInput } from './register.ts';

export interface ReadableSession<Data = SessionData> {
  /**
   * What it holds. Undefined: there is none, or none that counts (ended, not ours, for another host, not `valid`).
   * Errors: `E_NO_SESSION` where the application declares none.
   */
  readonly data: Data | undefined;
}

export interface Session<Data = SessionData, Input = SessionInput> extends ReadableSession<Data> {
  /** Begins a session, in the place of one there was: it ends maxAgeMs from now. Errors: `E_SESSION_DATA`, `E_SESSION_TOO_LARGE`. */
  set(data: Input): void;
  /** Changes what it holds; it ends when it would have. Without a session, as `set`. Errors: as `set`. */
  update(data: Input): void;
  /** Ends it, and has the browser drop what it keeps of this site: the back button shows nothing of it any more. */
  clear(): void;
}

/** Reads a visitor: personal loads, guards. */
export interface Visitor {
  readonly session: ReadableSession;
  readonly cookies: ReadableCookies;
  /** A header of the request. From proxies that are not trusted X-Forwarded-* and the like are undefined. */
  readonly header: (name: string) => string | undefined;
}

/** Reads and writes a visitor: actions, endpoints. */
export interface WritingVisitor {
  readonly session: Session;
  readonly cookies: Cookies;
  readonly header: (name: string) => string | undefined;
  /**
   * Says something once, on the next personal page that shows `flashes`; most often after a redirect. Default kind 'info'.
   * Errors: `E_NO_SESSION`, `E_COOKIE` where all of them together are too long for a cookie.
   */
  readonly flash: (text: string, kind?: FlashKind) => void;
}

/** Reads a visitor on a page of their own. */
export interface PersonalVisitor extends Visitor {
  /** What `flash` has said, the oldest first. Taken by the call: it is there once. */
  readonly flashes: () => readonly Flash[];
}
