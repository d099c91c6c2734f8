import { expect, it } from 'vitest';
import { LogLines } from '../../../test/support/log-lines.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { AccessLog, type AccessLogMode, pathForLog } from './access-log.ts';

function accessLog(mode: AccessLogMode, share = 0.01, random = Math.random) {
  const log = new LogLines();
  const clock = new ManualClock();
  return { log, clock, access: new AccessLog({ mode, share, random, log, clock }) };
}

const failed = { 'http.request.method': 'GET', 'url.path': '/', 'http.response.status_code': 503 };

it('draws distances that come to the share that was asked for', () => {
  for (const share of [0.5, 0.1, 0.01, 0.001]) {
    let state = 1;
    // A generator of 31 bits (Park and Miller), so that every run draws the same.
    const random = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    const { access } = accessLog('sampled', share, random);
    let answers = 0;
    for (let line = 0; line < 20_000; line++) {
      const gap = access.gap();
      if (!Number.isInteger(gap) || gap < 1) throw new Error(`a gap of ${gap}`);
      answers += gap;
    }
    expect((20_000 / answers / share - 1) ** 2).toBeLessThan(0.02 ** 2);
  }
});

it('draws 1 for every answer and -1 for none, and stays an integer at the ends', () => {
  expect(accessLog('all', 0).access.gap()).toBe(1);
  expect(accessLog('sampled', 1).access.gap()).toBe(1);
  for (const mode of ['off', 'errors'] as const) expect(accessLog(mode, 1).access.gap()).toBe(-1);
  expect(accessLog('sampled', 0).access.gap()).toBe(-1);
  expect(accessLog('sampled', 1e-9, () => 1 - 2 ** -53).access.gap()).toBeLessThanOrEqual(2 ** 30 + 1);
});

it('writes a hundred failures a second at most, and says how many it has left out', () => {
  const { access, log, clock } = accessLog('errors');
  for (let at = 0; at < 5000; at++) access.write(failed);
  expect(log.lines).toHaveLength(100);
  clock.advance(1000);
  access.write(failed);
  access.write(failed);
  expect(log.lines.slice(100).map(({ fields }) => fields.leftOut)).toEqual([4900, undefined]);
});

it.each([
  ['/a/b?token=x', '/a/b'],
  ['/a#x', '/a'],
  ['?x', ''],
  ['/"\n<b>', '/"\n<b>'],
])('of %s it writes %s', (target, path) => {
  expect(pathForLog(target)).toBe(path);
});

it('cuts a path without end', () => {
  expect(pathForLog('/a'.repeat(10_000))).toHaveLength(500);
});
