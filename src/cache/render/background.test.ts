import { describe, expect, it } from 'vitest';
import { deferred, settled } from '../../../test/support/cache.ts';
import { Background } from './background.ts';

describe('background work', () => {
  it('runs so much at a time, queues so much, and drops the rest', async () => {
    const background = new Background({ maxRunning: 2, maxQueued: 3 });
    const gate = deferred();
    const added = Array.from({ length: 8 }, (_, index) => background.add(`k${index}`, () => gate.promise));
    expect(added).toEqual([true, true, true, true, true, false, false, false]);
    expect(background.stats()).toMatchObject({ running: 2, queued: 3, dropped: 3 });
    gate.resolve();
    await background.idle();
    expect(background.stats()).toMatchObject({ running: 0, queued: 0, done: 5 });
  });

  it('takes a key once, whether it runs or waits', async () => {
    const background = new Background({ maxRunning: 1, maxQueued: 9 });
    const gate = deferred();
    expect(background.add('a', () => gate.promise)).toBe(true);
    expect(background.add('a', () => gate.promise)).toBe(false);
    expect(background.add('b', () => gate.promise)).toBe(true);
    expect(background.add('b', () => gate.promise)).toBe(false);
    gate.resolve();
    await background.idle();
    expect(background.add('a', async () => {})).toBe(true);
  });

  it('holds back while people wait, and goes on when they do not', async () => {
    let busy = true;
    const background = new Background({ maxRunning: 1, maxQueued: 9, busy: () => busy });
    let ran = false;
    background.add('k', async () => {
      ran = true;
    });
    await settled();
    expect(ran).toBe(false);
    busy = false;
    background.pump();
    await background.idle();
    expect(ran).toBe(true);
  });

  it('survives work that fails', async () => {
    const background = new Background({ maxRunning: 1, maxQueued: 9 });
    background.add('a', async () => Promise.reject(new Error('no')));
    background.add('b', async () => {});
    await background.idle();
    expect(background.stats()).toMatchObject({ done: 1, failed: 1 });
  });

  it('closed, begins nothing more', async () => {
    const background = new Background({ maxRunning: 1, maxQueued: 9 });
    background.close();
    expect(background.add('a', async () => {})).toBe(false);
  });
});
