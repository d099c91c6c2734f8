import { schemeIfHarmless } from './url.ts';

/** An address whose scheme was checked. The brand is a private field: no data can be taken for one. */
export class SafeUrl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  static is(value: unknown): value is SafeUrl {
    return value instanceof SafeUrl && #url in value;
  }

  /** As it was given. It is no HTML: as text it must be escaped like any other. */
  toString(): string {
    return this.#url;
  }
}

export interface SafeUrlOptions {
  /**
   * The schemes to admit, in the place of those that a view admits by itself (http, https, mailto, tel and others that run
   * nothing). A program is never one of them: javascript, vbscript, blob and data: that holds text are refused
   * whatever stands here.
   */
  readonly schemes?: readonly string[];
}

/**
 * An address from data, for an attribute that takes one; undefined where it has a scheme that is not admitted, is none at
 * all (`example.com:8080` has the scheme `example.com`) or is no text, so that the attribute is absent. Addresses
 * without a scheme lead to where the page is, or by `//host` elsewhere, and are admitted.
 *
 * @example { a: { href: safeUrl(row.website, { schemes: ['http', 'https'] }), text: row.website } }
 */
export function safeUrl(value: unknown, { schemes }: SafeUrlOptions = {}): SafeUrl | undefined {
  if (typeof value !== 'string') return undefined;
  return schemeIfHarmless(value, schemes) === undefined ? undefined : new SafeUrl(value);
}
