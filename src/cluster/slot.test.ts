import { beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { silent } from '../../test/support/silent.ts';
import { BACKOFF_MAX_MS, backoffMs } from './backoff.ts';
import { type FromPrimary, PROTOCOL_VERSION } from './messages.ts';
import { Slot } from './slot.ts';
import type { Forked } from './worker-process.ts';

const environment = {
  BOOT_TIMEOUT_MS: '5000',
  WARM_TIMEOUT_MS: '0',
  HEARTBEAT_TIMEOUT_MS: '3000',
  DRAIN_TIMEOUT_MS: '2000',
};
const config = loadConfig({ environment, cwd: '/nonexistent' });

/** A process as the slot sees it. What the test says, it does; real processes are in test/cluster. */
class ScriptedProcess implements Forked {
  readonly pid: number;
  readonly heard: (FromPrimary['type'] | 'SIGTERM' | 'SIGKILL')[] = [];
  #onMessage: (raw: unknown) => void = () => {};
  #onExit: (code: number | null, signal: string | null) => void = () => {};

  constructor(pid: number) {
    this.pid = pid;
  }

  send(message: FromPrimary): void {
    this.heard.push(message.type);
  }
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.heard.push(signal);
  }
  onMessage(handler: (raw: unknown) => void): void {
    this.#onMessage = handler;
  }
  onExit(handler: (code: number | null, signal: string | null) => void): void {
    this.#onExit = handler;
  }

  says(message: unknown): void {
    this.#onMessage(message);
  }
  boots(): void {
    this.says({ type: 'hello', version: PROTOCOL_VERSION, pid: this.pid });
    this.says({ type: 'ready', notes: [] });
  }
  dies(code: number | null = 1, signal: string | null = null): void {
    this.#onExit(code, signal);
  }
}

let clock: ManualClock;
let forked: ScriptedProcess[];
let slot: Slot;
let deaths: number;
let random: number;

beforeEach(() => {
  clock = new ManualClock();
  forked = [];
  deaths = 0;
  random = 1;
  slot = new Slot({
    index: 0,
    config: () => config,
    fork: () => {
      const process = new ScriptedProcess(forked.length + 1);
      forked.push(process);
      return process;
    },
    clock,
    random: () => random,
    logger: silent,
    events: { onServing: () => {}, onDeath: () => (deaths += 1), onGone: () => {}, onRoomMessage: () => {} },
  });
});

function latest(): ScriptedProcess {
  const process = forked.at(-1);
  if (process === undefined) throw new Error('nothing was forked');
  return process;
}

describe('backoff', () => {
  test('doubles from 200 ms to 30 s, and is any part of that', () => {
    const ceilings = Array.from({ length: 10 }, (_, failures) => backoffMs(failures, () => 1));
    expect(ceilings).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(backoffMs(5000, () => 1)).toBe(BACKOFF_MAX_MS);
    expect(backoffMs(3, () => 0.25)).toBe(400);
    expect(backoffMs(3, () => 0)).toBe(0);
  });
});

describe('a slot', () => {
  test('welcomes a worker of this build and serves once it says ready', () => {
    slot.start();
    expect(slot.snapshot()).toMatchObject({ state: 'starting', pid: 1 });
    latest().boots();
    expect(latest().heard).toEqual(['welcome']);
    expect(slot.snapshot()).toMatchObject({ state: 'serving', deaths: 0 });
  });

  test('refuses a worker that speaks another version', () => {
    slot.start();
    latest().says({ type: 'hello', version: PROTOCOL_VERSION + 1, pid: 1 });
    expect(latest().heard).toEqual(['SIGTERM']);
  });

  test('waits longer with every death in a row', () => {
    slot.start();
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = clock.monotonic();
      const count = forked.length;
      latest().dies();
      while (forked.length === count) clock.advance(100);
      waits.push(clock.monotonic() - before);
    }
    expect(waits).toEqual([200, 400, 800, 1600, 3200]);
    expect(slot.bootFailures).toBe(5);
    expect(deaths).toBe(5);
  });

  test('has no wait for the first loss in a row of a worker that served', () => {
    slot.start();
    latest().boots();
    latest().dies(null, 'SIGKILL');
    expect(forked).toHaveLength(2);
    latest().boots();
    latest().dies(null, 'SIGKILL');
    clock.advance(399);
    expect(forked).toHaveLength(2);
    clock.advance(1);
    expect(forked).toHaveLength(3);
  });

  test('forgets the past once a worker has served for a minute, and not before', () => {
    const serve = (ms: number) => {
      latest().boots();
      for (let second = 0; second < ms; second += 1000) {
        clock.advance(1000);
        latest().says({ type: 'beat' });
      }
      latest().dies(null, 'SIGKILL');
    };
    slot.start();
    serve(60_000);
    expect(forked).toHaveLength(2);
    serve(59_000);
    expect(forked).toHaveLength(2);
    clock.advance(400);
    expect(forked).toHaveLength(3);
    serve(60_000);
    expect(forked).toHaveLength(4);
  });

  test('counts failed boots in a row only', () => {
    slot.start();
    latest().dies();
    clock.advance(200);
    latest().boots();
    expect(slot.bootFailures).toBe(0);
    latest().dies();
    expect(slot.bootFailures).toBe(0);
  });

  test('ends a worker that is not ready in time: SIGTERM, then SIGKILL', () => {
    slot.start();
    clock.advance(4999);
    expect(latest().heard).toEqual([]);
    clock.advance(1);
    expect(latest().heard).toEqual(['SIGTERM']);
    clock.advance(5000);
    expect(latest().heard).toEqual(['SIGTERM', 'SIGKILL']);
    latest().dies(null, 'SIGKILL');
    expect(slot.bootFailures).toBe(1);
  });

  test('replaces a silent worker without waiting for its end', () => {
    slot.start();
    const wedged = latest();
    wedged.boots();
    clock.advance(3000);
    slot.current?.checkBeat();
    expect(wedged.heard).toEqual(['welcome']);
    clock.advance(1);
    slot.current?.checkBeat();
    expect(wedged.heard).toEqual(['welcome', 'SIGTERM']);
    clock.advance(200);
    expect(forked).toHaveLength(2);
    latest().boots();
    expect(slot.serving).toBe(true);
    clock.advance(5000);
    expect(wedged.heard).toEqual(['welcome', 'SIGTERM', 'SIGKILL']);
    wedged.dies(null, 'SIGKILL');
    expect(slot.snapshot()).toMatchObject({ pid: 2, state: 'serving', deaths: 1 });
  });

  test('does not blame a worker for silence while the primary itself stood still', () => {
    slot.start();
    latest().boots();
    clock.advance(60_000);
    slot.current?.pardon();
    slot.current?.checkBeat();
    expect(latest().heard).toEqual(['welcome']);
  });

  test('replaces a crashed worker while that still drains, and no faster than the backoff allows', () => {
    slot.start();
    for (let crash = 0; crash < 3; crash++) {
      const crashed = latest();
      crashed.boots();
      crashed.says({ type: 'failed', code: 'E_UNCAUGHT', message: 'boom' });
      if (crash > 0) {
        clock.advance(200 * 2 ** crash - 1);
        expect(forked).toHaveLength(crash + 1);
        clock.advance(1);
      }
      expect(forked).toHaveLength(crash + 2);
    }
    for (const process of forked.slice(0, 3)) process.dies();
    expect(deaths).toBe(3);
  });

  test('reloads by starting the new worker before it stops the old one', async () => {
    slot.start();
    const old = latest();
    old.boots();
    const replaced = slot.replace();
    expect(old.heard).toEqual(['welcome']);
    latest().boots();
    expect(await replaced).toBe(true);
    expect(old.heard).toEqual(['welcome', 'drain']);
    old.says({ type: 'drained' });
    expect(old.heard).toEqual(['welcome', 'drain', 'leave']);
    old.dies(0);
    expect(slot.snapshot()).toMatchObject({ pid: 2, state: 'serving', deaths: 0 });
  });

  test('keeps the old worker when the new one dies, and does not try again by itself', async () => {
    slot.start();
    const old = latest();
    old.boots();
    const replaced = slot.replace();
    latest().dies();
    expect(await replaced).toBe(false);
    clock.advance(60_000);
    expect(forked).toHaveLength(2);
    expect(old.heard).toEqual(['welcome']);
  });

  test('starts again after all when both die', async () => {
    slot.start();
    latest().boots();
    const replaced = slot.replace();
    forked[0]?.dies();
    latest().dies();
    expect(await replaced).toBe(false);
    clock.advance(400);
    expect(forked).toHaveLength(3);
  });

  test('kills a worker that does not drain in its time', async () => {
    slot.start();
    latest().boots();
    const closed = slot.close(2000);
    expect(latest().heard).toEqual(['welcome', 'drain']);
    clock.advance(3000);
    expect(latest().heard).toEqual(['welcome', 'drain', 'SIGKILL']);
    latest().dies(null, 'SIGKILL');
    await closed;
  });

  test('starts nothing once it is closed, and leaves no timer', async () => {
    slot.start();
    latest().dies();
    await slot.close(0);
    clock.advance(60_000);
    expect(forked).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
