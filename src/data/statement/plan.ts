// What the analysis of a statement comes to: for each table it reads, how the keys of a result are made.
import type { DependencyKey } from '../../core/units.ts';
import type { RelationName } from '../keys/keys.ts';
import type { ValueKind } from '../keys/keys-value.ts';

/** Where the values come from that rows are pinned by. */
export type Source =
  /** Written in the statement, in canonical text. */
  | { readonly kind: 'constant'; readonly value: string }
  /** `IS NULL` */
  | { readonly kind: 'null' }
  /** `= $1`; NULL matches nothing, or, under IS NOT DISTINCT FROM, the rows without a value. */
  | { readonly kind: 'param'; readonly index: number; readonly matchesNull: boolean }
  /** `= ANY($1)` */
  | { readonly kind: 'list'; readonly index: number }
  /** The value that each row of the result shows in this column. */
  | { readonly kind: 'output'; readonly index: number };

export interface PinnedColumn {
  readonly name: string;
  readonly kind: ValueKind;
  /** One of these values. */
  readonly sources: readonly Source[];
}

/** Rows of a table: those whose columns have one of the values each. `row`: the columns are the primary key's, in order. */
export interface Pin {
  readonly row: boolean;
  readonly columns: readonly PinnedColumn[];
}

/** One reading of one table. */
export interface ScanPlan {
  readonly table: RelationName;
  /** The reading sees only rows of these pins; undefined: it may see any row. */
  readonly pins: readonly Pin[] | undefined;
  /** The same, where the result has a row: what it was joined with is then there, and nothing that comes can matter. */
  readonly pinsWhenShown: readonly Pin[] | undefined;
  /**
   * A row that is not shown and leaves, or moves away from the pins, can change the result (it shifts an OFFSET,
   * it was counted, it had kept another row from being padded).
   */
  readonly leavers: boolean;
  /** Columns that decide which rows are seen, in what order, and what is computed over several rows. */
  readonly filter: readonly string[];
  /** Columns that are only shown, by the rows of the result. */
  readonly output: readonly string[];
  /** Its keys rely on a log that has whole old rows. */
  readonly toldWhole: boolean;
  /** Of a row that is pinned, the columns that matter here, its key aside. Undefined: all, or the log tells no columns. */
  readonly pinnedColumns: readonly string[] | undefined;
  /** The same of a row that is shown. */
  readonly shownColumns: readonly string[] | undefined;
  /** The result's columns that hold the primary key of the row shown. */
  readonly rowKey: readonly { readonly index: number; readonly kind: ValueKind }[] | undefined;
}

export interface TrackedPlan {
  readonly kind: 'tracked';
  /** Views, functions and the schema itself: keys of definitions that the statement goes through. */
  readonly definitions: readonly DependencyKey[];
  readonly scans: readonly ScanPlan[];
  /** Why changes can happen that no key tells of. Not empty: the page lives by its TTL only. */
  readonly untracked: readonly string[];
  /** Names of the result's columns as far as the analysis knows them; '' where it does not. */
  readonly outputs: readonly string[] | undefined;
}

/** The statement writes or locks: nothing that a page's `load` may do. */
export interface RefusedPlan {
  readonly kind: 'refused';
  readonly why: string;
}

export type StatementPlan = TrackedPlan | RefusedPlan;
