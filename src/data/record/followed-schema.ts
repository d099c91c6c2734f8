// The observer of a worker's statements: a recorder over a catalog snapshot that is kept up with the purge stream.
//
// A purge of `@catalog` says that the schema has changed. What renders from then on carries a newer stamp than that
// purge, so it must not be analysed with the old catalog snapshot: its first statement waits for the new one. A render that
// began before keeps its older stamp, and the purges that come along with `@catalog` judge it.
import { loadModule } from 'libpg-query';
import type { Logger } from '../../core/log.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import type { Observed, StatementObserver } from '../observer.ts';
import { loadCatalog } from '../schema/catalog.ts';
import { DependencyRecorder } from './recorder.ts';

export interface FollowedSchemaOptions {
  /** Runs a statement of the server's own, outside of any render. */
  readonly read: (sql: string) => Promise<{ readonly rows: readonly object[] }>;
  /** Tables outside of it are not followed. Null: nothing is followed, keys are for purges by hand. */
  readonly publication: string | null;
  readonly logger: Logger;
}

export class FollowedSchema implements StatementObserver {
  readonly #options: FollowedSchemaOptions;
  #recorder: DependencyRecorder | undefined;
  #loading: Promise<DependencyRecorder> | undefined;
  /** Counts the times the catalog snapshot was called old; one that was asked for before does not count as new. */
  #changes = 0;

  constructor(options: FollowedSchemaOptions) {
    this.#options = options;
  }

  /** The schema may have changed: the next statement waits for a new catalog snapshot. */
  changed(): void {
    this.#changes++;
    this.#recorder = undefined;
    this.#loading = undefined;
  }

  /** Errors: those of the database, when the catalog snapshot cannot be taken; the next call tries again. */
  async ready(): Promise<void> {
    await (this.#recorder ?? this.#load());
  }

  check(sql: string): boolean | Promise<boolean> {
    if (this.#recorder !== undefined) return this.#recorder.check(sql);
    return this.#load().then((recorder) => recorder.check(sql));
  }

  onStatement(
    sql: string,
    params: readonly unknown[],
    result: Observed,
    keyRecorder: KeyRecorder,
  ): void | Promise<void> {
    // Without a promise where there is nothing to wait for: that is nearly always.
    const noted = keyRecorder.of === undefined ? keyRecorder : keyRecorder.of(sql);
    if (this.#recorder !== undefined) this.#recorder.onStatement(sql, params, result, noted);
    else return this.#load().then((recorder) => recorder.onStatement(sql, params, result, noted));
  }

  #load(): Promise<DependencyRecorder> {
    this.#loading ??= this.#loadNow(this.#changes);
    return this.#loading;
  }

  async #loadNow(changes: number): Promise<DependencyRecorder> {
    try {
      await loadModule();
      const catalog = await loadCatalog({ query: this.#options.read }, this.#options.publication);
      if (changes !== this.#changes) return await this.#load();
      this.#recorder = new DependencyRecorder({ catalog });
      return this.#recorder;
    } catch (error) {
      if (changes === this.#changes) this.#loading = undefined;
      this.#options.logger.warn(
        { err: error },
        'the schema could not be read; the next statement tries again',
      );
      throw error;
    }
  }
}
