// A statement's plan made ready for its results: what is the same for every one of them is built here, once.
import { columnOfRow, rowItself } from '../../core/row-keys.ts';
import type { DependencyKey } from '../../core/units.ts';
import {
  columnKey,
  columnWithinHead,
  encodeName,
  partlyKey,
  pinnedKey,
  rowHead,
  rowsKey,
  tableKey,
  unknownValueKey,
  valueHead,
} from '../keys/keys.ts';
import type { Pin, PinnedColumn, ScanPlan, StatementPlan } from '../statement/plan.ts';

export interface CompiledPlan {
  readonly refused: string | undefined;
  readonly untracked: readonly string[];
  readonly always: readonly DependencyKey[];
  readonly scans: readonly CompiledScan[];
  /** The result's column names, where the analysis knows them. */
  readonly outputs: readonly string[] | undefined;
  /** Parameters that are compared with a column which holds no time. */
  readonly timeless: ReadonlySet<number>;
}

export interface CompiledScan {
  readonly pins: readonly CompiledPin[] | undefined;
  readonly pinsWhenShown: readonly CompiledPin[] | undefined;
  readonly rowKey: ScanPlan['rowKey'];
  readonly rowHead: string;
  /** What follows a row's key, for each key that a row gives. */
  readonly pinnedTails: readonly string[];
  readonly shownTails: readonly string[];
  /** When any row may matter, and rows are named by the result: the keys beside the rows'. */
  readonly open: readonly DependencyKey[];
  /** The columns only shown, where the result does not name its rows. */
  readonly shown: readonly DependencyKey[];
}

export interface CompiledPin {
  readonly columns: readonly PinnedColumn[];
  /** Undefined: the columns are the primary key's. */
  readonly byValue: ByValue | undefined;
}

/** What the keys of rows pinned by a column that is no key begin with; each value is added to each of them. */
export interface ByValue {
  readonly heads: readonly string[];
  /** The same where the result does not name its rows. */
  readonly headsUnnamed: readonly string[];
  /** Whether it names them matters. */
  readonly names: boolean;
  readonly leavers: boolean;
  readonly unknown: DependencyKey;
  /** Rows are named by the column. */
  readonly pinned: DependencyKey;
}

export function compile(plan: StatementPlan): CompiledPlan {
  if (plan.kind === 'refused')
    return {
      refused: plan.why,
      untracked: [],
      always: [],
      scans: [],
      outputs: undefined,
      timeless: new Set(),
    };
  const tables = plan.scans.flatMap(({ table, toldWhole }) =>
    toldWhole ? [tableKey(table), partlyKey(table)] : [tableKey(table)],
  );
  return {
    refused: undefined,
    untracked: plan.untracked,
    outputs: plan.outputs,
    timeless: timelessParams(plan.scans),
    always: [...new Set([...plan.definitions, ...tables])],
    scans: plan.scans.map((scan) => ({
      pins: scan.pins?.map((pin) => compilePin(scan, pin)),
      pinsWhenShown: scan.pinsWhenShown?.map((pin) => compilePin(scan, pin)),
      rowKey: scan.rowKey,
      rowHead: rowHead(scan.table),
      open: [rowsKey(scan.table), ...scan.filter.map((name) => columnKey(scan.table, name))],
      pinnedTails: tailsOf(scan.pinnedColumns),
      shownTails: tailsOf(scan.shownColumns),
      shown: scan.output.map((name) => columnKey(scan.table, name)),
    })),
  };
}

/** The row's own key where its columns are not known. */
function tailsOf(columns: readonly string[] | undefined): string[] {
  return columns === undefined
    ? ['']
    : [rowItself(''), ...columns.map((name) => columnOfRow('', encodeName(name)))];
}

function compilePin(scan: ScanPlan, { row, columns }: Pin): CompiledPin {
  const pinned = columns[0]?.name;
  if (row || pinned === undefined) return { columns, byValue: undefined };
  const headsOf = (names: readonly string[]): string[] => [
    valueHead(scan.table, pinned),
    ...[...new Set(names)]
      .filter((name) => name !== pinned)
      .map((name) => columnWithinHead(scan.table, name, pinned)),
  ];
  return {
    columns,
    byValue: {
      heads: headsOf(scan.filter),
      headsUnnamed: headsOf([...scan.filter, ...scan.output]),
      names: scan.output.length > 0 || !scan.leavers,
      leavers: scan.leavers,
      unknown: unknownValueKey(scan.table, pinned),
      pinned: pinnedKey(scan.table, pinned),
    },
  };
}

function timelessParams(scans: readonly ScanPlan[]): Set<number> {
  const indexes = new Set<number>();
  for (const column of scans.flatMap((scan) => scan.pins ?? []).flatMap((pin) => pin.columns)) {
    for (const source of column.sources) {
      if (source.kind === 'param' && column.kind !== 'date') indexes.add(source.index);
    }
  }
  return indexes;
}
