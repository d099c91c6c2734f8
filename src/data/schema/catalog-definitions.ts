// What has to be purged when definitions have changed: the keys of what changed, and of all that rests on it. Postgres
// knows most of it (pg_depend: views, bodies that it keeps as understood, types, operators, aggregates, defaults). A body
// that it keeps as text rests on everything whose name stands in it: too much now and then, never too little.

import type { DependencyKey } from '../../core/units.ts';
import {
  encodeName,
  functionKey,
  type Operand,
  operandsKey,
  operatorKey,
  relationName,
  schemaKey,
  tableKey,
} from '../keys/keys.ts';
import type { RawCatalog, RawOperator, RawRelation } from './catalog-query.ts';

interface Definition {
  /** What texts call it by. */
  readonly name: string;
  readonly sort: 'relation' | 'function' | 'operator' | 'other';
  text: string;
  readonly keys: readonly DependencyKey[];
  readonly oids: string[];
  /** Source that Postgres keeps as text. */
  source: string;
}

/** The oid under which the catalog's query names what any statement may use unasked. */
const unasked = '0';

export const pathOf = (schema: string, name: string): string => `${encodeName(schema)}/${encodeName(name)}`;

/** Everything whose change may change a result, by a name of its own, with the keys that tell of it. */
export class Definitions {
  readonly #all = new Map<string, Definition>();
  readonly #raw: RawCatalog;
  /** Of parts of text search whose names Postgres' own do not have, by path. */
  readonly #searchParts = new Map<string, string>();

  constructor(raw: RawCatalog) {
    this.#raw = raw;
    this.#addRelations();
    this.#addFunctions();
    for (const type of raw.types ?? []) {
      const key = tableKey(relationName(type.schema, type.name));
      this.#add(
        `type ${pathOf(type.schema, type.name)}`,
        type.name,
        'relation',
        [key],
        type.version,
        type.oid,
      );
    }
    const builtinOperators = new Set(raw.builtinOperators);
    for (const operator of raw.operators ?? []) {
      const { name, version, oid } = operator;
      const keys = builtinOperators.has(name) ? meantBy(operator) : [operatorKey(name)];
      this.#add(`operator ${oid}`, name, 'operator', keys, version, oid);
    }
    for (const { oid, version } of raw.casts ?? []) this.#add(`cast ${oid}`, '', 'other', [], version, oid);
    for (const { oid, name, version, ambiguous } of raw.searchParts ?? []) {
      const path = `text search ${name} ${oid}`;
      this.#add(path, '', 'other', [schemaKey], version, oid);
      if (!ambiguous) this.#searchParts.set(path, name);
    }
    const { impureOperators, ownEqualities, impureCasts, impureOrder, searchPath, builtins, version } = raw;
    const rest = [impureOperators, ownEqualities, impureCasts, impureOrder, searchPath, builtins, version];
    this.#add('rest', '', 'other', [schemaKey], JSON.stringify(rest), unasked);
  }

  /** The keys to purge when these definitions have become `next`. */
  changesTo(next: Definitions): Set<DependencyKey> {
    const changed = new Set<string>();
    for (const path of [...this.#all.keys(), ...next.#all.keys()]) {
      const isChanged = this.#all.get(path)?.text !== next.#all.get(path)?.text;
      if (isChanged && !this.#knowsNothingLike(path, next)) changed.add(path);
    }
    const keys = new Set<DependencyKey>();
    if (changed.size === 0) return keys;
    // A new name may stand before one that statements meant until now; also one that came and went, or the other way
    // round, between the two catalog snapshot.
    const names = new Set([...changed].flatMap((path) => nameOf(this.#all.get(path) ?? next.#all.get(path))));
    for (const one of [this, next]) {
      for (const definition of one.#all.values()) {
        if (nameOf(definition).some((name) => names.has(name)))
          for (const key of definition.keys) keys.add(key);
      }
      for (const definition of one.#restingOn(changed)) for (const key of definition.keys) keys.add(key);
    }
    return keys;
  }

  equals(next: Definitions): boolean {
    if (this.#all.size !== next.#all.size) return false;
    return [...this.#all].every(([path, { text }]) => next.#all.get(path)?.text === text);
  }

  /** A new part of text search, under a name that meant nothing so far. What begins to use it changes, too. */
  #knowsNothingLike(path: string, next: Definitions): boolean {
    const name = next.#searchParts.get(path);
    return (
      name !== undefined &&
      !this.#all.has(path) &&
      ![...this.#searchParts.values()].some((one) => one === name)
    );
  }

  #addRelations(): void {
    const relations = new Map((this.#raw.relations ?? []).map((relation) => [relation.oid, relation]));
    for (const relation of relations.values()) {
      const { schema, name } = relation;
      const root = (relation.root === null ? undefined : relations.get(relation.root)) ?? relation;
      const ancestors = new Set<RawRelation>([root]);
      const climb = ({ parents }: RawRelation): void => {
        for (const parent of (parents ?? []).flatMap((oid) => relations.get(oid) ?? [])) {
          ancestors.add(parent);
          climb(parent);
        }
      };
      climb(relation);
      // A partition or child attached, detached or redefined changes what all above it hold.
      const keys = [...ancestors].map((one) => tableKey(relationName(one.schema, one.name)));
      const path = `relation ${pathOf(schema, name)}`;
      // Which columns rows are named by is told apart: what an index changes is not what a row means.
      const text = JSON.stringify({ ...relation, indexed: null, unique: null });
      this.#add(path, name, 'relation', keys, text, relation.oid);
    }
  }

  #addFunctions(): void {
    const builtins = new Set(this.#raw.builtins.map(([name]) => name));
    for (const fn of this.#raw.functions ?? []) {
      const { schema, name, oid } = fn;
      // Those who call Postgres' function of a name have recorded that, whatever schema another one comes up in.
      const keys = [
        functionKey(schema, name),
        ...(builtins.has(name) ? [functionKey('pg_catalog', name)] : []),
      ];
      const source = fn.standard ? '' : (fn.definition ?? fn.body ?? '');
      this.#add(`function ${pathOf(schema, name)}`, name, 'function', keys, JSON.stringify(fn), oid, source);
    }
  }

  /** Overloads are one definition. */
  #add(
    path: string,
    name: string,
    sort: Definition['sort'],
    keys: readonly DependencyKey[],
    text: string,
    oid: string,
    source = '',
  ): void {
    const known = this.#all.get(path);
    if (known === undefined) {
      this.#all.set(path, { name, sort, text, keys, oids: [oid], source });
      return;
    }
    known.text += text;
    known.source += `\n${source}`;
    known.oids.push(oid);
  }

  /** All that rests on the definitions of these paths, themselves included. */
  #restingOn(paths: ReadonlySet<string>): Set<Definition> {
    // An oid is unique in its catalog only; two things of one oid count as one.
    const above = new Map<string, string[]>();
    for (const [object, rests] of this.#raw.rests ?? []) {
      for (const oid of rests) push(above, oid, object);
    }
    const owners = new Map<string, Definition[]>();
    for (const definition of this.#all.values()) {
      for (const oid of definition.oids) push(owners, oid, definition);
    }
    const mentions = this.#mentions();
    const found = new Set<Definition>();
    const seen = new Set<string>();
    const visit = (oid: string): void => {
      if (seen.has(oid)) return;
      seen.add(oid);
      for (const owner of owners.get(oid) ?? []) take(owner);
      for (const object of above.get(oid) ?? []) visit(object);
    };
    const take = (definition: Definition): void => {
      if (found.has(definition)) return;
      found.add(definition);
      for (const oid of definition.oids) visit(oid);
      for (const other of mentions.get(definition.name) ?? []) take(other);
    };
    for (const path of paths) {
      const definition = this.#all.get(path);
      if (definition !== undefined) take(definition);
    }
    return found;
  }

  /** For each name, the definitions in whose text it stands. */
  #mentions(): Map<string, Definition[]> {
    const known = new Set<string>();
    const operators = new Set<string>();
    for (const { name, sort } of this.#all.values()) (sort === 'operator' ? operators : known).add(name);
    const mentions = new Map<string, Definition[]>();
    for (const definition of this.#all.values()) {
      const { source } = definition;
      if (source === '') continue;
      for (const word of wordsOf(source)) if (known.has(word)) push(mentions, word, definition);
      for (const operator of operators) if (source.includes(operator)) push(mentions, operator, definition);
    }
    return mentions;
  }
}

/**
 * Who writes an operator that Postgres has too, and may mean this one: with something other than a literal only where its
 * operand can be something other than the application's own type. What is of that type rests on the operator.
 */
function meantBy({ name, closed }: RawOperator): DependencyKey[] {
  let written: Operand[][] = [[]];
  for (const only of closed) {
    const operands: readonly Operand[] = only ? ['?'] : ['?', '_'];
    written = written.flatMap((before) => operands.map((operand) => [...before, operand]));
  }
  return written.map((operands) => operandsKey(name, operands));
}

/** Functions and relations do not stand before each other; an operator's keys are the same wherever it stands. */
const nameOf = (definition: Definition | undefined): string[] =>
  definition === undefined || definition.name === '' || definition.sort === 'operator'
    ? []
    : [`${definition.sort} ${definition.name}`];

const words = /"((?:[^"]|"")*)"|[\p{L}_][\p{L}\p{N}_$]*/gu;

/** Names as they would be looked up, those in strings and comments among them. */
function wordsOf(source: string): Set<string> {
  const found = new Set<string>();
  for (const [word, quoted] of source.matchAll(words)) {
    if (quoted === undefined) found.add(word.toLowerCase());
    else {
      // What looks like a name in quotes may be a string that holds quotes.
      found.add(quoted.replaceAll('""', '"'));
      for (const inner of wordsOf(quoted)) found.add(inner);
    }
  }
  return found;
}

function push<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
