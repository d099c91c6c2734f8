import { beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../config/load.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ScriptedProcess } from '../../../test/support/scripted-process.ts';
import { silent } from '../../../test/support/silent.ts';
import { PROTOCOL_VERSION } from '../../host-link/messages.ts';
import { BACKOFF_MAX_MS, backoffMs } from './backoff.ts';
import { Slots } from './slots.ts';

const environment = {
  BOOT_TIMEOUT_MS: '5000',
  WARM_TIMEOUT_MS: '0',
  HEARTBEAT_TIMEOUT_MS: '3000',
  DRAIN_TIMEOUT_MS: '2000',
};
const config = loadConfig({ environment, cwd: '/nonexistent' });

let clock: ManualClock;
let forked: ScriptedProcess[];
let slots: Slots;
let states: Map<number, string>;
let deaths: number;
let random: number;

beforeEach(() => {
  clock = new ManualClock();
  forked = [];
  deaths = 0;
  random = 1;
  states = new Map();
  slots = open(1);
});

function open(count: number): Slots {
  return new Slots({
    count,
    config: () => config,
    fork: () => {
      const process = new ScriptedProcess(forked.length + 1);
      forked.push(process);
      return process;
    },
    clock,
    random: () => random,
    logger: silent,
    stateOf: (pid) => states.get(pid),
    events: {
      onServing: () => {},
      onDeath: () => (deaths += 1),
      onGone: () => {},
      onChannelMessage: () => {},
    },
  });
}

/** As the primary does every second. */
function look(): void {
  for (const worker of slots.living) worker.checkBeat();
}

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
    slots.start();
    expect(slots.snapshots()[0]).toMatchObject({ state: 'starting', pid: 1 });
    latest().boots();
    expect(latest().heard).toEqual(['welcome']);
    expect(slots.snapshots()[0]).toMatchObject({ state: 'serving', deaths: 0 });
  });

  test('refuses a worker that speaks another version', () => {
    slots.start();
    latest().says({ type: 'hello', version: PROTOCOL_VERSION + 1, pid: 1 });
    expect(latest().heard).toEqual(['SIGTERM']);
  });

  test('waits longer with every death in a row', () => {
    slots.start();
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = clock.monotonic();
      const count = forked.length;
      latest().dies();
      while (forked.length === count) clock.advance(100);
      waits.push(clock.monotonic() - before);
    }
    expect(waits).toEqual([200, 400, 800, 1600, 3200]);
    expect(slots.snapshots()[0]?.bootFailures).toBe(5);
    expect(deaths).toBe(5);
  });

  test('has no wait for the first loss in a row of a worker that served', () => {
    slots.start();
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
    slots.start();
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
    slots.start();
    latest().dies();
    clock.advance(200);
    latest().boots();
    expect(slots.snapshots()[0]?.bootFailures).toBe(0);
    latest().dies();
    expect(slots.snapshots()[0]?.bootFailures).toBe(0);
  });

  test('ends a worker that is not ready in time: SIGTERM, then SIGKILL', () => {
    slots.start();
    clock.advance(4999);
    expect(latest().heard).toEqual([]);
    clock.advance(1);
    expect(latest().heard).toEqual(['SIGTERM']);
    clock.advance(5000);
    expect(latest().heard).toEqual(['SIGTERM', 'SIGKILL']);
    latest().dies(null, 'SIGKILL');
    expect(slots.snapshots()[0]?.bootFailures).toBe(1);
  });

  test('replaces a silent worker without waiting for its end', () => {
    slots.start();
    const wedged = latest();
    wedged.boots();
    clock.advance(3000);
    look();
    expect(wedged.heard).toEqual(['welcome']);
    clock.advance(1);
    look();
    expect(wedged.heard).toEqual(['welcome', 'SIGTERM']);
    clock.advance(200);
    expect(forked).toHaveLength(2);
    latest().boots();
    expect(slots.snapshots()[0]?.state).toBe('serving');
    clock.advance(5000);
    expect(wedged.heard).toEqual(['welcome', 'SIGTERM', 'SIGKILL']);
    wedged.dies(null, 'SIGKILL');
    expect(slots.snapshots()[0]).toMatchObject({ pid: 2, state: 'serving', deaths: 1 });
  });

  test('does not blame a worker for silence while the primary itself stood still', () => {
    slots.start();
    latest().boots();
    clock.advance(60_000);
    for (const worker of slots.living) worker.pardon();
    look();
    expect(latest().heard).toEqual(['welcome']);
  });

  test('lets the last server go on after an exception until its successor serves, no faster than the backoff allows', () => {
    slots.start();
    for (let crash = 0; crash < 3; crash++) {
      const crashed = latest();
      crashed.boots();
      crashed.says({ type: 'failed', code: 'E_UNCAUGHT', message: 'boom' });
      crashed.says({ type: 'failed', code: 'E_UNCAUGHT', message: 'boom again' });
      if (crash > 0) {
        clock.advance(200 * 2 ** crash - 1);
        expect(forked).toHaveLength(crash + 1);
        clock.advance(1);
      }
      expect(forked).toHaveLength(crash + 2);
      expect(crashed.heard).toEqual(['welcome']);
      expect(slots.snapshots()[0]).toMatchObject({ pid: crashed.pid, state: 'serving', deaths: crash + 1 });
    }
    latest().boots();
    for (const crashed of forked.slice(0, 3)) expect(crashed.heard).toEqual(['welcome', 'drain']);
    for (const crashed of forked.slice(0, 3)) crashed.dies();
    expect(slots.snapshots()[0]).toMatchObject({ state: 'serving', deaths: 3 });
  });

  test('gives the visitors of a worker that had an exception to the others at once', () => {
    slots = open(2);
    slots.start();
    for (const process of forked) process.boots();
    forked[0]?.says({ type: 'failed', code: 'E_UNCAUGHT', message: 'boom' });
    expect(forked[0]?.heard).toEqual(['welcome', 'drain']);
    expect(forked).toHaveLength(3);
    // Now the other one, before that successor serves: it is the last server.
    forked[1]?.says({ type: 'failed', code: 'E_UNCAUGHT', message: 'boom' });
    expect(forked[1]?.heard).toEqual(['welcome']);
    forked[2]?.boots();
    expect(forked[1]?.heard).toEqual(['welcome', 'drain']);
  });

  test.each(['starting', 'serving', 'draining'])(
    'puts down a %s worker that a signal has stopped',
    (state) => {
      slots.start();
      const stopped = latest();
      if (state !== 'starting') stopped.boots();
      if (state === 'draining') stopped.says({ type: 'leaving' });
      states.set(stopped.pid, 'T');
      look();
      expect(stopped.heard).not.toContain('SIGKILL');
      look();
      expect(stopped.heard.at(-1)).toBe('SIGKILL');
      stopped.dies(null, 'SIGKILL');
      clock.advance(200);
      latest().boots();
      expect(slots.snapshots()[0]).toMatchObject({ pid: 2, state: 'serving', deaths: 1 });
    },
  );

  test('leaves a worker alone that is continued at once, or that somebody debugs', () => {
    slots.start();
    latest().boots();
    for (const letter of ['T', 'S', 'T']) {
      states.set(1, letter);
      look();
    }
    for (const worker of slots.living) worker.pardon();
    look();
    states.set(1, 't');
    clock.advance(60_000);
    look();
    states.set(1, 'S');
    latest().says({ type: 'beat', inspected: true });
    clock.advance(60_000);
    look();
    expect(latest().heard).toEqual(['welcome']);
    latest().says({ type: 'beat', inspected: false });
    clock.advance(3001);
    look();
    expect(forked[0]?.heard).toEqual(['welcome', 'SIGTERM']);
  });

  test('reloads by starting the new worker before it stops the old one, and says so when that takes nothing more', async () => {
    slots.start();
    const old = latest();
    old.boots();
    let outcome: unknown;
    const replaced = slots.wish().then((said) => (outcome = said));
    expect(old.heard).toEqual(['welcome']);
    latest().boots();
    expect(old.heard).toEqual(['welcome', 'drain']);
    expect(slots.isReplacing).toBe(true);
    await Promise.resolve();
    expect(outcome).toBeUndefined();
    old.says({ type: 'closed' });
    expect(await replaced).toEqual({ reached: true });
    old.says({ type: 'drained' });
    expect(old.heard).toEqual(['welcome', 'drain', 'leave']);
    old.dies(0);
    expect(slots.snapshots()[0]).toMatchObject({ pid: 2, state: 'serving', deaths: 0 });
    expect(slots.isReplacing).toBe(false);
  });

  test('keeps the old worker when the new one dies, says why, and does not try again by itself', async () => {
    slots.start();
    const old = latest();
    old.boots();
    const replaced = slots.wish();
    latest().says({ type: 'failed', code: 'E_APPLICATION', message: 'pages/index has no view' });
    const why = 'slot 0: the new worker did not become ready: E_APPLICATION: pages/index has no view';
    expect(await replaced).toEqual({ reached: false, why });
    latest().dies();
    clock.advance(60_000);
    expect(forked).toHaveLength(2);
    expect(old.heard).toEqual(['welcome']);
    expect(slots.isReplacing).toBe(false);
  });

  test('names the setting when the new worker is not ready in time', async () => {
    slots.start();
    latest().boots();
    const replaced = slots.wish();
    clock.advance(5000);
    latest().dies(0);
    expect(await replaced).toMatchObject({ reached: false, why: expect.stringContaining('BOOT_TIMEOUT_MS') });
  });

  test('tries again when the new worker was killed from outside, which says nothing about the build', async () => {
    slots.start();
    latest().boots();
    const replaced = slots.wish();
    latest().dies(null, 'SIGKILL');
    clock.advance(400);
    expect(forked).toHaveLength(3);
    latest().boots();
    forked[0]?.dies(0);
    expect(await replaced).toEqual({ reached: true });
  });

  test('tries for as long as it takes when the settings are other ones', async () => {
    slots.start();
    latest().boots();
    const replaced = slots.wish({ isRequired: true });
    for (let tries = 2; tries < 8; tries++) {
      expect(forked).toHaveLength(tries);
      latest().dies(1);
      while (forked.length === tries) clock.advance(100);
    }
    expect(await replaced).toMatchObject({ reached: false });
    latest().boots();
    expect(forked[0]?.heard.at(-1)).toBe('drain');
  });

  test('ends a candidate when a newer build is wanted meanwhile; both wishes are answered by what comes then', async () => {
    slots.start();
    latest().boots();
    const [first, candidate] = [slots.wish(), latest()];
    const second = slots.wish();
    expect(candidate.heard).toEqual(['SIGTERM']);
    expect(forked).toHaveLength(3);
    candidate.dies(0);
    latest().boots();
    forked[0]?.says({ type: 'closed' });
    expect(await Promise.all([first, second])).toEqual([{ reached: true }, { reached: true }]);
  });

  test('takes a wish while it starts: what boots serves first, and is then replaced', async () => {
    slots.start();
    const wish = slots.wish({ isRequired: true });
    const first = latest();
    expect(forked).toHaveLength(1);
    first.boots();
    expect(forked).toHaveLength(2);
    latest().boots();
    first.dies(0);
    expect(await wish).toEqual({ reached: true });
  });

  test('forks nothing before the start, whatever is wished, nor after a stop before it', async () => {
    const wish = slots.wish({ isRequired: true });
    expect(forked).toEqual([]);
    slots.start();
    latest().boots();
    expect(await wish).toEqual({ reached: true });

    slots = open(1);
    const refused = slots.wish();
    slots.freeze();
    expect(await refused).toMatchObject({ reached: false });
    await slots.close(0);
    expect(forked).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('replaces one slot after the other, in their order', () => {
    slots = open(3);
    slots.start();
    for (const process of forked) process.boots();
    void slots.wish();
    for (let next = 3; next < 6; next++) {
      expect(forked).toHaveLength(next + 1);
      forked[next]?.boots();
    }
    expect(forked.slice(3).map(({ slot }) => slot)).toEqual([0, 1, 2]);
    expect(forked).toHaveLength(6);
  });

  test('drains one slot alone, also while all are replaced', async () => {
    slots = open(2);
    slots.start();
    for (const process of forked) process.boots();
    const one = slots.wish({ slot: 1 });
    latest().boots();
    forked[1]?.dies(0);
    expect(await one).toEqual({ reached: true });
    expect(forked.map(({ slot }) => slot)).toEqual([0, 1, 1]);
    const both = [slots.wish(), slots.wish({ slot: 1 })];
    while (forked.some(({ heard }) => heard.length === 0)) latest().boots();
    for (const process of forked) if (process.heard.includes('drain')) process.dies(0);
    expect(await Promise.all(both)).toEqual([{ reached: true }, { reached: true }]);
  });

  test('refuses wishes once it stops, and answers those that wait', async () => {
    slots.start();
    latest().boots();
    const waiting = slots.wish();
    slots.freeze();
    const stops = { reached: false, why: 'the server stops' };
    expect(await Promise.all([waiting, slots.wish()])).toEqual([stops, stops]);
    latest().dies();
    forked[0]?.dies(null, 'SIGKILL');
    expect(forked).toHaveLength(3);
  });

  test('starts again after all when both die', async () => {
    slots.start();
    latest().boots();
    const replaced = slots.wish();
    forked[0]?.dies();
    expect(forked).toHaveLength(2);
    latest().dies();
    expect(await replaced).toMatchObject({ reached: false });
    clock.advance(400);
    expect(forked).toHaveLength(3);
  });

  test('kills a worker that does not drain in its time', async () => {
    slots.start();
    latest().boots();
    const closed = slots.close(2000);
    expect(latest().heard).toEqual(['welcome', 'drain']);
    clock.advance(3000);
    expect(latest().heard).toEqual(['welcome', 'drain', 'SIGKILL']);
    latest().dies(null, 'SIGKILL');
    await closed;
  });

  test('starts nothing once it is closed, and leaves no timer', async () => {
    slots.start();
    latest().dies();
    await slots.close(0);
    clock.advance(60_000);
    expect(forked).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
