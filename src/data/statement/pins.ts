// Which rows of a table can matter to a block: conditions that a row must meet or it never contributes.
//
// A condition pins a scan only where it stands above every row of that scan: in WHERE, in the ON of an inner
// join, or in the ON of an outer join for the side that is padded with NULLs. Conditions that NULL can meet do
// not pin a scan that may be padded. From `a.x = b.y` the values of one side pass to the other: rows of `a`
// that could only pair with rows of `b` that never contribute, never contribute either.

import type { ValueKind } from '../keys/keys-value.ts';
import { canonical } from '../keys/keys-value.ts';
import { builtinKinds } from '../schema/catalog.ts';
import type { Pin, PinnedColumn, Source } from './plan.ts';
import type { BaseColumn, Scan } from './scope.ts';
import { type Body, child, children, constant, items, names, part, type Tree, text } from './tree.ts';

/** A condition with the scans that it stands above. */
export interface Fact {
  readonly condition: Tree;
  /** Finds the base column that a reference certainly names; undefined otherwise. */
  readonly resolve: (reference: Tree) => Resolved | undefined;
  readonly applies: ReadonlySet<Scan>;
  readonly padded: ReadonlySet<Scan>;
}

export interface Resolved extends BaseColumn {
  /** The result's column that shows it, where the condition is only asked for rows of the result. */
  readonly shown: number | undefined;
}

/** What a parameter may stand for; false where its type is not certain to be the column's. */
export type ParamCheck = (index: number, kind: ValueKind) => boolean;

/** More values than these are no longer named one by one. */
const maxConstants = 200;

/** Writes what the facts say into the scans' `values` and `alternatives`. */
export function solve(facts: readonly Fact[], paramOk: ParamCheck): void {
  const equalities: { readonly fact: Fact; readonly left: Resolved; readonly right: Resolved }[] = [];
  for (const fact of facts) {
    for (const condition of conjuncts(fact.condition)) {
      const pair = columnsEqual(condition, fact);
      if (pair !== undefined) equalities.push({ fact, ...pair });
      for (const [scan, pins] of pinsOf(condition, fact, paramOk)) {
        if (!fact.applies.has(scan)) continue;
        const [only] = pins;
        const column = only?.columns[0];
        if (pins.length === 1 && column !== undefined && only?.columns.length === 1) {
          if (!scan.values.has(column.name)) scan.values.set(column.name, column.sources);
        } else if (pins.length === 1 && only !== undefined) {
          for (const one of only.columns)
            if (!scan.values.has(one.name)) scan.values.set(one.name, one.sources);
        } else scan.alternatives.push(pins);
      }
    }
  }
  for (let moved = true; moved; ) {
    moved = false;
    for (const { fact, left, right } of equalities) {
      if (pass(fact, left, right) || pass(fact, right, left)) moved = true;
    }
  }
}

/** Gives `to` the values that `from` is known to be limited to. */
function pass(fact: Fact, from: Resolved, to: Resolved): boolean {
  if (!fact.applies.has(to.scan) || to.scan.values.has(to.column)) return false;
  const known =
    from.scan.values.get(from.column) ??
    (from.shown === undefined ? undefined : [{ kind: 'output', index: from.shown } as const]);
  // `=` never holds for NULL, so values that stand for NULL have nothing to pass.
  if (known === undefined || known.some((source) => source.kind === 'null' || isNullable(source)))
    return false;
  to.scan.values.set(to.column, known);
  return true;
}

const isNullable = (source: Source): boolean => source.kind === 'param' && source.matchesNull;

/** The best list of pins that holds every row of the scan that matters; undefined: any row may. */
export function choosePins(scan: Scan): readonly Pin[] | undefined {
  const { relation, values } = scan;
  const row = pinnedColumns(scan, relation.primaryKey);
  if (row !== undefined) return [{ row: true, columns: row }];
  let best: { readonly pins: readonly Pin[]; readonly cost: number } | undefined;
  const offer = (pins: readonly Pin[], cost: number): void => {
    if (best === undefined || cost < best.cost) best = { pins, cost };
  };
  for (const name of values.keys()) {
    const columns = pinnedColumns(scan, [name]);
    const column = columns?.[0];
    if (columns === undefined || column === undefined || !relation.pinnable.has(name)) continue;
    const unique = relation.unique.has(name) ? -100 : 0;
    offer([{ row: false, columns }], unique + breadth[column.kind] + listCost(column));
  }
  for (const pins of scan.alternatives) {
    const usable = pins.map((pin) => usablePin(scan, pin));
    if (usable.every((pin) => pin !== undefined)) offer(usable, 5 * usable.length);
  }
  return best?.pins;
}

/** Kinds with few values name many rows each. */
const breadth: Readonly<Record<ValueKind, number>> = {
  uuid: 1,
  text: 2,
  int: 2,
  char: 2,
  numeric: 2,
  date: 4,
  enum: 20,
  bool: 30,
};

const listCost = (column: PinnedColumn): number =>
  column.sources.reduce(
    (cost, source) => cost + (source.kind === 'list' ? 3 : source.kind === 'null' ? 8 : 1),
    0,
  );

function pinnedColumns(scan: Scan, columns: readonly string[]): PinnedColumn[] | undefined {
  const pinned: PinnedColumn[] = [];
  for (const name of columns) {
    const kind = scan.relation.columns.get(name)?.kind;
    const sources = scan.values.get(name);
    if (kind === undefined || sources === undefined) return undefined;
    pinned.push({ name, kind, sources });
  }
  return pinned.length === 0 ? undefined : pinned;
}

/** One branch of an OR: the whole primary key, or one pinnable column of what it names. */
function usablePin(scan: Scan, pin: Pin): Pin | undefined {
  const { primaryKey, pinnable } = scan.relation;
  const named = new Map(pin.columns.map((column) => [column.name, column]));
  const row = primaryKey.flatMap((name) => named.get(name) ?? []);
  if (row.length > 0 && row.length === primaryKey.length) return { row: true, columns: row };
  const column = pin.columns.find((one) => pinnable.has(one.name));
  return column === undefined ? undefined : { row: false, columns: [column] };
}

export function conjuncts(condition: Tree): Tree[] {
  if (condition.kind === 'BoolExpr' && condition.body.boolop === 'AND_EXPR') {
    return children(condition.body, 'args').flatMap(conjuncts);
  }
  return [condition];
}

export function columnsEqual(condition: Tree, fact: Fact): { left: Resolved; right: Resolved } | undefined {
  if (!isOperator(condition, 'AEXPR_OP')) return undefined;
  const left = resolved(child(condition.body, 'lexpr'), fact);
  const right = resolved(child(condition.body, 'rexpr'), fact);
  if (left === undefined || right === undefined) return undefined;
  const kind = kindOf(left);
  return kind !== undefined && kind === kindOf(right) && kind !== 'numeric' ? { left, right } : undefined;
}

const kindOf = ({ scan, column }: BaseColumn): ValueKind | undefined =>
  scan.relation.columns.get(column)?.kind;

function resolved(tree: Tree | undefined, fact: Fact): Resolved | undefined {
  return tree?.kind === 'ColumnRef' ? fact.resolve(tree) : undefined;
}

function isOperator(tree: Tree, kind: string): boolean {
  if (tree.kind !== 'A_Expr' || tree.body.kind !== kind) return false;
  const name = names(tree.body, 'name');
  return name[name.length - 1] === '=' && (name.length === 1 || name[0] === 'pg_catalog');
}

type Pins = Map<Scan, Pin[]>;

/** For each scan: if a row of it is in none of the pins, the condition is not true for it. */
function pinsOf(condition: Tree, fact: Fact, paramOk: ParamCheck): Pins {
  if (condition.kind === 'BoolExpr') {
    const args = children(condition.body, 'args').map((arg) => arg);
    if (condition.body.boolop === 'OR_EXPR') return either(args.map((arg) => pinsOf(arg, fact, paramOk)));
    if (condition.body.boolop === 'AND_EXPR') return both(args.map((arg) => pinsOf(arg, fact, paramOk)));
    const [arg] = args;
    return arg?.kind === 'ColumnRef' ? one(arg, fact, constantOf('false')) : new Map();
  }
  if (condition.kind === 'ColumnRef') return one(condition, fact, constantOf('true'));
  if (condition.kind === 'NullTest' && condition.body.nulltesttype === 'IS_NULL') {
    return one(child(condition.body, 'arg'), fact, () => [{ kind: 'null' }], true);
  }
  if (condition.kind === 'BooleanTest') {
    const arg = child(condition.body, 'arg');
    if (condition.body.booltesttype === 'IS_TRUE') return one(arg, fact, constantOf('true'));
    if (condition.body.booltesttype === 'IS_FALSE') return one(arg, fact, constantOf('false'));
    if (condition.body.booltesttype === 'IS_UNKNOWN') return one(arg, fact, () => [{ kind: 'null' }], true);
    return new Map();
  }
  return comparison(condition, fact, paramOk);
}

function comparison(condition: Tree, fact: Fact, paramOk: ParamCheck): Pins {
  const { body } = condition;
  const left = child(body, 'lexpr');
  const right = child(body, 'rexpr');
  if (isOperator(condition, 'AEXPR_OP')) {
    if (left?.kind === 'RowExpr' && right?.kind === 'RowExpr') return rowsEqual(left, right, fact, paramOk);
    const scalar = (operand: Tree | undefined) => (kind: ValueKind) =>
      scalarSource(operand, kind, false, paramOk);
    const forward = one(left, fact, scalar(right));
    return forward.size > 0 ? forward : one(right, fact, scalar(left));
  }
  if (isOperator(condition, 'AEXPR_NOT_DISTINCT')) {
    const scalar = (operand: Tree | undefined) => (kind: ValueKind) =>
      scalarSource(operand, kind, true, paramOk);
    const forward = one(left, fact, scalar(right), true);
    return forward.size > 0 ? forward : one(right, fact, scalar(left), true);
  }
  if (isOperator(condition, 'AEXPR_IN')) {
    const values = items(right);
    if (values.length === 0 || values.length > maxConstants) return new Map();
    if (left?.kind === 'RowExpr') {
      return either(
        values.map((value) => (value.kind === 'RowExpr' ? rowsEqual(left, value, fact, paramOk) : new Map())),
      );
    }
    return one(left, fact, (kind) => {
      const sources = values.map((value) => scalarSource(value, kind, false, paramOk));
      return sources.every((source) => source !== undefined) ? sources.flat() : undefined;
    });
  }
  if (isOperator(condition, 'AEXPR_OP_ANY'))
    return one(left, fact, (kind) => listSource(right, kind, paramOk));
  return new Map();
}

/** `(a, b) = (1, 2)`: one pin of several columns, when one scan holds them all. */
function rowsEqual(left: Tree, right: Tree, fact: Fact, paramOk: ParamCheck): Pins {
  const columns = children(left.body, 'args');
  const values = children(right.body, 'args');
  if (columns.length !== values.length) return new Map();
  return both(
    columns.map((column, i) => one(column, fact, (kind) => scalarSource(values[i], kind, false, paramOk))),
  );
}

function one(
  reference: Tree | undefined,
  fact: Fact,
  sourcesOf: (kind: ValueKind) => readonly Source[] | undefined,
  matchesNull = false,
): Pins {
  const column = resolved(reference, fact);
  const kind = column === undefined ? undefined : kindOf(column);
  if (column === undefined || kind === undefined) return new Map();
  if (matchesNull && fact.padded.has(column.scan)) return new Map();
  const sources = sourcesOf(kind);
  if (sources === undefined) return new Map();
  return new Map([[column.scan, [{ row: false, columns: [{ name: column.column, kind, sources }] }]]]);
}

/** Every branch must pin the scan, or rows that no branch names may come in by the other. */
function either(branches: readonly Pins[]): Pins {
  const [first, ...rest] = branches;
  const all: Pins = new Map(first);
  for (const branch of rest) {
    for (const [scan, pins] of all) {
      const more = branch.get(scan);
      if (more === undefined) all.delete(scan);
      else all.set(scan, [...pins, ...more]);
    }
  }
  for (const [scan, pins] of all) all.set(scan, merged(pins));
  return all;
}

/** `a = 1 OR a = 2` is one pin with two values. */
function merged(pins: readonly Pin[]): Pin[] {
  const [first] = pins;
  const column = first?.columns[0];
  if (column === undefined) return [...pins];
  const same = pins.every((pin) => pin.columns.length === 1 && pin.columns[0]?.name === column.name);
  if (!same) return [...pins];
  return [
    { row: false, columns: [{ ...column, sources: pins.flatMap((pin) => pin.columns[0]?.sources ?? []) }] },
  ];
}

/** All must hold: single pins join into one of several columns; of alternatives the shortest is kept. */
function both(parts: readonly Pins[]): Pins {
  const all: Pins = new Map();
  for (const pins of parts) {
    for (const [scan, list] of pins) {
      const known = all.get(scan);
      const [old, ...oldRest] = known ?? [];
      const [more, ...moreRest] = list;
      if (old === undefined || more === undefined) all.set(scan, list);
      else if (oldRest.length === 0 && moreRest.length === 0) {
        const fresh = more.columns.filter((column) =>
          old.columns.every((other) => other.name !== column.name),
        );
        all.set(scan, [{ row: false, columns: [...old.columns, ...fresh] }]);
      } else if (list.length < (known?.length ?? 0)) all.set(scan, list);
    }
  }
  return all;
}

function constantOf(word: 'true' | 'false') {
  return (kind: ValueKind): Source[] | undefined =>
    kind === 'bool' ? [{ kind: 'constant', value: word === 'true' ? 't' : 'f' }] : undefined;
}

function scalarSource(
  operand: Tree | undefined,
  kind: ValueKind,
  matchesNull: boolean,
  paramOk: ParamCheck,
): Source[] | undefined {
  const value = operand?.kind === 'TypeCast' ? castTo(operand.body, kind, false) : operand;
  if (value === undefined) return undefined;
  if (value.kind === 'ParamRef') {
    const index = paramIndex(value.body);
    return paramOk(index, kind) ? [{ kind: 'param', index, matchesNull }] : undefined;
  }
  const written = constant(value);
  if (written === undefined) return undefined;
  if (written === null) return matchesNull ? [{ kind: 'null' }] : [];
  const exact = canonical(kind, written);
  return exact === undefined ? undefined : [{ kind: 'constant', value: exact }];
}

function listSource(operand: Tree | undefined, kind: ValueKind, paramOk: ParamCheck): Source[] | undefined {
  const value = operand?.kind === 'TypeCast' ? castTo(operand.body, kind, true) : operand;
  if (value === undefined) return undefined;
  if (value.kind === 'ParamRef') {
    const index = paramIndex(value.body);
    return paramOk(index, kind) ? [{ kind: 'list', index }] : undefined;
  }
  if (value.kind !== 'A_ArrayExpr') return undefined;
  const elements = children(value.body, 'elements');
  if (elements.length > maxConstants) return undefined;
  const sources = elements.map((element) => scalarSource(element, kind, false, paramOk));
  return sources.every((source) => source !== undefined) ? sources.flat() : undefined;
}

/** pg's numbers count from 0 here: the first parameter is 0. */
const paramIndex = (body: Body): number => (typeof body.number === 'number' ? body.number : 0) - 1;

/** What is cast, when the cast is to the column's own kind and cannot cut or round the value. */
function castTo(cast: Body, kind: ValueKind, array: boolean): Tree | undefined {
  const type = part(cast, 'typeName');
  if (type === undefined || children(type, 'typmods').length > 0) return undefined;
  if (children(type, 'arrayBounds').length > 0 !== array || type.setof === true) return undefined;
  const path = names(type, 'names');
  const name = path[path.length - 1] ?? '';
  const known = path.length === 1 || path[0] === 'pg_catalog' ? builtinKinds.get(name) : undefined;
  // An enum compares with its own type only, whatever that is called.
  const fits = kind === 'enum' ? known === undefined && text(type, 'names') === undefined : known === kind;
  return fits ? child(cast, 'arg') : undefined;
}
