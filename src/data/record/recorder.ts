// From a statement that ran to the keys of its result. Each distinct text is analysed once and its plan kept;
// after that, collecting keys is string building: per table a handful of keys, per row shown one.
import type { DependencyKey } from '../../core/units.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import type { Catalog } from '../schema/catalog.ts';
import { analyse } from '../statement/analyse.ts';
import { runsOnlyPostgres } from '../statement/own-code.ts';
import { leftBehind } from '../statement/session-state.ts';
import { StatementRefusedError } from './recorder-errors.ts';
import { collect, movingParams, type Result } from './recorder-keys.ts';
import { type CompiledPlan, compile } from './recorder-plan.ts';

export interface RecorderOptions {
  readonly catalog: Catalog;
  /** Plans kept; the texts of an application are few, unless it builds them with values inside. */
  readonly maxStatements?: number;
}

/**
 * One per worker. Needs libpg-query's `loadModule()` to have run.
 * `use` replaces the catalog when the schema has changed: all plans are made again.
 */
export class DependencyRecorder {
  private catalog: Catalog;
  private readonly maxStatements: number;
  private readonly plans = new Map<string, CompiledPlan>();
  /** Of the texts that passed `check`: whether they leave nothing behind. */
  private readonly checked = new Map<string, boolean>();

  constructor(options: RecorderOptions) {
    this.catalog = options.catalog;
    this.maxStatements = options.maxStatements ?? 2000;
  }

  use(catalog: Catalog): void {
    this.catalog = catalog;
    this.plans.clear();
    this.checked.clear();
  }

  /**
   * Before a statement runs: throws `E_STATEMENT_REFUSED` for one that writes, locks, or says that it changes its session.
   * True: no code but Postgres' own runs in it, so it leaves nothing behind.
   */
  check(sql: string): boolean {
    const known = this.checked.get(sql);
    if (known !== undefined) return known;
    const plan = this.planOf(sql);
    const left = plan.refused === undefined ? leftBehind(sql) : undefined;
    const why = plan.refused ?? (left && `it ${left}`);
    if (why !== undefined) throw new StatementRefusedError(sql, why);
    const leavesNothing = runsOnlyPostgres(sql, this.catalog);
    if (this.checked.size >= this.maxStatements) this.checked.clear();
    this.checked.set(sql, leavesNothing);
    return leavesNothing;
  }

  /** After a statement ran. Keys go to the key recorder, and the reasons why keys will not tell the whole story. */
  onStatement(
    sql: string,
    params: readonly unknown[] | undefined,
    result: Result,
    keyRecorder: KeyRecorder,
  ): void {
    const plan = this.planOf(sql);
    if (plan.refused !== undefined) throw new StatementRefusedError(sql, plan.refused);
    for (const why of plan.untracked) keyRecorder.untracked(`${why} (in: ${abridged(sql)})`);
    if (params !== undefined && movingParams(plan, params)) {
      keyRecorder.untracked(`a parameter such as 'today' may mean a moving time (in: ${abridged(sql)})`);
    }
    collect(plan, params ?? [], result, keyRecorder);
  }

  private planOf(sql: string): CompiledPlan {
    const known = this.plans.get(sql);
    if (known !== undefined) return known;
    const plan = compile(analyse(sql, this.catalog));
    if (this.plans.size >= this.maxStatements) {
      // The oldest goes; texts that are in use come back at the cost of one analysis.
      for (const oldest of this.plans.keys()) {
        this.plans.delete(oldest);
        break;
      }
    }
    this.plans.set(sql, plan);
    return plan;
  }
}

/** For tests and for `explain`: the keys of one result, without a recorder. */
export function keysOf(
  catalog: Catalog,
  sql: string,
  params: readonly unknown[],
  result: Result,
): {
  readonly keys: Set<DependencyKey>;
  readonly untracked: string[];
} {
  const keys = new Set<DependencyKey>();
  const untracked: string[] = [];
  const keyRecorder: KeyRecorder = {
    add: (key) => void keys.add(key),
    untracked: (why) => void untracked.push(why),
  };
  new DependencyRecorder({ catalog }).onStatement(sql, params, result, keyRecorder);
  return { keys, untracked };
}

const abridged = (sql: string): string => {
  const line = sql.replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
};
