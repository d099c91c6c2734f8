import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { hostSnapshot, workerSnapshot } from '../../../test/support/snapshots.ts';
import type { Frame } from '../../dashboard/data/frame.ts';
import { Frames } from '../../dashboard/data/frames.ts';
import { topLines } from './top.ts';

const SECOND = 1000;

/** Two moments, five seconds apart, of a worker that answered meanwhile. */
function someFrame(parts: Partial<Frame> = {}): Frame {
  const frames = new Frames();
  const before = hostSnapshot();
  frames.see(before);
  const after = hostSnapshot({ takenAtMs: before.takenAtMs + 5 * SECOND });
  frames.see(after);
  return { ...frames.frame(after), ...parts };
}

const plain = { columns: 120, hasColor: false };

test('shows the host, the workers, the tiers and the pages, each figure with its unit', () => {
  const lines = topLines(someFrame(), plain);
  expect(lines[0]).toBe('coherent-server 1.2.3  running  up 1h');
  expect(lines).toContain('WORKERS');
  expect(lines.find((line) => line.startsWith('#0 '))).toMatch(
    /^#0 +1001 +serving +0\/s .* 4ms +20\.0% +60MiB +180MiB +1h +0$/,
  );
  expect(lines.find((line) => line.startsWith('l2 '))).toMatch(/closed$/);
  expect(lines.find((line) => line.startsWith('/users/[id] '))).toBeDefined();
});

test('what is not known yet is a dash, not 0', () => {
  const frames = new Frames();
  const first = hostSnapshot();
  frames.see(first);
  const [, requests] = topLines(frames.frame(first), plain);
  expect(requests).toMatch(/^- requests {3}- from cache {3}p50 - {3}p99 -/);
});

test.each([40, 60, 80, 100, 140])('fits %i columns', (columns) => {
  const long = hostSnapshot({}, [workerSnapshot({ slot: 0 }), workerSnapshot({ slot: 1, pid: 4_194_303 })]);
  const frames = new Frames();
  frames.see(long);
  const frame = frames.frame(long);
  const pages = frame.pages.map((page) => ({
    ...page,
    route: `/a/very/long/route/template/that/never/ends${page.route}`,
  }));
  for (const hasColor of [false, true]) {
    for (const line of topLines({ ...frame, pages }, { columns, hasColor })) {
      expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
    }
  }
});

test('is as high as it may be', () => {
  expect(topLines(someFrame(), { ...plain, rows: 6 })).toHaveLength(6);
});

test('a worker that keeps silent is told apart', () => {
  const [first, ...others] = someFrame().workers;
  if (first === undefined) throw new Error('no worker');
  const lines = topLines(someFrame({ workers: [{ ...first, answers: false }, ...others] }), plain);
  expect(lines.find((line) => line.startsWith('#0 '))).toContain('silent');
});

test('alerts stand above the tables, and nothing in a name steers the terminal', () => {
  const alert = { severity: 'critical', title: 'memory', text: 'memory\u001b[2J is high', sinceMs: null };
  const [page, ...others] = someFrame().pages;
  if (page === undefined) throw new Error('no page');
  const frame = someFrame({
    alerts: [alert],
    pages: [{ ...page, route: '/\u001b]0;owned\u0007' }, ...others],
  });
  const text = topLines(frame, plain).join('\n');
  expect(text).toContain('! critical: memory?[2J is high');
  expect(text).not.toContain('\u001b');
  expect(text).not.toContain('\u0007');
});
