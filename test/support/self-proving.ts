import type { PageEntry } from '../../src/cache/entry.ts';
import { systemClock } from '../../src/core/clock.ts';

export const KEYS = 50;

/** An entry whose body says how long it is and what it must consist of. */
export function selfProving(key: string, length: number): PageEntry {
  const nowMs = systemClock.now();
  return {
    status: 200,
    headers: [['x-length', String(length)]],
    identity: Buffer.alloc(length, key),
    gzip: undefined,
    brotli: undefined,
    tag: key,
    keys: [key],
    stamp: { epoch: 'e', seq: length },
    createdMs: nowMs,
    freshUntilMs: nowMs + 60_000,
    staleUntilMs: nowMs + 60_000,
    errorUntilMs: nowMs + 60_000,
  };
}

export function proves(key: string, page: PageEntry): boolean {
  const length = page.stamp.seq;
  const [[, said] = []] = page.headers;
  return page.tag === key && said === String(length) && page.identity.equals(Buffer.alloc(length, key));
}
