// Cookies of one request, read and written by the library `cookie`. A cookie that is written goes out with every answer of
// the request, whatever that becomes; the last of one name counts.
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Bytes, Milliseconds } from '../core/units.ts';
import { CookieError } from './errors.ts';

export interface ReadableCookies {
  /** Decoded; undefined where the browser sent none of this name. Of two, the first: that of the longer path. */
  get(name: string): string | undefined;
}

export interface CookieOptions {
  /** How long the browser keeps it. Default: until it is closed. At most 400 days. */
  readonly maxAgeMs?: Milliseconds;
  /** Default '/'. */
  readonly path?: string;
  /** Default: this host alone. */
  readonly domain?: string;
  /** Default true: scripts cannot read it. */
  readonly httpOnly?: boolean;
  /** Default 'lax'. 'none' needs TLS. */
  readonly sameSite?: 'lax' | 'strict' | 'none';
}

export interface Cookies extends ReadableCookies {
  /** It is `Secure` where the visitor came over TLS. Errors: `E_COOKIE`. */
  set(name: string, value: string, options?: CookieOptions): void;
  /** `path` and `domain` as when it was set. Errors: `E_COOKIE`. */
  delete(name: string, options?: Pick<CookieOptions, 'path' | 'domain'>): void;
}

/** What browsers keep of one cookie, its name and attributes included (RFC 6265, 6.1). */
const MAX_COOKIE_BYTES: Bytes = 4096;
/** Browsers cut longer ones off. */
const MAX_AGE_MS: Milliseconds = 400 * 86_400_000;
const DEFAULTS = { path: '/', httpOnly: true, sameSite: 'lax' } as const;

/** Those that a browser sent. Parsed when first asked for. */
export class SentCookies implements ReadableCookies {
  readonly #header: string | undefined;
  #parsed: Readonly<Record<string, string | undefined>> | undefined;

  constructor(header: string | undefined) {
    this.#header = header;
  }

  get(name: string): string | undefined {
    if (this.#header === undefined) return undefined;
    this.#parsed ??= parseCookie(this.#header);
    return this.#parsed[name];
  }

  /**
   * The value of a cookie of which there must be one: none where two have the name. Another site of the same domain can
   * add a cookie beside ours, and which of the two counts is not for it to say.
   */
  only(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined || this.#header === undefined) return undefined;
    const same = this.#header.split(';').filter((pair) => pair.slice(0, pair.indexOf('=')).trim() === name);
    return same.length === 1 ? value : undefined;
  }
}

/** Those that an answer sets. */
export class SetCookies {
  readonly #isSecure: boolean;
  readonly #set = new Map<string, string>();

  constructor(isSecure: boolean) {
    this.#isSecure = isSecure;
  }

  set(name: string, value: string, { maxAgeMs, ...rest }: CookieOptions = {}): void {
    const options = { ...DEFAULTS, ...rest };
    if (maxAgeMs !== undefined && !(maxAgeMs >= 0 && maxAgeMs <= MAX_AGE_MS))
      throw new CookieError(
        `The cookie '${name}' has maxAgeMs ${maxAgeMs}; give 0 to ${MAX_AGE_MS} (400 days).`,
      );
    if (options.sameSite === 'none' && !this.#isSecure)
      throw new CookieError(
        `The cookie '${name}' is SameSite=None, which browsers take over TLS only. Is PUBLIC_ORIGIN https, or TRUSTED_PROXIES set?`,
      );
    const maxAge = maxAgeMs === undefined ? {} : { maxAge: Math.floor(maxAgeMs / 1000) };
    const text = this.#written(name, value, { ...options, ...maxAge });
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_COOKIE_BYTES)
      throw new CookieError(
        `The cookie '${name}' has ${bytes} bytes; browsers keep ${MAX_COOKIE_BYTES}. Keep what is large in the database, and its id in the cookie.`,
      );
    const { path, domain = '' } = options;
    this.#set.set(`${name}\0${domain}\0${path}`, text);
  }

  delete(name: string, options: Pick<CookieOptions, 'path' | 'domain'> = {}): void {
    this.set(name, '', { ...options, maxAgeMs: 0 });
  }

  /** Values of Set-Cookie. */
  get all(): readonly string[] {
    return [...this.#set.values()];
  }

  #written(name: string, value: string, options: Parameters<typeof stringifySetCookie>[2]): string {
    try {
      return stringifySetCookie(name, value, { ...options, secure: this.#isSecure });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CookieError(`The cookie '${name}' cannot be written: ${why}`, { cause });
    }
  }
}
