// The change feed: from COMMIT to a purge that the bus has accepted. One per fleet leads; its life:
//
//   connecting    three connections; the database is set up where that has not been done
//   unavailable   it cannot be (wal_level, rights): said with the remedy, and tried again every UNAVAILABLE_MS
//   standby       another feed reads the slot; asked again every STANDBY_MS
//   leading       term.ts. Any failure ends the term; the next attempt follows after a backoff of 50 ms to 2 s
//   closed
//
// A new leader begins a new epoch where purges may be missing: the slot is new, or the server, its timeline or its
// schema is not the one that the leader before had told everybody of.
import type pg from 'pg';
import type { Clock, Timer } from '../../core/clock.ts';
import type { DatabaseIdentity } from '../../core/database-identity.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { IDENTITY_SQL, readIdentity } from '../pool/identity.ts';
import type { CollectorLimits } from './collector.ts';
import { first, openReplication, SqlConnection } from './connections.ts';
import { catalogKey, Definitions } from './definitions.ts';
import { FeedRightsError, FeedUnavailableError, OtherDatabaseError } from './errors.ts';
import { becomeLeader, type Lead } from './leadership.ts';
import { FeedMemory, type Remembered } from './memory.ts';
import { PagesDatabase } from './pages-database.ts';
import { forgetStrays, Publication } from './publication.ts';
import { connectionFailure, install, NO_RIGHTS, replicationFailure, sqlState } from './setup.ts';
import { SilenceWatch } from './silence-watch.ts';
import { SlotWatch } from './slot-watch.ts';
import { type FeedReport, FeedStats } from './stats.ts';
import { type FeedBus, Term } from './term.ts';

export type FeedState = 'connecting' | 'unavailable' | 'standby' | 'leading' | 'closed';

export interface ChangeFeedOptions {
  /** Where the log is streamed from: the server itself, not a pooler. */
  readonly connectionString: string;
  /** Where pages are read from: DATABASE_URL. Default: `connectionString`. */
  readonly pagesUrl?: string;
  /** Feeds with the same slot are one feed, of which one leads. Default: `coherent_<oid of the database>`. */
  readonly slot?: string | undefined;
  readonly bus: FeedBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** How long the word holds that everything is published. */
  readonly freshLifeMs: Milliseconds;
  /** Where there are no event triggers: 'full' follows tables with REPLICA IDENTITY FULL, 'all' those with a key, too. */
  readonly withoutTriggers?: 'full' | 'all';
  readonly onState?: (state: FeedState, error: FeedUnavailableError | undefined) => void;
  readonly limits?: CollectorLimits;
  readonly maxWaitingKeys?: number;
  /** False turns the visibility gate off: for the test that shows what it is for. */
  readonly gate?: boolean;
}

const STANDBY_MS: Milliseconds = 500;
const UNAVAILABLE_MS: Milliseconds = 15_000;
const BACKOFF_FIRST_MS: Milliseconds = 50;
const BACKOFF_MAX_MS: Milliseconds = 2_000;
/** Pages and log of different servers: the address may be right again in a moment. */
const ELSEWHERE_MS: Milliseconds = 1_000;
/** What answers in a millisecond has not answered for so long: COHERENCE_BOUND_MS / 2, in these limits. */
const CONTROL_WITHIN_MS: Milliseconds = 3_000;
const CONTROL_AT_LEAST_MS: Milliseconds = 1_000;
/**
 * Above half of the limit that we set the server's sender (connections.ts): one that decodes a large transaction says nothing
 * for so long, and to be cut off for it would have it begin again, for ever.
 */
const STREAM_SILENT_AT_LEAST_MS: Milliseconds = 2_500;
const STREAM_SILENT_MS: Milliseconds = 6_000;
const CLOSE_WITHIN_MS: Milliseconds = 1_000;
const ADMIN_WITHIN_MS: Milliseconds = 24 * 3_600_000;

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #stats = new FeedStats();
  #state: FeedState = 'connecting';
  #running: Promise<void> | undefined;
  #endTerm: (reason: unknown) => void = () => {};
  #pause: { readonly timer: Timer; readonly resolve: () => void } | undefined;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  get state(): FeedState {
    return this.#state;
  }

  stats(): FeedReport {
    return this.#stats.report();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** What was read and not published yet is read again by the next leader. */
  async close(): Promise<void> {
    this.#enter('closed');
    this.#endTerm(new Error('The change feed was closed.'));
    this.#pause?.timer.cancel();
    this.#pause?.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed()) {
      let led = false;
      const error = await this.#term(() => {
        led = true;
      });
      if (this.#isClosed()) return;
      failures = led ? 0 : failures + 1;
      if (error instanceof FeedUnavailableError) {
        if (this.#state !== 'unavailable')
          this.#options.logger.warn({ err: error }, 'change feed: unavailable');
        this.#enter('unavailable', error);
        await this.#wait(error instanceof OtherDatabaseError ? ELSEWHERE_MS : UNAVAILABLE_MS);
      } else {
        this.#options.logger[failures > 1 ? 'debug' : 'warn']({ err: error }, 'change feed: interrupted');
        this.#enter('connecting');
        const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures);
        await this.#wait(ceiling * (0.5 + this.#options.random() / 2));
      }
    }
  }

  /** Resolves with what ended it. */
  async #term(onLead: () => void): Promise<unknown> {
    const open: (() => unknown)[] = [];
    const broken = new Promise<unknown>((resolve) => {
      this.#endTerm = resolve;
    });
    const work = this.#connectAndLead(open, broken, onLead).catch((error: unknown) => error);
    const reason = await Promise.race([work, broken]);
    const closings = open
      .splice(0)
      .reverse()
      .map((close) => close());
    // What still waits for an answer of a connection that was closed just now fails, and is of no interest.
    await work;
    closings.push(
      ...open
        .splice(0)
        .reverse()
        .map((close) => close()),
    );
    // A connection whose other end is gone never says goodbye.
    await Promise.race([Promise.allSettled(closings), this.#wait(CLOSE_WITHIN_MS)]);
    this.#pause?.timer.cancel();
    return reason;
  }

  async #connectAndLead(
    open: (() => unknown)[],
    broken: Promise<unknown>,
    onLead: () => void,
  ): Promise<unknown> {
    const { connectionString: url, clock, logger } = this.#options;
    const onLost = (error: Error) => this.#endTerm(error);
    const sql = async (answerWithinMs: Milliseconds) => {
      const connection = await SqlConnection.open({ url, answerWithinMs, onLost }).catch((error: unknown) => {
        throw connectionFailure(error);
      });
      open.push(() => connection.close());
      return connection;
    };
    const admin = await sql(ADMIN_WITHIN_MS);
    const { tellsDefinitions } = await install(admin);
    const replication = await openReplication(url, onLost).catch((error: unknown) => {
      throw replicationFailure(error);
    });
    open.push(() => replication.end().catch(() => {}));
    const server = await identify(replication);
    const identity = { system: server.systemIdentifier, timeline: server.timeline };
    const { freshLifeMs } = this.#options;
    const answerWithinMs = Math.min(CONTROL_WITHIN_MS, Math.max(CONTROL_AT_LEAST_MS, 2 * freshLifeMs));
    const control = await sql(answerWithinMs);
    const silence = new SilenceWatch({ patient: admin, control, clock, logger, everyMs: answerWithinMs / 2 });
    open.push(() => silence.close());
    const pages = new PagesDatabase({
      url: this.#options.pagesUrl ?? url,
      followed: server,
      clock,
      answerWithinMs,
    });
    open.push(() => pages.close());
    await pages.endOfLog().catch((error: unknown) => {
      // That it cannot be reached stands in the way of being fresh, not of purging.
      if (error instanceof FeedUnavailableError) throw error;
    });
    const slot = this.#options.slot ?? (await slotOfDatabase(admin));
    const kept = new SlotWatch({
      sql: control,
      slot,
      clock,
      logger,
      onRetained: (bytes) => {
        this.#stats.slotRetainedBytes = bytes;
      },
    });
    open.push(() => kept.close());
    const memory = new FeedMemory(admin, slot);
    let term: Term | undefined;
    const lead = await becomeLeader(
      {
        replication,
        sql: admin,
        memory,
        slot,
        clock,
        retryMs: STANDBY_MS,
        onStandby: () => this.#enter('standby'),
        isClosed: () => this.#isClosed(),
      },
      { data: (message) => term?.data(message), position: (lsn) => term?.position(lsn) },
    );
    if (lead === undefined || this.#isClosed()) return undefined;
    open.push(() => lead.stream.stop());
    await this.#options.bus.follows(server);
    if (await forgetStrays(admin)) await memory.forget();
    const definitions = await Definitions.load(admin, clock, tellsDefinitions);
    await this.#settle(memory, { ...identity, fingerprint: definitions.fingerprint }, lead);
    const followsByKey = tellsDefinitions || this.#options.withoutTriggers === 'all';
    const publication = new Publication({ sql: admin, clock, logger, followsByKey });
    open.push(() => publication.close());
    const options = this.#options;
    term = new Term(lead.stream, {
      ...options,
      stats: this.#stats,
      control,
      patient: admin,
      pages,
      silentAfterMs: Math.min(STREAM_SILENT_MS, Math.max(STREAM_SILENT_AT_LEAST_MS, 4 * freshLifeMs)),
      definitions,
      onDefinitions: () => {
        memory.write({ ...identity, fingerprint: definitions.fingerprint }).catch(onLost);
        void publication.mend();
      },
    });
    const leading = term;
    open.push(() => leading.close());
    if (this.#isClosed()) return undefined;
    onLead();
    this.#enter('leading');
    logger.info({ slot }, 'change feed: leads');
    term.start();
    void publication.mend();
    return await Promise.race([lead.ended, term.failed, broken]);
  }

  /** A new epoch where purges may be missing; remembered only when the bus has begun it. */
  async #settle(memory: FeedMemory, now: Remembered, lead: Lead): Promise<void> {
    const before = await memory.read();
    const isSame =
      before?.system === now.system &&
      before.timeline === now.timeline &&
      before.fingerprint === now.fingerprint;
    if (isSame) return;
    const { bus, logger } = this.#options;
    if (before === undefined && !memory.hasForgotten) {
      logger.info({ now }, 'change feed: leads for the first time on this database; a new epoch begins');
    } else {
      logger.warn(
        { before, now },
        'change feed: purges may be missing, so everything cached becomes suspect',
      );
    }
    let gone = false;
    void lead.ended.then(() => {
      gone = true;
    });
    for (let failures = 0; ; failures++) {
      try {
        await bus.beginEpoch();
        // Workers may hold an older catalog snapshot.
        await bus.publish([catalogKey], undefined);
        break;
      } catch (error) {
        if (gone || this.#isClosed()) throw error;
        await this.#wait(Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures));
      }
    }
    this.#stats.epochs++;
    await memory.write(now);
  }

  #enter(state: FeedState, error?: FeedUnavailableError): void {
    if (this.#state === 'closed' || (this.#state === state && error === undefined)) return;
    this.#state = state;
    this.#options.onState?.(state, error);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #wait(delayMs: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { resolve, timer: this.#options.clock.after(delayMs, resolve) };
    });
  }
}

/** Asked on the connection that streams the log: another one, of the same address, may have reached another server. */
async function identify(replication: pg.Client): Promise<DatabaseIdentity> {
  try {
    const [row] = await first(replication, IDENTITY_SQL);
    return readIdentity(row);
  } catch (error) {
    if (sqlState(error) !== NO_RIGHTS) throw error;
    throw new FeedRightsError(
      'ask which database it follows',
      'GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO the role of DATABASE_URL.',
      error,
    );
  }
}

async function slotOfDatabase(sql: SqlConnection): Promise<string> {
  const { rows } = await sql.query<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_database WHERE datname = current_database()',
  );
  return `coherent_${rows[0]?.oid ?? ''}`;
}
