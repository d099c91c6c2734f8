// The figures of the whole host, as one shape (monitor/snapshot.ts), from what each worker says of itself.
//
// Held true
// - An answer takes no longer than `withinMs`, whatever state workers are in. One that keeps silent is named, its counts
//   are those of its last answer, and it is not asked again before it has answered: nothing piles up on its line.
// - Counts never go back: what a process had counted when it was last heard of stays in the sum after it is gone. What
//   it counted between its last answer and a kill is lost; `everyMs` bounds that, and one that drains says a last word.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Channel, Peer } from '../../host-link/message-router.ts';
import { readStatsFromWorker } from '../../host-link/stats-messages.ts';
import { type Counts, sumCounts, zeroCounts } from '../../monitor/counts.ts';
import { FeedCounts } from '../../monitor/feed-counts.ts';
import {
  type HostFeed,
  type HostPrimary,
  type HostServices,
  type HostSnapshot,
  type HostWorker,
  readWorkerSnapshot,
  type WorkerSnapshot,
} from '../../monitor/snapshot.ts';
import type { SlotSnapshot } from '../slots/slots.ts';

const WITHIN_MS: Milliseconds = 300;
const EVERY_MS: Milliseconds = 5000;

export interface HostStatsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the primary knows without asking. */
  readonly box: () => {
    readonly primary: HostPrimary;
    readonly slots: readonly SlotSnapshot[];
    readonly feed: HostFeed | undefined;
    readonly services: HostServices | undefined;
  };
  readonly withinMs?: Milliseconds;
  /** How often workers are asked when no reader asks. */
  readonly everyMs?: Milliseconds;
}

interface Heard {
  snapshot: WorkerSnapshot | undefined;
  /** It was asked and has not answered yet. */
  isAsked: boolean;
}

export class HostStats implements Channel {
  readonly #options: HostStatsOptions;
  readonly #heard = new Map<Peer, Heard>();
  readonly #listeners = new Set<(box: HostSnapshot) => void>();
  readonly #answered = new Set<() => void>();
  /** Of processes that are gone. */
  #past: Counts = zeroCounts();
  readonly #feedCounts = new FeedCounts();
  #collecting: Promise<HostSnapshot> | undefined;
  #timer: Timer | undefined;

  constructor(options: HostStatsOptions) {
    this.#options = options;
  }

  /** From now on everybody is asked regularly. */
  start(): void {
    const { clock, everyMs = EVERY_MS } = this.#options;
    this.#timer = clock.after(everyMs, () => {
      void this.collect();
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  /** Asks every worker, once for all who want to know at the same time. Never rejects. */
  collect(): Promise<HostSnapshot> {
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = undefined;
    });
    return this.#collecting;
  }

  /** Told every snapshot that is taken, for whomever: at least every `everyMs`. The answer stops it. */
  subscribe(listener: (box: HostSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receive(from: Peer, body: unknown): void {
    const message = readStatsFromWorker(body);
    if (message?.say === 'here') this.#heard.set(from, { snapshot: undefined, isAsked: false });
    const heard = this.#heard.get(from);
    if (message?.say !== 'stats' || heard === undefined) return;
    const snapshot = readWorkerSnapshot(message.snapshot);
    if (snapshot === undefined) this.#options.logger.warn({}, 'dropped figures of a worker that are none');
    else heard.snapshot = snapshot;
    heard.isAsked = false;
    for (const tell of [...this.#answered]) tell();
  }

  leave(from: Peer): void {
    const last = this.#heard.get(from)?.snapshot;
    this.#heard.delete(from);
    if (last !== undefined) this.#past = sumCounts([this.#past, last.counts]);
    for (const tell of [...this.#answered]) tell();
  }

  async #collect(): Promise<HostSnapshot> {
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    for (const [worker, heard] of this.#heard) {
      if (heard.isAsked) continue;
      heard.isAsked = true;
      worker.send({ say: 'ask' });
    }
    await this.#allAnswered();
    const box = this.#snapshot(clock.monotonic() - startedMs);
    for (const listener of this.#listeners) this.#tell(listener, box);
    return box;
  }

  /** Resolves at the deadline at the latest. */
  #allAnswered(): Promise<void> {
    const { clock, withinMs = WITHIN_MS } = this.#options;
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#answered.delete(check);
        resolve();
      };
      const check = () => {
        if (![...this.#heard.values()].some(({ isAsked }) => isAsked)) done();
      };
      const timer = clock.after(withinMs, done);
      this.#answered.add(check);
      check();
    });
  }

  #snapshot(tookMs: Milliseconds): HostSnapshot {
    const { clock, box } = this.#options;
    const { slots, feed, ...known } = box();
    const all = [...this.#heard.values()];
    const workers = slots.map((slot): HostWorker => {
      const heard = all.find(({ snapshot }) => snapshot !== undefined && snapshot.pid === slot.pid);
      return { ...slot, answered: heard?.isAsked === false, snapshot: heard?.snapshot };
    });
    const missing = workers.filter(({ state, answered }) => state === 'serving' && !answered);
    const heardCounts = all.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot.counts]));
    return {
      ...known,
      feed: feed && { ...feed, stats: this.#feedCounts.sum(feed.stats) },
      takenAtMs: clock.now(),
      tookMs,
      partial: missing.length > 0,
      missing: missing.map(({ slot }) => slot),
      workers,
      counts: sumCounts([this.#past, ...heardCounts]),
    };
  }

  /** Who listens must not keep others from hearing. */
  #tell(listener: (box: HostSnapshot) => void, box: HostSnapshot): void {
    try {
      listener(box);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'figures: a listener failed');
    }
  }
}
