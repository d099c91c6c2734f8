// Variants at work: from what a request brings to the values that enter the key. What was chosen is remembered by how it was
// asked for, so that a page in several languages costs a look-up more than one in a single language.
import { parseCookie } from 'cookie';
import { inEmptyContext } from '../../core/empty-context.ts';
import type { Logger } from '../../core/log.ts';
import { RecentMap } from '../../core/recent-map.ts';
import { untraced } from '../../core/trace.ts';
import { ApplicationError } from '../errors.ts';
import { type AnyVariantDefinition, isVariant, type Variant } from './variant.ts';

/** A header of the request by its lower-case name; undefined: not sent. */
export type HeaderOf = (name: string) => string | undefined;

/** What was chosen for a request, by variant. The same combination is the same object. */
export type Chosen = Readonly<Record<string, string>>;

export const NOTHING_CHOSEN: Chosen = Object.freeze({});

/** How many spellings of what a variant reads are remembered. Browsers send a few hundred. */
const MAX_SPELLINGS = 1024;
/** A longer header or cookie reads as if it had not been sent. */
const MAX_LENGTH = 256;

/** Those that one page declares. Made once, when the application is put together. */
export class PageVariants {
  /** Request headers that take part, lower case, sorted; `cookie` where a cookie does. What `Vary` names. */
  readonly headers: readonly string[];
  readonly readsCookies: boolean;
  readonly #chooser: VariantChooser;
  readonly #names: readonly string[];
  /** Few: the product of how many values there are of each. */
  readonly #combinations = new Map<string, Chosen>();

  constructor(names: readonly string[], chooser: VariantChooser) {
    this.#names = [...names].sort();
    this.#chooser = chooser;
    const read = this.#names.flatMap((name) => chooser.headersOf(name));
    this.headers = Object.freeze([...new Set(read)].sort());
    this.readsCookies = this.headers.includes('cookie');
  }

  choose(header: HeaderOf): Chosen {
    const text = this.textOf(header);
    return this.#combinations.get(text) ?? this.#combine(text);
  }

  /** Tells two combinations apart. */
  textOf(header: HeaderOf): string {
    let text = '';
    for (const name of this.#names) text += `${this.#chooser.choose(name, header)}\0`;
    return text;
  }

  /** The same for what `choose` has answered. */
  textOfChosen(chosen: Chosen): string {
    return this.#names.map((name) => `${chosen[name] ?? ''}\0`).join('');
  }

  #combine(text: string): Chosen {
    const values = text.split('\0');
    const chosen = Object.freeze(Object.fromEntries(this.#names.map((name, at) => [name, values[at] ?? ''])));
    this.#combinations.set(text, chosen);
    return chosen;
  }
}

/** All variants of an application. */
export class VariantChooser {
  readonly #variants = new Map<string, CompiledVariant>();
  /** Told of what `choose` should not have answered. Set once there is a log. */
  log: Pick<Logger, 'warn'> | undefined;

  /** Errors: `E_APPLICATION`. */
  constructor(declared: Readonly<Record<string, Variant>> = {}) {
    for (const [name, given] of Object.entries(declared)) {
      if (!isVariant(given))
        throw new ApplicationError(
          `app: variants.${name} must be made by variant(), imported from coherent-render-server.`,
        );
      this.#variants.set(name, new CompiledVariant(name, given.definition, (why) => this.#tell(why)));
    }
  }

  /** The request headers that any of them reads, lower case. */
  get headers(): readonly string[] {
    return [...new Set([...this.#variants.values()].flatMap(({ headers }) => headers))];
  }

  has(name: string): boolean {
    return this.#variants.has(name);
  }

  get names(): readonly string[] {
    return [...this.#variants.keys()];
  }

  headersOf(name: string): readonly string[] {
    return this.#variants.get(name)?.headers ?? [];
  }

  choose(name: string, header: HeaderOf): string {
    return this.#variants.get(name)?.choose(header) ?? '';
  }

  #tell({ name, problem, error }: Misfit): void {
    const fields = { variant: name, ...(error !== undefined && { err: error }) };
    this.log?.warn(fields, `a variant ${problem}; its first value is taken`);
  }
}

interface Misfit {
  readonly name: string;
  /** Says nothing of what the visitor sent. */
  readonly problem: string;
  readonly error?: unknown;
}

class CompiledVariant {
  readonly headers: readonly string[];
  readonly #name: string;
  readonly #definition: AnyVariantDefinition;
  readonly #readHeaders: readonly string[];
  readonly #readCookies: readonly string[];
  readonly #known = new RecentMap<string>(MAX_SPELLINGS);
  readonly #tell: (misfit: Misfit) => void;
  #isTold = false;

  constructor(name: string, definition: AnyVariantDefinition, tell: (misfit: Misfit) => void) {
    const { headers = [], cookies = [] } = definition.reads;
    this.#name = name;
    this.#definition = definition;
    this.#tell = tell;
    this.#readHeaders = headers.map((header) => header.toLowerCase());
    this.#readCookies = cookies;
    this.headers = cookies.length === 0 ? this.#readHeaders : [...this.#readHeaders, 'cookie'];
  }

  choose(header: HeaderOf): string {
    const [only] = this.#readHeaders;
    // The usual one needs no text put together.
    if (only !== undefined && this.#readHeaders.length === 1 && this.#readCookies.length === 0) {
      const value = bounded(header(only));
      return this.#remembered(value === undefined ? '' : `=${value}`, [value], []);
    }
    const headers = this.#readHeaders.map((name) => bounded(header(name)));
    const sent = this.#readCookies.length === 0 ? undefined : header('cookie');
    const jar = sent === undefined ? {} : parseCookie(sent);
    const cookies = this.#readCookies.map((name) =>
      bounded(Object.hasOwn(jar, name) ? jar[name] : undefined),
    );
    return this.#remembered(JSON.stringify([headers, cookies]), headers, cookies);
  }

  #remembered(spelling: string, headers: readonly Sent[], cookies: readonly Sent[]): string {
    const known = this.#known.get(spelling);
    if (known !== undefined) return known;
    const chosen = this.#ask(headers, cookies);
    this.#known.set(spelling, chosen);
    return chosen;
  }

  #ask(headers: readonly Sent[], cookies: readonly Sent[]): string {
    const { values, reads, choose } = this.#definition;
    const named = (names: readonly string[] | undefined, sent: readonly Sent[]) =>
      Object.freeze(Object.fromEntries((names ?? []).map((name, at) => [name, sent[at]])));
    try {
      const sent = { headers: named(reads.headers, headers), cookies: named(reads.cookies, cookies) };
      // It is remembered for all who send this: nothing around the request may take part, or be left behind.
      const chosen = inEmptyContext(untraced, () => choose(Object.freeze(sent)));
      if (chosen !== undefined && values.includes(chosen)) return chosen;
      if (chosen !== undefined) this.#misfit('chose what is not in its values');
    } catch (error) {
      this.#misfit('failed to choose', error);
    }
    return values[0];
  }

  /** Once: a visitor can send what they like. */
  #misfit(problem: string, error?: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#tell({ name: this.#name, problem, ...(error !== undefined && { error }) });
  }
}

type Sent = string | undefined;

function bounded(value: Sent): Sent {
  return value !== undefined && value.length > MAX_LENGTH ? undefined : value;
}
