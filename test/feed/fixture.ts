// A feed on a real database, with a bus that writes down what it is told.
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/core/clock.ts';
import type { DatabaseIdentity } from '../../src/core/database-identity.ts';
import type { DependencyKey, Milliseconds } from '../../src/core/units.ts';
import { ChangeFeed, type ChangeFeedOptions } from '../../src/data/feed/feed.ts';
import type { FeedBus } from '../../src/data/feed/term.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';

export class RecordingBus implements FeedBus {
  readonly purges: (readonly DependencyKey[])[] = [];
  readonly fresh: Milliseconds[] = [];
  epochs = 0;
  /** While set, publishing fails with it. */
  failure: Error | undefined;
  failed = 0;
  freshUntil: Milliseconds = Number.NEGATIVE_INFINITY;
  server: DatabaseIdentity | undefined;
  onPurge: ((keys: readonly DependencyKey[]) => void) | undefined;

  async follows(server: DatabaseIdentity): Promise<void> {
    this.server = server;
  }

  async publish(keys: readonly DependencyKey[]): Promise<void> {
    this.#mayFail();
    this.purges.push(keys);
    this.onPurge?.(keys);
  }

  /** Works also while publishing fails: not to say it is the feed's business. */
  async setFresh(lifeMs: Milliseconds): Promise<void> {
    this.fresh.push(lifeMs);
    this.freshUntil = systemClock.monotonic() + lifeMs;
  }

  async beginEpoch(): Promise<void> {
    this.#mayFail();
    this.epochs++;
  }

  get keys(): Set<DependencyKey> {
    return new Set(this.purges.flat());
  }

  get isFresh(): boolean {
    return systemClock.monotonic() < this.freshUntil;
  }

  has(key: DependencyKey): boolean {
    return this.purges.some((keys) => keys.includes(key));
  }

  forget(): void {
    this.purges.length = 0;
  }

  #mayFail(): void {
    if (this.failure === undefined) return;
    this.failed++;
    throw this.failure;
  }
}

export interface TestFeed extends AsyncDisposable {
  readonly feed: ChangeFeed;
  readonly bus: RecordingBus;
}

/** Leads, has published what it found at the start, and follows every table that can be followed. */
export async function startFeed(url: string, options: Partial<ChangeFeedOptions> = {}): Promise<TestFeed> {
  const started = launchFeed(url, options);
  await until(() => started.feed.state === 'leading' && started.bus.isFresh);
  return started;
}

export function launchFeed(url: string, options: Partial<ChangeFeedOptions> = {}): TestFeed {
  const bus = new RecordingBus();
  const feed = new ChangeFeed({
    connectionString: url,
    bus,
    clock: systemClock,
    logger: silent,
    random: Math.random,
    freshLifeMs: 500,
    ...options,
  });
  feed.start();
  return { feed, bus, [Symbol.asyncDispose]: () => feed.close() };
}

/** Tables that statements may rely on. */
export async function trackedTables(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "select distinct tablename as name from pg_publication_tables where pubname = 'coherent_tracked' order by 1",
  );
  return rows.map(({ name }) => name);
}

/** Everything that was committed before has been published when this returns. */
export async function settled(database: TestDatabase, bus: RecordingBus): Promise<void> {
  const mark = `mark:${randomUUID()}`;
  await database.query('select coherent.purge($1)', [mark]);
  await until(() => bus.has(mark));
}
