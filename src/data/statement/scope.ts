// Names in a statement and what they stand for. A block (one SELECT) has a scope; a subquery that only
// renames, joins and filters is looked through, so that a pin on a view's column lands on the table's.
import type { Relation } from '../schema/catalog.ts';
import type { Pin, Source } from './plan.ts';
import type { Tree } from './tree.ts';

/** What a column is used for: to decide something about several rows, or only to be shown in its own row. */
export type Use = 'filter' | 'output';

/** One reading of one table, as it is being understood. */
export interface Scan {
  readonly relation: Relation;
  readonly filter: Set<string>;
  readonly output: Set<string>;
  /** The block's result depends on rows only whose column has one of these values. */
  readonly values: Map<string, readonly Source[]>;
  /** The same by OR: lists of pins that together hold all rows that matter. */
  readonly alternatives: (readonly Pin[])[];
  /** In the outermost block: the result's column that shows this column. */
  readonly shownAs: Map<string, number>;
  leavers: boolean;
  lookup: readonly Pin[] | undefined;
  /** Pins that hold where the result is not empty. */
  whenShown: readonly Pin[] | undefined;
}

/** An output column of a block: a column of one of its items, or an expression. */
export interface Target {
  readonly name: string;
  readonly from:
    | { readonly item: Item; readonly column: string }
    | { readonly expression: Tree; readonly scope: Scope };
  /** Uses already walked. */
  readonly walked: Set<Use>;
}

export type Item =
  | {
      readonly kind: 'scan';
      readonly alias: string;
      readonly scan: Scan;
      readonly columns: ReadonlyMap<string, string>;
    }
  /** A subquery that is looked through. */
  | { readonly kind: 'derived'; readonly alias: string; readonly targets: ReadonlyMap<string, Target> }
  /** Anything whose columns have been counted where it stands. `names` undefined: not known. */
  | { readonly kind: 'opaque'; readonly alias: string; readonly names: ReadonlySet<string> | undefined };

export interface Scope {
  readonly items: Item[];
  readonly parent: Scope | undefined;
  /** What a column of an enclosing block is used for when this block names it. */
  readonly outerUse: Use;
  /** Names that stand for nothing here may be variables of a function. */
  readonly lenient: boolean;
  /** USING or NATURAL merges columns here. */
  merged: boolean;
}

export interface BaseColumn {
  readonly scan: Scan;
  readonly column: string;
}

export function newScan(relation: Relation): Scan {
  return {
    relation,
    filter: new Set(),
    output: new Set(),
    values: new Map(),
    alternatives: [],
    shownAs: new Map(),
    leavers: true,
    lookup: undefined,
    whenShown: undefined,
  };
}

/** Undefined: cannot say (names unknown). */
export function columnNames(item: Item): readonly string[] | undefined {
  switch (item.kind) {
    case 'scan':
      return [...item.columns.keys()];
    case 'derived':
      return [...item.targets.keys()];
    case 'opaque':
      return item.names === undefined ? undefined : [...item.names];
  }
}

export function hasColumn(item: Item, name: string): boolean {
  if (item.kind === 'scan') return item.columns.has(name);
  if (item.kind === 'derived') return item.targets.has(name);
  return item.names?.has(name) ?? true;
}

export interface Found {
  readonly items: readonly Item[];
  /** Undefined for a reference to the whole row. */
  readonly column: string | undefined;
  /** How many blocks up. */
  readonly depth: number;
  readonly use: Use;
}

/**
 * Who may be meant by a reference, innermost first. Several items in one block: ambiguous here, or merged by
 * USING: all of them are meant. It goes on outwards while what was found may have no such column after all.
 */
export function find(scope: Scope, fields: readonly string[], use: Use): Found[] {
  const column = fields[fields.length - 1] ?? '';
  const qualifier = fields.length > 1 ? fields[fields.length - 2] : undefined;
  const found: Found[] = [];
  const certain = outwards(scope, use, (current, depth, effective) => {
    const items = current.items.filter((item) =>
      qualifier === undefined ? hasColumn(item, column) : item.alias === qualifier,
    );
    if (items.length > 0)
      found.push({ items, column: column === '*' ? undefined : column, depth, use: effective });
    return items.some(
      (item) => item.kind !== 'opaque' || item.names !== undefined || qualifier !== undefined,
    );
  });
  // A name that is no column may be an item: its whole row.
  if (!certain && qualifier === undefined) {
    outwards(scope, use, (current, depth, effective) => {
      const items = current.items.filter((item) => item.alias === column);
      if (items.length > 0) found.push({ items, column: undefined, depth, use: effective });
      return items.length > 0;
    });
  }
  return found;
}

function outwards(scope: Scope, use: Use, look: (scope: Scope, depth: number, use: Use) => boolean): boolean {
  let current: Scope | undefined = scope;
  let effective = use;
  for (let depth = 0; current !== undefined; depth++) {
    if (look(current, depth, effective)) return true;
    // Whatever an inner block does with an outer column, it does for what the inner block itself is used for.
    effective = current.outerUse;
    current = current.parent;
  }
  return false;
}
