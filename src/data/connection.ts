// One connection of the pool: what is known of it, and how a read goes over it.
//
// A read is three steps in one round trip: BEGIN READ ONLY, the statement, ROLLBACK. So nothing that a statement does to its
// session outlives it, be it in a function (set_config, SET ROLE, LISTEN, a cursor WITH HOLD), and behind a pooler the next
// client finds the server's connection as it was. The answer to BEGIN comes at once, whatever the statement takes: it tells
// a connection that has fallen silent from a statement that is slow.
//
//   private   the server's process is ours for as long as the connection lives: settings are made once, statements are
//             prepared by name
//   pooled    each transaction may meet another process: settings are local to the transaction, statements have no name
import type { Socket } from 'node:net';
import type pg from 'pg';
import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';
import type { Result } from './observer.ts';

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
  /** After this without an answer to BEGIN the connection counts as silent. */
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

export class Connection {
  readonly client: pg.PoolClient;
  readonly kind: ConnectionKind;
  /** When the server was last heard (monotonic). */
  heardAtMs: Milliseconds;
  readonly #clock: Clock;
  readonly #plans = new Set<string>();

  constructor(client: pg.PoolClient, kind: ConnectionKind, clock: Clock) {
    this.client = client;
    this.kind = kind;
    this.#clock = clock;
    this.heardAtMs = clock.monotonic();
  }

  /** Statements that were prepared on it by name. */
  get planned(): number {
    return this.#plans.size;
  }

  hasPlanned(name: string): boolean {
    return this.#plans.has(name);
  }

  /**
   * Runs one statement between BEGIN READ ONLY and ROLLBACK; `afterwards` runs behind them on the same process.
   * Rejects with what the driver threw; with `Silence` when nothing came, and the connection is cut then.
   */
  async read<R extends object>(
    query: { readonly name: string; readonly text: string; readonly values: unknown[] },
    limits: ReadLimits,
    afterwards: string,
  ): Promise<Result<R>> {
    const { client, kind } = this;
    const socket = socketOf(client);
    const watch = new Deadline(this.#clock, () => socket?.destroy());
    if (kind.isPrivate) this.#plans.add(query.name);
    const { text, values } = query;
    socket?.cork();
    const begun = client.query(`BEGIN READ ONLY${kind.settings}`);
    // Also without a name by the extended protocol: it takes one statement, which cannot end the transaction for another.
    const running = client.query<R>(kind.isPrivate ? query : extended(text, values));
    const ended = client.query(`ROLLBACK${afterwards}`);
    socket?.uncork();
    watch.start(limits.silentAfterMs);
    begun.then(
      () => {
        this.heardAtMs = this.#clock.monotonic();
        watch.start(limits.answerWithinMs);
      },
      () => {},
    );
    const [beginning, result, ending] = await Promise.allSettled([begun, running, ended]);
    watch.stop();
    const hasBegun = beginning.status === 'fulfilled';
    if (watch.hasPassed) throw new Silence(hasBegun);
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
    socketOf(this.client)?.destroy();
  }
}

function reasonOf(settled: PromiseSettledResult<unknown>): unknown {
  return settled.status === 'rejected' ? settled.reason : undefined;
}

function extended(text: string, values: unknown[]): pg.QueryConfig {
  return { text, values, queryMode: 'extended' } as pg.QueryConfig;
}

/** The driver offers no way to cut a connection whose other side has fallen silent, and none to write three messages as one. */
function socketOf(client: pg.ClientBase): Socket | undefined {
  const connection: unknown = Reflect.get(client, 'connection');
  if (typeof connection !== 'object' || connection === null) return undefined;
  return Reflect.get(connection, 'stream') as Socket | undefined;
}

/** A limit that can be set anew; what has arrived already, and was not yet looked at, counts as in time. */
class Deadline {
  readonly #clock: Clock;
  readonly #pass: () => void;
  #timer: { cancel(): void } | undefined;
  #round = 0;
  #passed = false;

  constructor(clock: Clock, pass: () => void) {
    this.#clock = clock;
    this.#pass = pass;
  }

  get hasPassed(): boolean {
    return this.#passed;
  }

  start(afterMs: Milliseconds): void {
    this.stop();
    const round = this.#round;
    this.#timer = this.#clock.after(afterMs, () =>
      setImmediate(() => {
        if (round !== this.#round) return;
        this.#passed = true;
        this.#pass();
      }),
    );
  }

  stop(): void {
    this.#round++;
    this.#timer?.cancel();
  }
}
