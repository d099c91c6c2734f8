// What a purge costs a worker that holds a million entries: to apply it, and to give back their memory afterwards.
import { MemoryTier } from '../src/cache/memory/memory.ts';
import { weighFragment } from '../src/cache/memory/weight.ts';
import { systemClock } from '../src/core/clock.ts';
import { PurgeClock } from '../src/invalidation/clock/clock.ts';
import { Dependencies } from '../src/invalidation/graph/dependencies.ts';
import { silent } from './silent.ts';
import type { Table } from './table.ts';

const ENTRIES = 1_000_000;
const PURGES = 1_000;

/** The memory tier of one worker, full of small fragments. */
class Holder {
  readonly clock = new PurgeClock({ epoch: 'bench' });
  readonly dependencies = new Dependencies({ clock: systemClock, logger: silent, maxRefreshes: 0 });
  readonly #memory = new MemoryTier({
    clock: systemClock,
    validity: this.clock,
    weigh: weighFragment,
    maxBytes: 2 ** 33,
    maxGroupShare: 1,
    tierObserver: this.dependencies.tierObserver('fragment'),
  });

  constructor(keysOf: (n: number) => readonly string[]) {
    const createdMs = systemClock.now();
    const untilMs = Number.POSITIVE_INFINITY;
    const times = { createdMs, freshUntilMs: untilMs, staleUntilMs: untilMs, errorUntilMs: untilMs };
    const stamp = this.clock.stamp();
    for (let n = 0; n < ENTRIES; n++) {
      this.#memory.set(`/users/${n}`, { ...times, stamp, keys: keysOf(n), html: `<p>${n}</p>` }, 'users');
    }
    this.dependencies.attach('fragment', {
      refresh: () => false,
      dropPurged: (id) => this.#memory.dropPurged(id),
    });
  }

  get size(): number {
    return this.#memory.stats().entries;
  }

  /** Milliseconds until it is applied: from here on nothing made from the key is served. */
  purge(key: string): number {
    const { clock, dependencies } = this;
    const startedAt = performance.now();
    const seq = clock.seq + 1;
    clock.apply(seq, [key], 'purge');
    dependencies.purge({ epoch: 'bench', seq, kind: 'purge', keys: [key] });
    return performance.now() - startedAt;
  }

  /** Resolves when nothing is left to sweep. */
  async swept() {
    for (;;) {
      const { sweeps } = this.dependencies.stats();
      if (sweeps.waiting === 0) return sweeps;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

export async function purge(): Promise<Table[]> {
  const single = new Holder((n) => [`users#${n}`, 'users.name']);
  const times = Array.from({ length: PURGES }, (_, n) => single.purge(`users#${n * 7}`)).sort(
    (a, b) => a - b,
  );
  const after = await single.swept();
  const startedAt = performance.now();
  const appliedMs = single.purge('users.name');
  const { slices, longestMs, dropped } = await single.swept();
  const sweptMs = performance.now() - startedAt;
  if (single.size > 0) throw new Error(`${single.size} entries are left`);
  const ms = (value: number) => (value < 1 ? value.toFixed(3) : value.toFixed(1));
  const { slots } = single.clock;
  return [
    {
      title: 'A purge and a million entries',
      notes: [
        `One worker that holds ${ENTRIES.toLocaleString('en')} entries of two keys each. Applied: nothing made before is served from then on. Swept: they have given back`,
        `their memory, in slices between which requests have their turn. The purge clock takes ${(2 * slots * 4) / 2 ** 20} MiB, however many keys or entries there are.`,
      ],
      columns: [
        'purge',
        'applied p50 ms',
        'p99',
        'most',
        'entries dropped',
        'swept within ms',
        'slices',
        'longest ms',
      ],
      rows: [
        [
          'of one entry',
          ...[0.5, 0.99, 1].map((share) => ms(times[Math.min(PURGES - 1, Math.floor(share * PURGES))] ?? 0)),
          String(after.dropped),
          '',
          String(after.slices),
          ms(after.longestMs),
        ],
        [
          'of a key of all',
          ms(appliedMs),
          '',
          ms(appliedMs),
          String(dropped - after.dropped),
          ms(sweptMs),
          String(slices - after.slices),
          ms(longestMs),
        ],
      ],
    },
  ];
}
