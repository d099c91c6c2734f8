import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { MAX_HITS, MAX_OTHERS, RequestTail } from './request-tail.ts';

test('records only while somebody takes', () => {
  const clock = new ManualClock();
  const tail = new RequestTail(clock);
  expect(tail.isOpen).toBe(false);
  tail.take();
  expect(tail.isOpen).toBe(true);
  clock.advance(3000);
  tail.take();
  clock.advance(3000);
  expect(tail.isOpen).toBe(true);
  clock.advance(1000);
  expect(tail.isOpen).toBe(false);
});

test('what was recorded is told once', () => {
  const tail = new RequestTail(new ManualClock());
  tail.take();
  tail.answered('GET', '/users/1', 200, 'miss', 12);
  expect(tail.take().lines).toMatchObject([
    { method: 'GET', target: '/users/1', status: 200, cache: 'miss', ms: 12 },
  ]);
  expect(tail.take()).toEqual({ lines: [], skipped: 0 });
});

test('a flood of hits leaves room for what is no hit, and is counted', () => {
  const tail = new RequestTail(new ManualClock());
  tail.take();
  for (let n = 0; n < 1000; n++) tail.hit('GET', '/', 200, 'l1');
  for (let n = 0; n < 100; n++) tail.answered('GET', '/x', 404, 'miss', 1);
  const { lines, skipped } = tail.take();
  expect(lines.filter(({ cache }) => cache === 'hit l1')).toHaveLength(MAX_HITS);
  expect(lines.filter(({ cache }) => cache === 'miss')).toHaveLength(MAX_OTHERS);
  expect(skipped).toBe(1100 - MAX_HITS - MAX_OTHERS);
});

test('a target as long as a stranger likes takes a bounded room', () => {
  const tail = new RequestTail(new ManualClock());
  tail.take();
  tail.hit('GET', `/${'x'.repeat(10_000)}`, 200, 'l1');
  expect(tail.take().lines[0]?.target.length).toBe(300);
});
