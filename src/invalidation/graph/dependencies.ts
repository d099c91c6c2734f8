// All that one worker knows of dependencies: the declared edges, which entries it holds were made from which keys, and
// who wants to hear of purges. It works on top of the purge clock: were it wrong, pages would still be right.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { withRowsThemselves } from '../../core/row-keys.ts';
import type { Bytes, DependencyKey } from '../../core/units.ts';
import type { BusListener, Published, Purge } from '../bus/bus.ts';
import type { PurgeKind } from '../clock/clock-state.ts';
import { type EntryId, EntryIndex } from './entry-index.ts';
import { DependencyGraph } from './graph.ts';
import { looksLike } from './pattern.ts';
import { Sweep, type SweepStats, type Swept } from './sweep.ts';

export type EntryKind = 'page' | 'fragment';
const KINDS: readonly EntryKind[] = ['page', 'fragment'];

/** Told by a cache's memory of what it holds. */
export interface TierObserver {
  entered(id: EntryId, keys: readonly DependencyKey[]): void;
  left(id: EntryId, keys: readonly DependencyKey[]): void;
  weigh(keys: number): Bytes;
}

/** The cache of one kind of entry, as the sweep needs it. */
export interface SweptCache {
  /** Drops the entry from memory if a purge has made it invalid. */
  dropPurged(id: EntryId): Swept | undefined;
  /** Makes the entry again in the background. False: it is unknown how, or its page does not want it. */
  refresh(id: EntryId): boolean;
}

/** `everything`: purges came that cannot be named any more (a new epoch, a long silence). */
export interface WatchedPurge {
  readonly kind: PurgeKind | 'everything';
  readonly keys: readonly DependencyKey[];
  readonly epoch: string;
  readonly seq: number;
}

export interface ExplainedKey {
  readonly key: DependencyKey;
  /** With it these are purged: the declared edges. */
  readonly purges: readonly DependencyKey[];
  readonly pages: readonly EntryId[];
  readonly fragments: readonly EntryId[];
  /** How many there are in all; the lists above end at EXPLAIN_LIMIT. */
  readonly counts: Readonly<Record<EntryKind, number>>;
}

export interface DependenciesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Entries of one sweep that are made again at most. 0: none. */
  readonly maxRefreshes: number;
  /** Reads since it was made from which an entry counts as hot. */
  readonly minReads?: number;
}

export const EXPLAIN_LIMIT = 200;

/** What an index takes, as measured over 100,000 entries of 1, 4 and 16 keys. */
const ENTRY_BYTES = 24;
const EDGE_BYTES = 40;

interface Watcher {
  readonly pattern: string;
  readonly callback: (purge: WatchedPurge) => void;
}

interface Held {
  readonly index: EntryIndex;
  readonly sweep: Sweep;
}

export class Dependencies implements BusListener {
  readonly graph = new DependencyGraph();
  readonly #options: DependenciesOptions;
  readonly #kinds: Readonly<Record<EntryKind, Held>>;
  readonly #caches = new Map<EntryKind, SweptCache>();
  readonly #watchers = new Set<Watcher>();
  /** Where the purge stream was when we last heard. */
  #heard: Published | undefined;

  constructor(options: DependenciesOptions) {
    this.#options = options;
    this.#kinds = { page: this.#held('page'), fragment: this.#held('fragment') };
  }

  /** Where the memory of one kind of entry reports what it holds. */
  tierObserver(kind: EntryKind): TierObserver {
    const { index } = this.#kinds[kind];
    return {
      entered: (id, keys) => index.enter(id, keys),
      left: (id, keys) => index.leave(id, keys),
      weigh: (keys) => ENTRY_BYTES + keys * EDGE_BYTES,
    };
  }

  /** From here on purges sweep this cache. */
  attach(kind: EntryKind, cache: SweptCache): void {
    this.#caches.set(kind, cache);
  }

  /** A purge of `dependsOn` purges `key`, too. Errors: `E_TOO_MANY_EDGES`. */
  addDependency(key: DependencyKey, dependsOn: DependencyKey): void {
    this.graph.addDependency(key, dependsOn);
  }

  /** What a purge of these keys has to name. */
  closed(keys: Iterable<DependencyKey>): DependencyKey[] {
    return this.graph.dependents(keys);
  }

  /**
   * Calls back for every purge of a key that looks like `pattern` (`*`: any characters), once this worker has applied it,
   * with those keys. The answer stops it.
   */
  watch(pattern: string, callback: (purge: WatchedPurge) => void): () => void {
    const watcher = { pattern, callback };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** The keys that entries held here were made from and that look like `pattern`, and the declared ones. */
  keysLike(pattern: string): DependencyKey[] {
    const found = new Set<DependencyKey>();
    for (const { index } of this.#all) {
      for (const key of index.keys()) if (looksLike(key, pattern)) found.add(key);
    }
    return [...found];
  }

  /** Entries held here that were made from one of these keys, at most `limit`. */
  madeFrom(
    keys: readonly DependencyKey[],
    limit: number,
  ): { readonly kind: EntryKind; readonly id: EntryId }[] {
    const found: { kind: EntryKind; id: EntryId }[] = [];
    for (const kind of KINDS) {
      for (const id of entriesOfAll(this.#kinds[kind].index, keys)) {
        if (found.length === limit) return found;
        found.push({ kind, id });
      }
    }
    return found;
  }

  explainKey(key: DependencyKey): ExplainedKey {
    const purges = this.closed([key]);
    const named = withRowsThemselves(purges);
    const page = this.#madeFrom('page', named);
    const fragment = this.#madeFrom('fragment', named);
    return {
      key,
      purges: purges.slice(0, EXPLAIN_LIMIT),
      pages: page.slice(0, EXPLAIN_LIMIT),
      fragments: fragment.slice(0, EXPLAIN_LIMIT),
      counts: { page: page.length, fragment: fragment.length },
    };
  }

  stats() {
    let entries = 0;
    let edges = 0;
    for (const { index } of this.#all) {
      entries += index.size;
      edges += index.edges;
    }
    return {
      entries,
      edges,
      declared: this.graph.edges,
      watchers: this.#watchers.size,
      sweeps: this.#sweeps(),
    };
  }

  /** What purges left to do, of all kinds of entries. */
  #sweeps(): SweepStats {
    const each = this.#all.map(({ sweep }) => sweep.stats());
    const sum = (name: keyof SweepStats) => each.reduce((all, stats) => all + stats[name], 0);
    return {
      dropped: sum('dropped'),
      refreshed: sum('refreshed'),
      waiting: sum('waiting'),
      slices: sum('slices'),
      longestMs: Math.max(...each.map(({ longestMs }) => longestMs)),
    };
  }

  purge({ keys, kind, epoch, seq }: Purge): void {
    this.#heard = { epoch, seq };
    if (kind === 'purge') {
      for (const { index, sweep } of this.#all) sweep.add(entriesOfAll(index, keys));
    }
    for (const { pattern, callback } of this.#watchers) {
      const seen = keys.filter((key) => looksLike(key, pattern));
      if (seen.length > 0) this.#tell(callback, { kind, keys: seen, epoch, seq });
    }
  }

  reset(epoch: string, seq: number): void {
    const before = this.#heard;
    this.#heard = { epoch, seq };
    // A newcomer to the bus has everybody reset; only then has nothing been missed.
    const missed = before !== undefined && (before.epoch !== epoch || before.seq !== seq);
    // Also within an epoch: purges may have been applied all at once, with the whole clock.
    for (const { index, sweep } of this.#all) if (index.size > 0) sweep.add(index.entries());
    if (!missed) return;
    for (const { callback } of this.#watchers)
      this.#tell(callback, { kind: 'everything', keys: [], epoch, seq });
  }

  close(): void {
    for (const { sweep } of this.#all) sweep.close();
    this.#watchers.clear();
    this.#caches.clear();
  }

  #held(kind: EntryKind): Held {
    const { clock, maxRefreshes, minReads = 2 } = this.#options;
    const sweep = new Sweep({
      clock,
      minReads,
      maxRefreshes,
      drop: (id) => this.#caches.get(kind)?.dropPurged(id),
      refresh: (hot) => {
        for (const id of hot) this.#caches.get(kind)?.refresh(id);
      },
    });
    return { index: new EntryIndex(), sweep };
  }

  get #all(): readonly Held[] {
    return [this.#kinds.page, this.#kinds.fragment];
  }

  #madeFrom(kind: EntryKind, keys: readonly DependencyKey[]): EntryId[] {
    return [...new Set(entriesOfAll(this.#kinds[kind].index, keys))];
  }

  /** A watcher that throws harms neither the others nor the purge. */
  #tell(callback: Watcher['callback'], purge: WatchedPurge): void {
    try {
      callback(purge);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a watcher of purges threw');
    }
  }
}

/** Lazily: the sweep walks it in slices. */
function* entriesOfAll(index: EntryIndex, keys: readonly DependencyKey[]): Generator<EntryId> {
  for (const key of keys) yield* index.entriesOf(key);
}
