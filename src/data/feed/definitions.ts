// The schema as the feed sees it, kept up with the database. Told of a change by the log (an event trigger), or
// found by comparing a fingerprint: at every beat of the freshness where nothing tells, else once a second.
import type { Clock } from '../../core/clock.ts';
import type { DependencyKey, Milliseconds } from '../../core/units.ts';
import { relationName, schemaKey, tableKey } from '../keys/keys.ts';
import { type Catalog, fingerprint, loadCatalog } from '../schema/catalog.ts';
import type { CommittedTransaction } from './collector.ts';
import type { SqlConnection } from './connections.ts';
import { PUBLICATION, TRACKED_PUBLICATION } from './install-sql.ts';
import { insertedUpTo, type Lsn } from './lsn.ts';
import { publicationIsWhole } from './publication.ts';

/**
 * Goes with every purge that a changed definition causes: a worker that sees it loads the catalog anew before it
 * renders anything with a newer stamp.
 */
export const catalogKey: DependencyKey = '@catalog';

const COMPARE_MS: Milliseconds = 1_000;

/** Why a new catalog snapshot is taken. */
type Because = Pick<
  CommittedTransaction,
  'endLsn' | 'unfamiliar' | 'definitionsChanged' | 'definitionsDropped'
>;

export class Definitions {
  readonly #sql: SqlConnection;
  readonly #clock: Clock;
  readonly #tellsDefinitions: boolean;
  #catalog: Catalog;
  #fingerprint: string;
  #comparedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  /** What was committed after this is not in the catalog snapshot, or may not be. */
  #takenAt: Lsn;

  private constructor(
    sql: SqlConnection,
    clock: Clock,
    tells: boolean,
    catalog: Catalog,
    print: string,
    takenAt: Lsn,
  ) {
    this.#sql = sql;
    this.#clock = clock;
    this.#tellsDefinitions = tells;
    this.#catalog = catalog;
    this.#fingerprint = print;
    this.#takenAt = takenAt;
  }

  static async load(sql: SqlConnection, clock: Clock, tellsDefinitions: boolean): Promise<Definitions> {
    // Before the catalog: should it change in between, the next comparison finds out.
    const print = await fingerprint(sql);
    const catalog = await loadCatalog(sql, TRACKED_PUBLICATION);
    return new Definitions(sql, clock, tellsDefinitions, catalog, print, await insertedUpTo(sql));
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Takes the catalog snapshot of now; the keys of what differs from the one before. */
  async renew(because: Because): Promise<Set<DependencyKey>> {
    const keys = new Set<DependencyKey>();
    // The catalog snapshot of before was of after it: what came up before and went with it is in no catalog snapshot of ours, though a
    // worker's may have it.
    if (because.definitionsDropped && because.endLsn <= this.#takenAt) keys.add(schemaKey).add(catalogKey);
    // The term ends over this; the next one mends the publication and begins a new epoch.
    if (!(await publicationIsWhole(this.#sql)))
      throw new Error(`Something else changed the publication ${PUBLICATION}.`);
    const print = await fingerprint(this.#sql);
    if (print !== this.#fingerprint) {
      const next = await loadCatalog(this.#sql, TRACKED_PUBLICATION);
      for (const key of this.#catalog.changesTo(next)) keys.add(key);
      // A worker may have taken its catalog snapshot between a change and the one that took it back.
      const mayBeTakenBack = because.definitionsChanged || !this.#tellsDefinitions;
      if (mayBeTakenBack || !this.#catalog.readsLike(next)) keys.add(catalogKey);
      this.#catalog = next;
      this.#fingerprint = print;
    }
    // Also of a catalog snapshot that is still the same: what came and went before now is in it no more.
    this.#takenAt = await insertedUpTo(this.#sql);
    for (const { schema, name } of because.unfamiliar) {
      const told = this.#catalog.relation(schema, name)?.toldAs.map(({ keyName }) => keyName);
      for (const each of told ?? [relationName(schema, name)]) keys.add(tableKey(each));
    }
    return keys;
  }

  /** Whether the catalog snapshot still holds, as far as it is looked at now. */
  async areKnown(): Promise<boolean> {
    const now = this.#clock.monotonic();
    if (this.#tellsDefinitions && now - this.#comparedAt < COMPARE_MS) return true;
    const isSame =
      (await fingerprint(this.#sql)) === this.#fingerprint && (await publicationIsWhole(this.#sql));
    if (isSame) this.#comparedAt = now;
    return isSame;
  }
}
