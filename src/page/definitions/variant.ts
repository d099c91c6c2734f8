// Variants: a few values, decided by what a visitor sends, of which each makes an entry of its own. Only the value enters the
// key, and only the value reaches the page: what the visitor sent stays outside.
import { declaring } from '../../core/declarations.ts';
import { VariantError } from '../errors.ts';

/** What a variant may read of a request. Cookies by their names, never the whole header. */
export interface VariantReads<H extends string, C extends string> {
  /** Request headers. */
  readonly headers?: readonly H[];
  readonly cookies?: readonly C[];
}

/** What was declared, as the visitor sent it; undefined: not sent, or longer than 256 characters. */
export interface VariantVisitor<H extends string, C extends string> {
  readonly headers: { readonly [name in H]: string | undefined };
  readonly cookies: { readonly [name in C]: string | undefined };
}

export interface VariantDefinition<V extends string, H extends string, C extends string> {
  /** All there are. The first stands for whatever `choose` answers beside them. */
  readonly values: readonly [V, ...V[]];
  readonly reads: VariantReads<H, C>;
  /**
   * The value for a visitor. Its answer for what was sent is remembered, so it must rest on nothing else: no time, no
   * database. One that is not in `values`, and an error, count as the first value and are told in the log.
   */
  readonly choose: (visitor: VariantVisitor<H, C>) => string | undefined;
}

const madeHere: unique symbol = Symbol('coherent.variant');

export type AnyVariantDefinition = VariantDefinition<string, string, string>;

/** A variant as the application takes it. Made by `variant()` only. */
export interface Variant {
  readonly [madeHere]: true;
  readonly definition: AnyVariantDefinition;
}

/** Headers that name a person, that this server reads itself, or that a proxy in front may not be believed about. */
const NEVER_READ = new Set([
  ...['cookie', 'authorization', 'proxy-authorization', 'accept-encoding', 'host', 'if-none-match'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'forwarded', 'connection'],
]);

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/**
 * Declares a variant, for `application({ variants: { locale } })`; pages name it in `cache.variants`. Each value makes an
 * entry of its own. One that reads cookies is kept by no cache between this server and the browser. Errors: `E_VARIANT`.
 *
 * @example
 *     const locale = variant({
 *       values: ['en', 'de', 'ar'],
 *       reads: { headers: ['accept-language'], cookies: ['locale'] },
 *       choose: ({ headers, cookies }) =>
 *         cookies.locale ?? preferredLanguage(headers['accept-language'], ['en', 'de', 'ar']),
 *     });
 */
export function variant<
  const V extends string,
  const H extends string = never,
  const C extends string = never,
>(definition: VariantDefinition<V, H, C>): Variant {
  declaring('variant()');
  declaring('variant()');
  const { values, reads, choose } = definition;
  if (!Array.isArray(values) || values.length === 0 || values.some((value) => typeof value !== 'string'))
    throw new VariantError('variant(): values must be a list of one string or more, the default first.');
  if (!values.every((value) => /^\P{Cc}*$/u.test(value)))
    throw new VariantError('variant(): a value holds a control character.');
  if (new Set(values).size !== values.length)
    throw new VariantError(`variant(): values holds one value twice: ${values.join(', ')}.`);
  if (typeof choose !== 'function')
    throw new VariantError('variant(): choose must be a function that answers one of values.');
  const { headers = [], cookies = [] } = reads ?? {};
  if (headers.length + cookies.length === 0)
    throw new VariantError("variant(): reads names nothing. Write: reads: { headers: ['accept-language'] }");
  for (const name of [...headers, ...cookies])
    if (!TOKEN.test(name)) throw new VariantError(`variant(): reads holds '${name}', which is no name.`);
  for (const name of headers) {
    const lower = name.toLowerCase();
    if (NEVER_READ.has(lower) || lower.startsWith('x-coherent-'))
      throw new VariantError(
        `variant(): reads.headers must not hold '${name}'. For a cookie name it in reads.cookies; for a tenant see the host setting.`,
      );
  }
  // `choose` is called only with what `reads` names.
  return Object.freeze({ [madeHere]: true as const, definition: definition as AnyVariantDefinition });
}

export function isVariant(value: unknown): value is Variant {
  return typeof value === 'object' && value !== null && madeHere in value;
}
