// Keeps the list of followed tables right: those that qualify come in, those that no longer do go out.
//
// A table that has just been published is not *tracked* yet: what a transaction had written to it before is not in
// the log, though it may commit later. So the table becomes tracked (which is what statements rely on) only when
// every transaction that was running then has ended.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlConnection } from './connections.ts';
import { entryOf, PUBLICATION, publishesAll, TRACKED_PUBLICATION } from './install-sql.ts';

interface Candidate {
  readonly oid: string;
  readonly name: string;
  readonly qualifies: boolean;
  /** It would qualify, were there event triggers. */
  readonly byKey: boolean;
  readonly published: boolean;
  readonly tracked: boolean;
}

const isIn = (publication: string): string =>
  `EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
           WHERE p.pubname = '${publication}' AND r.prrelid = c.oid)`;

/**
 * Whether nothing that its owner does to a key makes the table refuse an UPDATE: needed where no event trigger takes it
 * out in time.
 */
const STAYS_TELLABLE = `NOT EXISTS (SELECT FROM pg_class leaf WHERE leaf.relreplident <> 'f' AND leaf.relkind = 'r'
  AND (leaf.oid = c.oid OR leaf.oid IN (SELECT relid FROM pg_partition_tree(c.oid))))`;

/** Partitions come with their root. $1: tables that are told by a key, too. */
const CANDIDATES = `
  SELECT * FROM (
    SELECT c.oid::text AS oid, format('%I.%I', n.nspname, c.relname) AS name,
           coherent.qualifies(c.oid) AND ($1 OR ${STAYS_TELLABLE}) AS qualifies,
           coherent.qualifies(c.oid) AS "byKey",
           ${isIn(PUBLICATION)} AS published, ${isIn(TRACKED_PUBLICATION)} AS tracked
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
      AND n.nspname NOT IN ('coherent', 'information_schema', 'pg_catalog', 'pg_toast')) candidates
  ORDER BY name`;

/** Tracked tables whose changes are not read after all, or were not for a moment: another client changed our publication. */
const STRAYS = `
  SELECT t.prrelid::text AS oid FROM pg_publication_rel t JOIN pg_publication p ON p.oid = t.prpubid
  WHERE p.pubname = '${TRACKED_PUBLICATION}' AND NOT EXISTS (
    SELECT FROM pg_publication_rel r JOIN pg_publication q ON q.oid = r.prpubid
    WHERE q.pubname = '${PUBLICATION}' AND r.prrelid = t.prrelid
      AND (SELECT entry FROM coherent.tables e WHERE e.relation = t.prrelid) = ${entryOf('t.prrelid')}
      AND (SELECT ${publishesAll} FROM pg_publication WHERE oid = q.oid)
      AND to_jsonb(r) ->> 'prqual' IS NULL AND to_jsonb(r) ->> 'prattrs' IS NULL)`;

/** Whether every table that statements rely on is read whole. */
export async function publicationIsWhole(sql: SqlConnection): Promise<boolean> {
  const { rows } = await sql.query(`${STRAYS} LIMIT 1`);
  return rows.length === 0;
}

/** No page relies on them until they are published again. True: there were any, so purges are missing. */
export async function forgetStrays(sql: SqlConnection): Promise<boolean> {
  const { rows } = await sql.query(`SELECT coherent.forget(s.oid::oid::regclass) FROM (${STRAYS}) s`);
  return rows.length > 0;
}

const RETRY_MS: Milliseconds = 5_000;
const LOOK_AGAIN_MS: Milliseconds = 100;

export interface PublicationOptions {
  readonly sql: SqlConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Also those that begin to refuse UPDATE when their key is dropped: where event triggers see to it, or by choice. */
  readonly followsByKey: boolean;
}

export class Publication {
  readonly #followsByKey: boolean;
  readonly #sql: SqlConnection;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #mending: Promise<void> | undefined;
  #again = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #closed = false;
  #said = '';

  constructor({ sql, clock, logger, followsByKey }: PublicationOptions) {
    this.#followsByKey = followsByKey;
    this.#sql = sql;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Looks at all tables, and again if called meanwhile. Never rejects; what could not be done is tried later. */
  mend(): Promise<void> {
    if (this.#mending !== undefined) {
      this.#again = true;
      return this.#mending;
    }
    this.#timer?.cancel();
    this.#mending = this.#mendAll().finally(() => {
      this.#mending = undefined;
      if (this.#again && !this.#closed) void this.mend();
      this.#again = false;
    });
    return this.#mending;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wake?.();
  }

  async #mendAll(): Promise<void> {
    try {
      const rows = await this.#candidates();
      this.#say(rows);
      const unfit = rows.filter((table) => !table.qualifies && (table.published || table.tracked));
      let complete = await this.#change('forget', unfit);
      // What is tracked and not published lacks changes already: the feed notices by itself, and begins a new epoch.
      const missing = rows.filter((table) => table.qualifies && !table.published && !table.tracked);
      complete = (await this.#change('publish', missing)) && complete;
      const untracked = rows.filter((table) => table.qualifies && !table.tracked);
      if (untracked.length > 0) {
        await this.#allEnded();
        if (this.#closed) return;
        // Not all may have got in, and some may have left meanwhile.
        const after = await this.#candidates();
        const oids = new Set(untracked.map(({ oid }) => oid));
        const ready = after.filter((table) => oids.has(table.oid) && table.published && !table.tracked);
        complete = (await this.#change('track', ready)) && complete;
      }
      if (!complete) this.#later();
    } catch (error) {
      if (this.#closed) return;
      this.#logger.warn({ err: error }, 'change feed: the publication could not be brought up to date yet');
      this.#later();
    }
  }

  async #candidates(): Promise<readonly Candidate[]> {
    const { rows } = await this.#sql.query<Candidate>(CANDIDATES, [this.#followsByKey]);
    return rows;
  }

  /** All in one transaction, which is one event; where one table is in the way, each by itself. */
  async #change(what: 'publish' | 'track' | 'forget', tables: readonly Candidate[]): Promise<boolean> {
    if (tables.length === 0) return true;
    const sql = `SELECT coherent.${what}(oid::regclass) FROM unnest($1::oid[]) oid`;
    try {
      await this.#sql.query(sql, [tables.map(({ oid }) => oid)]);
      return true;
    } catch {
      let complete = true;
      for (const { oid, name } of tables) {
        await this.#sql.query(sql, [[oid]]).catch((error: unknown) => {
          if (!this.#closed)
            this.#logger.warn({ err: error, table: name }, `change feed: cannot ${what} it yet`);
          complete = false;
        });
      }
      return complete;
    }
  }

  /** Resolves when every transaction that is running now, and has written, has ended. */
  async #allEnded(): Promise<void> {
    const { rows } = await this.#sql.query<{ until: string }>(
      'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS until',
    );
    const until = rows[0]?.until;
    while (!this.#closed) {
      const ended = await this.#sql.query<{ ended: boolean }>(
        'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS ended',
        [until],
      );
      if (ended.rows[0]?.ended === true) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#timer = this.#clock.after(LOOK_AGAIN_MS, resolve);
      });
    }
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.after(RETRY_MS, () => void this.mend());
  }

  /** Once for every new list. */
  #say(tables: readonly Candidate[]): void {
    const out = tables.filter(({ qualifies }) => !qualifies);
    const text = out.map(({ name, byKey }) => `${name} ${byKey}`).join(', ');
    if (text === this.#said) return;
    this.#said = text;
    const named = (some: readonly Candidate[]) => ({
      tables: some.slice(0, 20).map(({ name }) => name),
      count: some.length,
    });
    const unfit = out.filter(({ byKey }) => !byKey);
    if (unfit.length > 0)
      this.#logger.warn(
        named(unfit),
        'change feed: tables that the log cannot tell whole, or that their owner took out, are not followed; pages made ' +
          'from them live by their TTL. Give them a primary key, or: ALTER TABLE ... REPLICA IDENTITY FULL',
      );
    if (unfit.length < out.length)
      this.#logger.warn(
        named(out.filter(({ byKey }) => byKey)),
        'change feed: without event triggers Postgres would refuse UPDATE on a followed table whose key is dropped, so ' +
          'these are not followed. Have a superuser run what "coherent-server db prepare" prints; or ALTER TABLE ... ' +
          'REPLICA IDENTITY FULL; or accept it with FEED_WITHOUT_TRIGGERS=all',
      );
  }
}
