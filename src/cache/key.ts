import { createHash } from 'node:crypto';
import { canonical } from './canonical.ts';
import type { CacheKey } from './contract.ts';

/**
 * Raise it with every change of an entry's layout: while servers of both kinds run side by side neither meets, and so
 * removes, what the other wrote. 1 had no holes.
 */
const KEY_SCHEMA = 2;

/** A longer key is replaced by its SHA-256: 256 bits, so two keys do not meet in practice. */
const LONGEST_PLAIN = 256;

export interface PageKeyParts {
  /** Names the build of the application: pages of another build are other pages. */
  readonly build: string;
  /** The route template, `/users/[id]`. */
  readonly page: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The declared query parameters only, parsed. */
  readonly query: Readonly<Record<string, unknown>>;
  /** The declared request headers, lower-case, and whatever else the page may see (the host, say). */
  readonly variants: Readonly<Record<string, string>>;
  /** The values chosen of the application's variants. Absent: the page comes in none. */
  readonly chosen?: Readonly<Record<string, string>> | undefined;
  /** Where the page is another one for each host. */
  readonly host?: { readonly name: string; readonly value: string } | undefined;
}

export interface FragmentKeyParts {
  readonly build: string;
  readonly name: string;
  /** What the fragment's `key` function answered for its props. */
  readonly key: unknown;
}

/** Injective: differs whenever anything differs that the page can see. Errors: `E_KEY_VALUE`. */
export function pageKey({ build, page, params, query, variants, chosen, host }: PageKeyParts): CacheKey {
  const given = `${canonical(params, 'params')}${canonical(query, 'query')}${canonical(variants, 'variants')}`;
  const tail =
    chosen === undefined && host === undefined ? given : `${given}${canonical({ chosen, host }, 'visitor')}`;
  return shortened(`p${KEY_SCHEMA}${JSON.stringify(build)}${JSON.stringify(page)}${tail}`);
}

/** Injective, and never a page's key. Errors: `E_KEY_VALUE`. */
export function fragmentKey({ build, name, key }: FragmentKeyParts): CacheKey {
  return shortened(`f${KEY_SCHEMA}${JSON.stringify(build)}${JSON.stringify(name)}${canonical(key, 'key')}`);
}

/** Keys begin with p or f; a shortened one with #, so it meets no plain one. */
function shortened(key: string): CacheKey {
  if (key.length <= LONGEST_PLAIN) return key;
  return `#${createHash('sha256').update(key).digest('base64url')}`;
}
