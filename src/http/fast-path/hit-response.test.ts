import { expect, test } from 'vitest';
import type { PageEntry } from '../../cache/entry.ts';
import { HitResponse, HttpDate, MAX_JOINED_BYTES } from './hit-response.ts';

const START = Date.UTC(2026, 10, 22, 13, 0, 0, 250);

function entry(size = 10, freshForMs = 12_345): PageEntry {
  return {
    status: 200,
    headers: [['content-type', 'text/html; charset=utf-8']],
    identity: Buffer.alloc(size, 'x'),
    gzip: undefined,
    brotli: undefined,
    tag: 'tag',
    keys: [],
    stamp: { epoch: 'e', seq: 0 },
    createdMs: START,
    freshUntilMs: START + freshForMs,
    staleUntilMs: START + freshForMs,
    errorUntilMs: START + freshForMs,
  };
}

function answerTo(page: PageEntry, nowMs: number): HitResponse {
  const asked = { method: 'GET', encodings: ['identity'], ifNoneMatch: undefined } as const;
  return new HitResponse(page, 'l1', asked, { date: new HttpDate(), keepAliveSeconds: 5 }, nowMs);
}

test('at every millisecond the kept bytes are those that would be made anew', () => {
  const page = entry();
  const kept = answerTo(page, START);
  for (let nowMs = START; nowMs < page.freshUntilMs; nowMs += 1 + (nowMs % 7)) {
    expect(kept.bytes(page, nowMs).equals(answerTo(page, nowMs).bytes(page, nowMs))).toBe(true);
  }
});

test('a change of the second writes over the same bytes', () => {
  const page = entry(10, 60_000);
  const kept = answerTo(page, START);
  const first = kept.bytes(page, START);
  expect(kept.bytes(page, START + 5000)).toBe(first);
  expect(first.toString()).toContain('Date: Sun, 22 Nov 2026 13:00:05 GMT');
  expect(first.toString()).toContain('cache-status: coherent; hit; ttl=55; detail=L1');
});

test('bytes that are still being sent are not written over', () => {
  const page = entry(10, 60_000);
  const kept = answerTo(page, START);
  const sending = kept.bytes(page, START);
  const text = sending.toString();
  kept.pin();
  expect(kept.bytes(page, START + 5000)).not.toBe(sending);
  expect(sending.toString()).toBe(text);
});

test('a head is the front of the same bytes, and a large body stays where it is', () => {
  const small = entry(10);
  const joined = answerTo(small, START);
  expect(joined.bodyApart).toBe(false);
  expect(joined.bytes(small, START).toString()).toBe(`${joined.head(small, START)}xxxxxxxxxx`);
  const large = entry(MAX_JOINED_BYTES + 1);
  const apart = answerTo(large, START);
  expect(apart.bodyApart).toBe(true);
  expect(apart.bytes(large, START).equals(apart.head(large, START))).toBe(true);
  expect(apart.head(large, START).toString()).toContain(`content-length: ${MAX_JOINED_BYTES + 1}`);
});

test('a wall clock that is set back is followed at once', () => {
  const page = entry(10, 60_000);
  const kept = answerTo(page, START);
  kept.bytes(page, START + 9000);
  expect(kept.head(page, START + 2000).toString()).toContain('Date: Sun, 22 Nov 2026 13:00:02 GMT');
});
