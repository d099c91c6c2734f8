import { type ByteText, bytesOf } from './byte-text.ts';

/** HTML, script, style or URL text that the application vouches for. The brand is a private field: no JSON carries it. */
export class Trusted {
  readonly #text: string;
  #bytes: ByteText | undefined;
  #holdsScript: boolean | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  static is(value: unknown): value is Trusted {
    // instanceof alone could be had by giving an object this prototype; it is here because it is quick to say no.
    return value instanceof Trusted && #text in value;
  }

  /** Kept, because what is trusted is often the same piece on every page. */
  get bytes(): ByteText {
    this.#bytes ??= bytesOf(this.#text);
    return this.#bytes;
  }

  /** Whether, written as HTML, it brings a script that has no address and is no block of data. */
  get holdsScript(): boolean {
    this.#holdsScript ??= inlineScript.test(this.#text);
    return this.#holdsScript;
  }

  toString(): string {
    return this.#text;
  }
}

const inlineScript = /<script(?=[\s/>])(?![^>]*\s(?:src\s*=|type\s*=\s*["']?[\w.+-]+\/[\w.+-]*json))/i;

/**
 * Vouches for a piece of text, which is then taken for what its place says: HTML among children, code in a
 * script element, any address in `href`. As an attribute it is still escaped, so it cannot leave its quotes.
 */
export function trusted(text: string): Trusted {
  return new Trusted(text);
}

/**
 * Data as the content of a script element: JSON in which nothing can end the element or open a comment.
 *
 * @example { script: { type: 'application/json', id: 'props', html: json(props) } }
 */
export function json(data: unknown): Trusted {
  const text = JSON.stringify(data) ?? 'null';
  return new Trusted(text.replace(/[<>&\u2028\u2029]/g, unicodeEscape));
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
