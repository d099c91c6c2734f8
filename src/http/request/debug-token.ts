// What an operator may ask of a single answer, and no other client: to be rendered anew, and to be told how it was made.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Header } from '../../cache/entry.ts';
import type { Milliseconds } from '../../core/units.ts';
import { surrogateHeaders } from '../../page/render/surrogate-keys.ts';
import type { PageResponse } from '../../page/request/page-request.ts';

/** Carries DEBUG_TOKEN. The fast path steps aside for every header that begins like this. */
const TOKEN_HEADER = 'x-coherent-token';

export class DebugToken {
  readonly #digest: Buffer | undefined;

  /** Without a token there is no operator. */
  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digest(token);
  }

  asks(headers: IncomingHttpHeaders): boolean {
    const given = headers[TOKEN_HEADER];
    // Digests have one length, so the time says nothing of how much was right.
    return (
      this.#digest !== undefined && typeof given === 'string' && timingSafeEqual(digest(given), this.#digest)
    );
  }
}

/** `Cache-Control: no-cache`, which a visitor's reload sends too: it bypasses for an operator only. */
export function wantsAnew(headers: IncomingHttpHeaders): boolean {
  const { 'cache-control': control = '', pragma = '' } = headers;
  return (
    /(?:^|[\s,])no-(?:cache|store)(?:$|[\s,;=])/i.test(control) ||
    (control === '' && /no-cache/i.test(pragma))
  );
}

/** How this answer came about, and what it depends on. */
export function debugHeaders({ outcome, entry }: PageResponse, tookMs: Milliseconds): readonly Header[] {
  const from =
    outcome === undefined
      ? 'failure'
      : `${outcome.result}${outcome.tier === undefined ? '' : ` ${outcome.tier}`}`;
  const timing: Header = ['server-timing', `cache;desc="${from}", total;dur=${tookMs.toFixed(1)}`];
  const named = new Set(entry.headers.map(([name]) => name));
  const keys = surrogateHeaders(entry.keys) ?? [
    ['surrogate-key', `${entry.keys.length} keys, too many to name`] as const,
  ];
  return [timing, ...keys.filter(([name]) => !named.has(name))];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
