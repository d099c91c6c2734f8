// The content security policy of a page. Cached HTML cannot carry a nonce (a nonce that many see is none), so
// inline scripts are allowed by the hash of their text: the body stays the same bytes for everybody. Vouched for is what the
// page rendered as an element, `{ script: { html: trusted(code) } }`, and never what is found in the finished HTML: that may
// have come with a row, inside of other HTML that a page trusts.
import { createHash } from 'node:crypto';
import { ApplicationError } from '../errors.ts';

export type Directives = Readonly<Record<string, readonly string[]>>;

const OURS: Directives = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  // Style attributes are part of the element syntax; they cannot run anything.
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

/** Writes the header for each body; `extra` is what the application's settings add, by directive. */
export class ContentSecurity {
  readonly #directives: Map<string, readonly string[]>;
  /** The policy of a body without inline scripts. */
  readonly plain: string;

  constructor(extra: Directives = {}) {
    this.#directives = new Map(Object.entries(OURS));
    for (const [name, sources] of Object.entries(extra)) {
      const wrong = [name, ...sources].find((part) => !/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/.test(part));
      if (wrong !== undefined) {
        throw new ApplicationError(
          `app: contentSecurityPolicy holds '${wrong}'. One source is one word without ; or ,`,
        );
      }
      const base = (this.#directives.get(name) ?? ["'self'"]).filter((source) => source !== "'none'");
      this.#directives.set(name, [...base, ...sources]);
    }
    this.plain = this.#write([]);
  }

  /** `scripts`: of `scriptHash`. */
  policyFor(scripts: ReadonlySet<string>): string {
    return scripts.size === 0 ? this.plain : this.#write([...scripts]);
  }

  #write(scriptHashes: readonly string[]): string {
    return [...this.#directives]
      .map(([name, sources]) => [name, ...sources, ...(name === 'script-src' ? scriptHashes : [])].join(' '))
      .join('; ');
  }
}

/** The source by which a policy allows an inline script. `text` is its inside, as the renderer wrote it. */
export function scriptHash(text: Buffer): string {
  // Browsers read a line's end as one character, whatever it was, before they hash.
  const read = text.includes(CARRIAGE_RETURN)
    ? Buffer.from(text.toString('utf8').replace(/\r\n?/g, '\n'))
    : text;
  return `'sha256-${createHash('sha256').update(read).digest('base64')}'`;
}

const CARRIAGE_RETURN = 13;
