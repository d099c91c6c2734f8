// The content security policy of a page. Cached HTML cannot carry a nonce (a nonce that many see is none), so
// inline scripts are allowed by the hash of their text: the body stays the same bytes for everybody.
import { createHash } from 'node:crypto';
import { ApplicationError } from './errors.ts';

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

  policyFor(html: Buffer): string {
    if (!html.includes('<script')) return this.plain;
    const hashes = inlineScriptHashes(html.toString('utf8'));
    return hashes.length === 0 ? this.plain : this.#write(hashes);
  }

  #write(scriptHashes: readonly string[]): string {
    return [...this.#directives]
      .map(([name, sources]) => [name, ...sources, ...(name === 'script-src' ? scriptHashes : [])].join(' '))
      .join('; ');
  }
}

const OPEN = /<script((?:\s[^>]*)?)>/gi;
const DATA_BLOCK = /\stype\s*=\s*["']?(?!module|text\/javascript)[a-z]+\/[a-z+-]+/i;

/**
 * The renderer escapes `<` in every text and refuses scripts that are not trusted, so what looks like an
 * inline script here was vouched for. Scripts with a source and data blocks (JSON) need no hash.
 */
function inlineScriptHashes(html: string): readonly string[] {
  const hashes = new Set<string>();
  for (const match of html.matchAll(OPEN)) {
    const attributes = match[1] ?? '';
    if (/\ssrc\s*=/i.test(attributes) || DATA_BLOCK.test(attributes)) continue;
    const start = match.index + match[0].length;
    const end = html.indexOf('</script', start);
    if (end === -1) break;
    hashes.add(`'sha256-${createHash('sha256').update(html.slice(start, end)).digest('base64')}'`);
  }
  return [...hashes];
}
