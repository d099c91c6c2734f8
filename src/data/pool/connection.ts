// One connection of the pool: what is known of it, and how a read goes over it.
//
// A read is one of two, and one round trip:
//   plain     the statement alone, prepared by name. Only where the connection is private and no code but Postgres' own runs in it.
//   undone    BEGIN READ ONLY, the statement, ROLLBACK. So nothing that it does to its session outlives it, be it in a function
//             (set_config, SET ROLE, LISTEN, a cursor WITH HOLD), and behind a pooler the next client finds the server's
//             connection as it was.
// Either begins with something that the server answers at once, whatever the statement takes: that tells a connection
// that has fallen silent from a statement that is slow. It is BEGIN, or a message that closes nothing.
//
//   private   the server's process is ours for as long as the connection lives: settings are made once, statements are
//             prepared by name
//   pooled    each transaction may meet another process: settings are local to the transaction, statements have no name
import type pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import { Deadline, type DeadlineWheel } from '../../core/deadline-wheel.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Result } from '../observer.ts';
import { isConnectionLoss } from './failures.ts';
import { PlainQuery, type Prepared, type ReadQuery } from './plain-query.ts';
import type { Parameter } from './values.ts';
import { type Wire, wireOf } from './wire.ts';

export interface ConnectionKind {
  readonly isPrivate: boolean;
  /** Local settings that each transaction begins with: SQL, empty where the connection is private. */
  readonly settings: string;
  /** When the server's run began that it reached when it was new; undefined where that is not known, or cannot change. */
  readonly serverStartedAt: string | undefined;
  /** Undoes what a transaction that may write has done to the session; SQL, empty where it cannot be undone. */
  readonly reset: string;
}

export interface ReadLimits {
  /** After this without any answer the connection counts as silent. */
  readonly silentAfterMs: Milliseconds;
  /** From then on, for the statement. */
  readonly answerWithinMs: Milliseconds;
}

/** The connection was cut because nothing came over it. */
export class Silence extends Error {
  /** The server had begun with it, so it may have run. */
  readonly hasBegun: boolean;

  constructor(hasBegun: boolean) {
    super('the server did not answer in time');
    this.hasBegun = hasBegun;
  }
}

/** The connection broke. */
export class Break extends Error {
  readonly hasBegun: boolean;

  constructor(hasBegun: boolean, cause: unknown) {
    super('the connection broke', { cause });
    this.hasBegun = hasBegun;
  }
}

/** What a connection is told by its pool. */
interface ConnectionOptions {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly giveBack: (connection: Connection, isBroken: boolean) => void;
  /** Once, however it ended. */
  readonly onEnd: (connection: Connection, error: Error | undefined) => void;
}

/** What became of a plain statement: `result` where `error` is null. */
export type PlainDone = (error: Error | null, result: Result | undefined) => void;

export class Connection {
  readonly client: pg.PoolClient;
  readonly kind: ConnectionKind;
  /** When the server was last heard (monotonic). */
  heardAtMs: Milliseconds;
  /** Since when it is without work; of `IdleConnections`. */
  idleSinceMs: Milliseconds = 0;
  readonly #options: ConnectionOptions;
  readonly #wire: Wire | undefined;
  readonly #deadline: Deadline;
  readonly #prepared: Prepared = new Map();
  /** Of the read that is under way. */
  #limits: ReadLimits | undefined;
  #hasBegun = false;
  #isPlain = false;
  #plainSinceMs: Milliseconds | undefined;
  #hasTold = false;
  #wasCutAsSilent = false;
  #hasEnded = false;

  constructor(client: pg.PoolClient, kind: ConnectionKind, options: ConnectionOptions) {
    this.client = client;
    this.kind = kind;
    this.#options = options;
    this.#wire = wireOf(client);
    this.#deadline = new Deadline(options.wheel, () => {
      this.#wasCutAsSilent = true;
      this.cut();
    });
    this.heardAtMs = options.clock.monotonic();
    this.#wire?.on('closeComplete', () => this.#begin());
    this.#wire?.on('parameterStatus', () => {
      if (this.#isPlain) this.#hasTold = true;
    });
    client.on('error', (error) => this.#end(error));
    client.on('end', () => this.#end(undefined));
  }

  /** Statements that were prepared on it by name. */
  get planned(): number {
    return this.#prepared.size;
  }

  hasPlanned(name: string): boolean {
    return this.#prepared.has(name);
  }

  /** Since when plain statements have run on it that `kind.reset` has not come behind; undefined: none has. */
  get plainSinceMs(): Milliseconds | undefined {
    return this.#plainSinceMs;
  }

  /** The server said that a setting changed in a plain statement: nothing else is to find it. */
  get isSpoiled(): boolean {
    return this.#hasTold;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** To the pool, once: nothing of ours runs on it any more. */
  giveBack(isBroken: boolean): void {
    this.#options.giveBack(this, isBroken);
  }

  /** As when it was new. Rejects when it is not. */
  async reset(withinMs: Milliseconds): Promise<void> {
    await this.client.query({ text: this.kind.reset, query_timeout: withinMs } as pg.QueryConfig);
    this.heardAtMs = this.#options.clock.monotonic();
    this.#plainSinceMs = undefined;
  }

  /**
   * Runs a statement of which it is known that it leaves nothing behind in its session. `done` is called once, and given what the
   * driver threw; `Silence` when nothing came, and the connection is cut then; `Break` when it had not begun.
   */
  plain(query: ReadQuery, limits: ReadLimits, done: PlainDone): void {
    this.#isPlain = true;
    this.#hasBegun = false;
    this.#limits = limits;
    this.#plainSinceMs ??= this.#options.clock.monotonic();
    const ended: PlainDone = (error, result) => {
      this.#limits = undefined;
      this.#isPlain = false;
      this.#deadline.stop();
      if (this.#wasCutAsSilent) done(new Silence(this.#hasBegun), undefined);
      else if (error === null || this.#hasBegun || !isConnectionLoss(error)) done(error, result);
      else done(new Break(false, error), undefined);
    };
    this.#deadline.start(limits.silentAfterMs);
    try {
      this.client.query(new PlainQuery(query, this.#prepared, ended));
    } catch (error) {
      // It could not be written, with more values than the protocol can count: nothing of it has gone out.
      ended(error instanceof Error ? error : new Error(String(error)), undefined);
    }
  }

  /** The server has answered the message before a plain statement. */
  #begin(): void {
    if (this.#limits === undefined) return;
    this.#hasBegun = true;
    this.heardAtMs = this.#options.clock.monotonic();
    this.#deadline.start(this.#limits.answerWithinMs);
  }

  #end(error: Error | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.onEnd(this, error);
  }

  /**
   * Runs one statement between BEGIN READ ONLY and ROLLBACK; `local` is SQL that stands behind BEGIN, `afterwards` runs behind
   * ROLLBACK on the same process.
   * Rejects as `plain` does, and behind a pooler with `Break` where it has gone over to another server.
   */
  async undone<R extends object>(
    query: ReadQuery,
    limits: ReadLimits,
    afterwards: string,
    local = '',
  ): Promise<Result<R>> {
    const { client, kind } = this;
    const stream = this.#wire?.stream;
    if (kind.isPrivate && !this.#prepared.has(query.name)) this.#prepared.set(query.name, undefined);
    const { text, values } = query;
    stream?.cork();
    const begun = client.query(`BEGIN READ ONLY${kind.settings}${local}`);
    // Also without a name by the extended protocol: it takes one statement, which cannot end the transaction for another.
    const running = client.query<R>(
      kind.isPrivate ? { ...query, values: [...values] } : extended(text, values),
    );
    const ended = client.query(`ROLLBACK${afterwards}`);
    stream?.uncork();
    this.#deadline.start(limits.silentAfterMs);
    begun.then(
      () => {
        this.heardAtMs = this.#options.clock.monotonic();
        this.#deadline.start(limits.answerWithinMs);
      },
      () => {},
    );
    const [beginning, result, ending] = await Promise.allSettled([begun, running, ended]);
    this.#deadline.stop();
    const hasBegun = beginning.status === 'fulfilled';
    if (this.#wasCutAsSilent) throw new Silence(hasBegun);
    // What it read there is of no use here; a new connection finds out which server this is.
    if (hasBegun && this.#isElsewhere(beginning.value))
      throw new Break(false, new Error('the pooler has gone over to another server'));
    if (result.status === 'fulfilled' && hasBegun) {
      if (ending.status === 'rejected') throw new Break(true, ending.reason);
      return result.value;
    }
    const failed = hasBegun && result.status === 'rejected' ? result.reason : reasonOf(beginning);
    throw hasBegun ? failed : new Break(false, failed);
  }

  #isElsewhere(beginning: unknown): boolean {
    const { serverStartedAt } = this.kind;
    if (serverStartedAt === undefined) return false;
    // BEGIN and the settings have a result each.
    const [, settings] = beginning as readonly pg.QueryResult<{ serverStartedAt?: string }>[];
    return settings?.rows[0]?.serverStartedAt !== serverStartedAt;
  }

  /** Cuts it without a word: the other side may not be listening. */
  cut(): void {
    this.#wire?.stream.destroy();
  }
}

function reasonOf(settled: PromiseSettledResult<unknown>): unknown {
  return settled.status === 'rejected' ? settled.reason : undefined;
}

function extended(text: string, values: readonly Parameter[]): pg.QueryConfig {
  return { text, values: [...values], queryMode: 'extended' } as pg.QueryConfig;
}
