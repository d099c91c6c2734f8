import { expect, it } from 'vitest';
import { durations } from '../../../test/support/snapshots.ts';
import { type Counts, countsSince, zeroCounts } from '../counts.ts';
import { Past } from './past.ts';

const MINUTE_MS = 60_000;

function counted(requests: number, rows = requests): Counts {
  const answered = [{ route: '/', method: 'GET', status: '200', durations: durations({ 3: requests }) }];
  const top = [{ text: 'SELECT 1', calls: requests, failures: 0, slow: 0, rows, totalMs: requests }];
  const zero = zeroCounts();
  return { ...zero, http: { ...zero.http, answered }, data: { ...zero.data, top } };
}
const requestsOf = ({ http }: Counts) => http.answered[0]?.durations;

it('what was counted since then is the difference, list by list and bucket by bucket', () => {
  const since = countsSince(counted(100), counted(60));
  expect(requestsOf(since)).toEqual(durations({ 3: 40 }));
  expect(since.data.top).toMatchObject([{ text: 'SELECT 1', calls: 40 }]);
  expect(countsSince(counted(100), zeroCounts())).toEqual(counted(100));
  // A text that fell out of the list, and one that began anew.
  expect(requestsOf(countsSince(zeroCounts(), counted(60)))?.count).toBe(0);
  expect(requestsOf(countsSince(counted(10), counted(60)))?.count).toBe(0);
});

it('a window is the whole life of a young host and the last hour of an old one', () => {
  const past = new Past(0);
  for (let minute = 0; minute <= 30; minute++) past.see(counted(minute), minute * MINUTE_MS);
  const young = past.window(counted(30), 30 * MINUTE_MS);
  expect(young.spanMs).toBe(30 * MINUTE_MS);
  expect(requestsOf(young.counts)?.count).toBe(30);

  for (let minute = 31; minute <= 3000; minute++) past.see(counted(minute), minute * MINUTE_MS);
  const old = past.window(counted(3000), 3000 * MINUTE_MS);
  expect(old.spanMs).toBe(50 * MINUTE_MS);
  expect(requestsOf(old.counts)?.count).toBe(50);
});
