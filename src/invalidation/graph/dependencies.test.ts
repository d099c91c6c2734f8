import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { LocalBus } from '../../host-link/purges/local-bus.ts';
import { follow } from '../bus/follow.ts';
import { PurgeClock } from '../clock/clock.ts';
import { Dependencies, EXPLAIN_LIMIT, type WatchedPurge } from './dependencies.ts';

/** A memory of pages: entries with their keys and stamp, judged by a real clock. */
class Memory {
  readonly held = new Map<string, { keys: readonly string[]; reads: number; seq: number }>();
  readonly refreshed: string[] = [];
  readonly clock: PurgeClock;
  readonly dependencies: Dependencies;
  readonly #tierObserver;

  constructor(clock: PurgeClock, dependencies: Dependencies) {
    this.clock = clock;
    this.dependencies = dependencies;
    this.#tierObserver = dependencies.tierObserver('page');
    dependencies.attach('page', {
      dropPurged: (id) => {
        const entry = this.held.get(id);
        if (entry === undefined) return undefined;
        const verdict = clock.judge(clock.slotsOf(entry.keys), { epoch: clock.epoch, seq: entry.seq });
        if (verdict !== 'purged') return undefined;
        this.held.delete(id);
        this.#tierObserver.left(id, entry.keys);
        return { reads: entry.reads };
      },
      refresh: (id) => this.refreshed.push(id) > 0,
    });
  }

  put(id: string, keys: readonly string[], reads = 0): void {
    this.held.set(id, { keys, reads, seq: this.clock.seq });
    this.#tierObserver.entered(id, keys);
  }
}

let time: ManualClock;
let bus: LocalBus;
let dependencies: Dependencies;
let memory: Memory;
beforeEach(() => {
  time = new ManualClock();
  bus = new LocalBus({ newEpoch: () => 'e1', slots: 2 ** 16 });
  const clock = new PurgeClock({ epoch: 'none', slots: 2 ** 16 });
  dependencies = new Dependencies({ clock: time, logger: silent, maxRefreshes: 3 });
  bus.subscribe(dependencies);
  follow(bus, clock, () => 'own');
  memory = new Memory(clock, dependencies);
});

describe('after a purge', () => {
  it('what it made invalid leaves memory, and nothing else does', async () => {
    memory.put('/a', ['users#1']);
    memory.put('/b', ['users#2', 'users#1']);
    memory.put('/c', ['users#3']);
    await bus.publish(['users#1'], 'purge');
    time.advance(0);
    expect([...memory.held.keys()]).toEqual(['/c']);
    expect(dependencies.stats()).toMatchObject({
      entries: 1,
      edges: 1,
      sweeps: { dropped: 2, waiting: 0 },
    });
  });

  it('an entry that was made again meanwhile stays', async () => {
    memory.put('/a', ['users#1']);
    await bus.publish(['users#1'], 'purge');
    memory.put('/a', ['users#1']);
    time.advance(0);
    expect([...memory.held.keys()]).toEqual(['/a']);
  });

  it('an expire drops nothing', async () => {
    memory.put('/a', ['users#1']);
    await bus.publish(['users#1'], 'expire');
    time.advance(0);
    expect(memory.held.size).toBe(1);
  });

  it('a purge of very many entries is swept after it was applied, not by it', async () => {
    for (let index = 0; index < 1_000; index++) memory.put(`/${index}`, ['users@rows']);
    await bus.publish(['users@rows'], 'purge');
    expect(memory.held.size).toBe(1_000);
    time.advanceToNext();
    expect(memory.held.size).toBe(0);
  });

  it('the pages that were read most are made again, up to the cap, most read first', async () => {
    for (const [id, reads] of Object.entries({ '/never': 0, '/once': 1, '/x': 5, '/y': 9, '/z': 7, '/w': 2 }))
      memory.put(id, ['users#1'], reads);
    await bus.publish(['users#1'], 'purge');
    time.advance(0);
    expect(memory.refreshed).toEqual(['/y', '/z', '/x']);
  });

  it('an epoch that begins sweeps everything', async () => {
    memory.put('/a', ['users#1'], 4);
    memory.put('/b', []);
    const slots = 2 ** 16;
    // Everything was purged by 1.
    const purged = new Uint32Array(slots).fill(1);
    memory.clock.load({ epoch: 'e2', seq: 1, purged, expired: new Uint32Array(slots) });
    dependencies.reset('e2', 1);
    for (const entry of memory.held.values()) entry.seq = 0;
    time.advance(0);
    expect([...memory.held.keys()]).toEqual(['/b']);
    expect(memory.refreshed).toEqual(['/a']);
  });
});

describe('a watcher', () => {
  it('hears of the keys that look like its pattern, until it stops, and one that throws harms nobody', async () => {
    const heard: WatchedPurge[] = [];
    dependencies.watch('users#*', () => {
      throw new Error('broken');
    });
    const stop = dependencies.watch('users#*', (purge) => heard.push(purge));
    await bus.publish(['users#1', 'posts#1', 'users#2'], 'purge');
    await bus.publish(['posts#1'], 'purge');
    await bus.publish(['users#3'], 'expire');
    stop();
    await bus.publish(['users#4'], 'purge');
    expect(heard).toEqual([
      { kind: 'purge', keys: ['users#1', 'users#2'], epoch: 'e1', seq: 1 },
      { kind: 'expire', keys: ['users#3'], epoch: 'e1', seq: 3 },
    ]);
  });

  it('is told that everything is out of date when purges were missed, and not when a newcomer joins the bus', async () => {
    const heard: WatchedPurge[] = [];
    dependencies.watch('users#*', (purge) => heard.push(purge));
    await bus.publish(['posts#1'], 'purge');
    dependencies.reset('e1', 1);
    expect(heard).toEqual([]);
    dependencies.reset('e1', 5);
    dependencies.reset('e2', 0);
    expect(heard.map(({ kind, epoch, seq }) => [kind, epoch, seq])).toEqual([
      ['everything', 'e1', 5],
      ['everything', 'e2', 0],
    ]);
  });
});

describe('explain', () => {
  it('names what a purge of a key would hit, through declared edges', () => {
    memory.put('/a', ['user:1:profile']);
    dependencies.tierObserver('fragment').entered('card', ['user:1:posts']);
    dependencies.addDependency('user:1:profile', 'user:1:posts');
    expect(dependencies.explainKey('user:1:posts')).toEqual({
      key: 'user:1:posts',
      purges: ['user:1:posts', 'user:1:profile'],
      pages: ['/a'],
      fragments: ['card'],
      counts: { page: 1, fragment: 1 },
    });
    expect(dependencies.keysLike('user:*:pro*')).toEqual(['user:1:profile']);
  });

  it('counts all, and lists so many', () => {
    for (let index = 0; index < EXPLAIN_LIMIT + 5; index++) memory.put(`/${index}`, ['users@rows']);
    const { pages, counts } = dependencies.explainKey('users@rows');
    expect(pages).toHaveLength(EXPLAIN_LIMIT);
    expect(counts.page).toBe(EXPLAIN_LIMIT + 5);
  });
});
