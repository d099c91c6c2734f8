import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import type { FragmentEntry } from '../entry.ts';
import { Lifetimes } from './lifetimes.ts';
import { MemoryTier } from './memory.ts';

let clock: ManualClock;
let purges: PurgeClock;
let lifetimes: Lifetimes<FragmentEntry>;
let memory: MemoryTier<FragmentEntry>;

beforeEach(() => {
  clock = new ManualClock();
  purges = new PurgeClock({ epoch: 'e1', slots: 65_536 });
  lifetimes = new Lifetimes({ clock, validity: purges, isSame: (a, b) => a.html === b.html });
  memory = new MemoryTier({
    clock,
    validity: purges,
    weigh: () => 100,
    maxBytes: 1e6,
    lifetimes,
    standInMs: 60_000,
  });
});

function entry(html: string, keys: readonly string[] = []): FragmentEntry {
  const nowMs = clock.now();
  const untilMs = { freshUntilMs: nowMs + 1000, staleUntilMs: nowMs + 1000, errorUntilMs: nowMs + 1000 };
  return { html, keys, stamp: purges.stamp(), createdMs: nowMs, ...untilMs };
}

function purge(...keys: string[]) {
  purges.apply(purges.seq + 1, keys, 'purge');
}
const of = (group: string) => lifetimes.stats().groups.find((each) => each.group === group);

describe('lifetimes', () => {
  it('tell entries whose time was over from those that a purge ended', () => {
    memory.set('a', entry('one', ['users#1', 'users#2']), '/users/[id]');
    clock.advance(1500);
    memory.get('a');
    memory.set('a', entry('one', ['users#1']), '/users/[id]');
    clock.advance(1500);
    memory.set('a', entry('two', ['users#1']), '/users/[id]');
    clock.advance(400);
    purge('users#1');
    expect(memory.dropPurged('a')).toBeDefined();
    expect(of('/users/[id]')).toEqual({
      group: '/users/[id]',
      stored: 3,
      keys: 4,
      lifetimeMs: 3000,
      ranOut: 2,
      unchanged: 1,
      purged: 1,
      purgedAgeMs: 400,
      purgedUnread: 1,
    });
  });

  it('do not count as run out what was replaced in its time', () => {
    memory.set('a', entry('one'), '/');
    clock.advance(10);
    memory.set('a', entry('two'), '/');
    expect(of('/')).toMatchObject({ stored: 2, ranOut: 0 });
  });

  it('count an entry once that is replaced by its better compressed self', () => {
    const one = entry('one');
    memory.set('a', one, '/');
    memory.set('a', { ...one }, '/');
    expect(of('/')).toMatchObject({ stored: 1 });
  });

  it('count as read what was read before its purge', () => {
    memory.set('a', entry('one', ['users#1']), '/');
    memory.fresh('a');
    purge('users#1');
    memory.get('a');
    expect(of('/')).toMatchObject({ purged: 1, purgedUnread: 0 });
  });

  it.each([
    ['users#17', 'users#'],
    ['posts.user_id=17', 'posts.user_id='],
    ['users@rows', 'users@rows'],
    ['users.created_at', 'users.created_at'],
    ['weather:berlin', 'weather:'],
  ])('name %s as a cause without its value', (key, cause) => {
    memory.set('a', entry('one', ['others#1', key]), '/');
    purge(key);
    memory.dropPurged('a');
    expect(lifetimes.stats().causes).toEqual([{ group: '/', cause, entries: 1 }]);
  });

  it('name a new epoch instead of a key that had nothing to do with it', () => {
    memory.set('a', entry('one', ['users#1']), '/');
    purges.beginEpoch('e2');
    memory.dropPurged('a');
    expect(lifetimes.stats().causes).toEqual([{ group: '/', cause: '(new epoch)', entries: 1 }]);
  });

  it('keep a bounded number of causes apart', () => {
    for (let index = 0; index < 700; index++) {
      memory.set(`k${index}`, entry('one', [`key-${index}`]), '/');
      purge(`key-${index}`);
      memory.dropPurged(`k${index}`);
    }
    const { causes } = lifetimes.stats();
    expect(causes).toHaveLength(501);
    expect(causes.find(({ cause }) => cause === '(other)')?.entries).toBe(200);
  });
});

it('the memory tier says what each group holds', () => {
  memory.set('a', entry('one'), '/');
  memory.set('b', entry('one'), '/');
  memory.set('c', entry('one'), '/users/[id]');
  expect(memory.groups()).toEqual([
    { group: '/', entries: 2, bytes: 200 },
    { group: '/users/[id]', entries: 1, bytes: 100 },
  ]);
});
