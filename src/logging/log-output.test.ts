import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { LogOutput } from './log-output.ts';

/** A pipe of `room` bytes, which nobody empties until told. */
function pipe(room: number) {
  let free = room;
  let taken = '';
  let failure: string | undefined;
  let calls = 0;
  return {
    write: (bytes: Buffer) => {
      calls++;
      if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
      if (free === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      const count = Math.min(free, bytes.length);
      free -= count;
      taken += bytes.toString('utf8', 0, count);
      return count;
    },
    empty: (more: number) => {
      free += more;
    },
    fail: (code: string) => {
      failure = code;
    },
    lines: () => taken.split('\n').slice(0, -1),
    text: () => taken,
    calls: () => calls,
  };
}

function outputOn({ write }: ReturnType<typeof pipe>, maxWaitingBytes = 100) {
  const clock = new ManualClock();
  const droppedLine = (lines: number) => `dropped ${lines}\n`;
  return { clock, output: new LogOutput({ clock, write, droppedLine, maxWaitingBytes }) };
}

it('has written a line when the call returns', () => {
  const reader = pipe(1000);
  outputOn(reader).output.write('one\n');
  expect(reader.text()).toBe('one\n');
});

it('keeps lines in their order, whole, while the reader stops in the middle of one', () => {
  const reader = pipe(6);
  const { clock, output } = outputOn(reader);
  for (const line of ['one\n', 'two\n', 'three\n']) output.write(line);
  expect(reader.text()).toBe('one\ntw');
  reader.empty(1000);
  output.write('four\n');
  clock.advance(50);
  expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
});

it('holds no more than it may, drops what comes beyond, and says how much once it can', () => {
  const reader = pipe(0);
  const { clock, output } = outputOn(reader, 100);
  for (let at = 0; at < 50; at++) output.write(`line ${at} ......\n`);
  expect(output.stats().waitingBytes).toBeLessThanOrEqual(100);
  const { droppedLines } = output.stats();
  expect(droppedLines).toBeGreaterThan(40);
  clock.advance(1000);
  reader.empty(10_000);
  clock.advance(50);
  expect(reader.lines().at(-1)).toBe(`dropped ${droppedLines}`);
  output.write('again\n');
  expect(reader.lines().at(-1)).toBe('again');
  expect(output.stats()).toEqual({ waitingBytes: 0, droppedLines });
});

it('stops writing when the reader is gone', () => {
  const reader = pipe(1000);
  const { output } = outputOn(reader);
  reader.fail('EPIPE');
  output.write('one\n');
  output.write('two\n');
  expect(output.stats().waitingBytes).toBe(0);
  expect(reader.calls()).toBe(1);
});

it('gives what waits a last chance at the end, and then leaves', () => {
  const reader = pipe(0);
  let nowMs = 0;
  const clock = {
    ...new ManualClock(),
    monotonic: () => (nowMs += 100),
    now: () => 0,
    after: () => ({ cancel() {} }),
  };
  const output = new LogOutput({ clock, write: reader.write, droppedLine: () => '' });
  output.write('last words\n');
  output.flush();
  expect(reader.text()).toBe('');
  reader.empty(100);
  output.flush();
  expect(reader.text()).toBe('last words\n');
});
