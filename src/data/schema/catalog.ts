// The schema as the analysis of statements and of changes sees it: both sides must hold the same catalog snapshot,
// or their keys do not meet. When the schema changes, the feed takes the new catalog snapshot first, then purges the
// keys of `catalogChanges` (at least one of which every statement concerned has recorded); a worker
// takes the new catalog snapshot when it applies that purge, before it renders anything with a newer stamp.
import type { DependencyKey } from '../../core/units.ts';
import { functionKey, pinnedKey, type RelationName, relationName, tableKey } from '../keys/keys.ts';
import type { ValueKind } from '../keys/keys-value.ts';
import { Definitions, pathOf } from './catalog-definitions.ts';
import {
  type CatalogReader,
  catalogSql,
  fingerprintSql,
  type RawCatalog,
  type RawColumn,
  type RawFunction,
  type RawRelation,
} from './catalog-query.ts';

export interface Column {
  readonly name: string;
  /** Undefined: its values are never named in keys. */
  readonly kind: ValueKind | undefined;
  /** Generated columns may be absent from the log: unknown there, and changed when one of their sources is. */
  readonly generated: boolean;
  /** The columns that a generated one is computed from; empty where that is not known. */
  readonly sources: readonly string[];
  readonly notNull: boolean;
  /** Its values are written with names of Postgres' catalog. */
  readonly namesCatalog: boolean;
}

export interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** The head of its keys. Of a partition: that of the partitioned table, under which both sides speak of it. */
  readonly keyName: RelationName;
  readonly columns: ReadonlyMap<string, Column>;
  /** Columns in key order; empty where there is none, or where its values cannot be written as keys. */
  readonly primaryKey: readonly string[];
  /** Columns by whose value rows are named: those of an index or of few, of a type that has a canonical text. */
  readonly pinnable: ReadonlySet<string>;
  readonly unique: ReadonlySet<string>;
  /** The log has the whole old row of its updates (REPLICA IDENTITY FULL), so it tells which columns changed. */
  readonly toldWhole: boolean;
  /** More than one table stands behind the name, so that its primary key is not known to be unique. */
  readonly inherited: boolean;
  /** SQL of a view; undefined for a table. */
  readonly view: string | undefined;
  /** Why its changes cannot be followed, or undefined. */
  readonly untracked: string | undefined;
  /** Row security may apply when another role (a view's owner, a definer) reads it. */
  readonly guarded: boolean;
  /** This relation and all that inherit from it down to here: the names a change of this table is told under. */
  readonly toldAs: readonly Relation[];
}

export interface SqlFunction {
  readonly oid: string;
  readonly key: DependencyKey;
  readonly kind: 'function' | 'aggregate' | 'window' | 'procedure';
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly language: string;
  readonly returnsSet: boolean;
  /** Nothing is read by it. */
  readonly pure: boolean;
  /** SQL: its body. PL/pgSQL: its whole definition. Otherwise undefined. */
  readonly source: string | undefined;
  /** The source was written out for the session that read the catalog, and means what it means there. */
  readonly standard: boolean;
  /** The setting that it runs under, where it has one of its own. */
  readonly searchPath: readonly string[] | undefined;
  /** The role it runs as, where that is not the caller's. */
  readonly runsAs: string | undefined;
  /** The application's own types among those that it takes and gives. */
  readonly types: readonly string[];
  readonly fewestArgs: number;
  readonly mostArgs: number;
  /** Expressions for arguments that are left out, as they mean in the session that read the catalog. */
  readonly defaults: string | undefined;
}

/** What decides where names that a session runs into are looked up. */
export interface Session {
  readonly setting: readonly string[];
  readonly role: string;
}

export interface Builtin {
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly set: boolean;
  readonly aggregate: boolean;
  /** Can be called with one argument. */
  readonly unary: boolean;
}

/** Each is a key more for every row that comes, goes or changes. */
const MAX_PINNED_COLUMNS = 12;

const volatilities = { i: 'immutable', s: 'stable', v: 'volatile' } as const;
const functionKinds = { f: 'function', a: 'aggregate', w: 'window', p: 'procedure' } as const;
/** How values of these types are written in keys; of no other type is it known. */
export const builtinKinds: ReadonlyMap<string, ValueKind> = new Map([
  ['int2', 'int'],
  ['int4', 'int'],
  ['int8', 'int'],
  ['numeric', 'numeric'],
  ['bool', 'bool'],
  ['uuid', 'uuid'],
  ['date', 'date'],
  ['text', 'text'],
  ['varchar', 'text'],
  ['bpchar', 'char'],
]);

/** Names as the catalog has them, of whatever schema; relations by oid. */
export interface OwnCode {
  readonly functions: ReadonlySet<string>;
  /** Functions of extensions that leave their session alone. */
  readonly harmless: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
  readonly relations: ReadonlySet<string>;
  readonly unasked: boolean;
}

export class Catalog {
  /** Where the session that read the catalog finds unqualified names: what Postgres wrote out for it means what it means there. */
  readonly searchPath: readonly string[];
  readonly session: Session;
  readonly builtins: ReadonlyMap<string, Builtin>;
  readonly operators: ReadonlySet<string>;
  readonly builtinOperators: ReadonlySet<string>;
  readonly impureOperators: ReadonlySet<string>;
  readonly impureCasts: ReadonlySet<string>;
  /** Types whose values are written with names of Postgres' catalog. */
  readonly catalogTypes: ReadonlySet<string>;
  /** Something in this database makes every statement impossible to follow. */
  readonly hazard: string | undefined;
  /** Where code runs that may do anything to its session. */
  readonly ownCode: OwnCode;
  private readonly raw: RawCatalog;
  private readonly relations = new Map<string, Relation>();
  private readonly functions = new Map<string, SqlFunction[]>();
  private readonly types: ReadonlySet<string>;
  private readonly systemRelations: ReadonlySet<string>;
  private readonly closedSchemas: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(raw: RawCatalog) {
    this.raw = raw;
    this.searchPath = raw.searchPath;
    this.session = { setting: namesOf(raw.searchPathSetting), role: raw.role };
    this.closedSchemas = new Map(raw.closedSchemas?.map(({ role, schemas }) => [role, new Set(schemas)]));
    this.systemRelations = new Set(raw.systemRelations);
    this.types = new Set(raw.types?.map(({ schema, name }) => pathOf(schema, name)));
    this.operators = new Set(raw.operators?.map(({ name }) => name));
    this.builtinOperators = new Set(raw.builtinOperators);
    this.impureOperators = new Set(raw.impureOperators);
    this.impureCasts = new Set(raw.impureCasts?.map((cast) => cast.type));
    this.catalogTypes = new Set(raw.catalogTypes);
    this.hazard = hazardOf(raw);
    this.ownCode = ownCodeOf(raw);
    this.builtins = new Map(
      raw.builtins.map(([name, volatility, set, aggregate, unary]) => [
        name,
        { volatility: volatilityOf(volatility), set, aggregate, unary },
      ]),
    );
    for (const relation of relationsOf(raw))
      this.relations.set(pathOf(relation.schema, relation.name), relation);
    for (const fn of raw.functions ?? []) {
      const path = pathOf(fn.schema, fn.name);
      this.functions.set(path, [...(this.functions.get(path) ?? []), functionOf(fn)]);
    }
  }

  /** Exact name, as the log tells it. */
  relation(schema: string, name: string): Relation | undefined {
    return this.relations.get(pathOf(schema, name));
  }

  /** The schemas that a setting of the search path comes to for a role. */
  pathOf({ setting, role }: Session): readonly string[] {
    const path = setting.map((name) => (name === '$user' ? role : name));
    const closed = this.closedSchemas.get(role);
    return [...(path.includes('pg_catalog') ? [] : ['pg_catalog']), ...path].filter(
      (name) => !closed?.has(name),
    );
  }

  /** By the rules of the search path; `'system'` for Postgres' own. */
  resolve(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[],
  ): Relation | 'system' | undefined {
    for (const candidate of schema === undefined ? searchPath : [schema]) {
      if (candidate === 'information_schema' || candidate.startsWith('pg_toast')) return 'system';
      if (candidate === 'pg_catalog') {
        if (schema !== undefined || this.systemRelations.has(name)) return 'system';
        continue;
      }
      const found = this.relation(candidate, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Where a name that nothing answers to may come up. */
  schemasToCome(schema: string | undefined, searchPath: readonly string[]): readonly string[] {
    return schema === undefined ? searchPath.filter((each) => each !== 'pg_catalog') : [schema];
  }

  /** The application's own functions that a call by this name may mean; overloads are not told apart. */
  functionsNamed(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[],
  ): readonly SqlFunction[] {
    return (schema === undefined ? searchPath : [schema]).flatMap(
      (candidate) => this.functions.get(pathOf(candidate, name)) ?? [],
    );
  }

  /** The keys that tell of a type of the application's own, the row of a table among them. */
  typesNamed(
    schema: string | undefined,
    name: string,
    searchPath: readonly string[],
  ): readonly DependencyKey[] {
    return (schema === undefined ? searchPath : [schema]).flatMap((candidate) => {
      const relation = this.relation(candidate, name);
      if (relation !== undefined) return [tableKey(relation.keyName)];
      return this.types.has(pathOf(candidate, name)) ? [tableKey(relationName(candidate, name))] : [];
    });
  }

  /** The keys to purge when the schema has gone from this catalog snapshot to `next`. Empty: nothing of note changed. */
  changesTo(next: Catalog): DependencyKey[] {
    const keys = new Definitions(this.raw).changesTo(new Definitions(next.raw));
    for (const key of this.#pinsUnlike(next)) keys.add(key);
    return [...keys].sort();
  }

  /**
   * Whether statements have to be analysed anew by holders of this catalog snapshot. After TRUNCATE, VACUUM FULL or a grant they
   * have not. Says nothing of catalog snapshot that were taken in between.
   */
  readsLike(next: Catalog): boolean {
    const [mine, theirs] = [this.raw, next.raw].map(
      (raw) => new Definitions({ ...raw, relations: raw.relations?.map(withoutVersion) ?? null }),
    );
    const [unlike] = this.#pinsUnlike(next);
    return unlike === undefined && theirs !== undefined && mine?.equals(theirs) === true;
  }

  /** The keys of columns by whose value rows are named in one of the two catalog snapshot only. */
  *#pinsUnlike(next: Catalog): Generator<DependencyKey> {
    for (const [path, { keyName, pinnable }] of this.relations) {
      const after = next.relations.get(path)?.pinnable ?? new Set();
      for (const column of [...pinnable, ...after])
        if (!pinnable.has(column) || !after.has(column)) yield pinnedKey(keyName, column);
    }
  }
}

const withoutVersion = (relation: RawRelation): RawRelation => ({ ...relation, version: '' });

/** Reads the whole catalog snapshot. `publication` as in catalogSql. */
export async function loadCatalog(
  reader: CatalogReader,
  publication: string | null = null,
): Promise<Catalog> {
  const { rows } = await reader.query(catalogSql(publication));
  return new Catalog(rows[0] as RawCatalog);
}

/** A text that differs when the schema may have changed; about a millisecond for the server. */
export async function fingerprint(reader: CatalogReader): Promise<string> {
  const { rows } = await reader.query(fingerprintSql);
  return (rows[0] as { fingerprint: string }).fingerprint;
}

function hazardOf({ impureCasts, impureOrder }: RawCatalog): string | undefined {
  if (impureCasts?.some((cast) => cast.implicit))
    return 'an implicit cast of the application calls a function that is not immutable';
  return impureOrder
    ? 'an operator class of the application calls a function that is not immutable'
    : undefined;
}

function volatilityOf(letter: string): 'immutable' | 'stable' | 'volatile' {
  return letter === 'i' || letter === 's' ? volatilities[letter] : 'volatile';
}

function ownCodeOf({ ownCode, relations }: RawCatalog): OwnCode {
  const parents = new Map(relations?.map((one) => [one.oid, one.parents ?? []]));
  const reached = new Set<string>();
  // Reading a parent reads its children.
  const reach = (oid: string): void => {
    if (reached.has(oid)) return;
    reached.add(oid);
    for (const parent of parents.get(oid) ?? []) reach(parent);
  };
  for (const oid of ownCode.relations ?? []) reach(oid);
  return {
    functions: new Set(ownCode.functions),
    harmless: new Set(ownCode.harmless),
    types: new Set(ownCode.types),
    relations: reached,
    unasked: ownCode.unasked,
  };
}

function functionOf(raw: RawFunction): SqlFunction {
  return {
    oid: raw.oid,
    key: functionKey(raw.schema, raw.name),
    kind: functionKinds[raw.kind as keyof typeof functionKinds] ?? 'procedure',
    volatility: volatilityOf(raw.volatility),
    language: raw.language,
    returnsSet: raw.returnsSet,
    pure: raw.kind === 'a' ? raw.aggregatePure : raw.volatility === 'i' || raw.steady,
    source: raw.definition ?? raw.body ?? undefined,
    standard: raw.standard,
    searchPath: raw.searchPath === null ? undefined : namesOf(raw.searchPath.slice('search_path='.length)),
    runsAs: raw.runsAs ?? undefined,
    types: raw.types ?? [],
    fewestArgs: raw.fewestArgs,
    mostArgs: raw.mostArgs,
    defaults: raw.defaults ?? undefined,
  };
}

/** `a, "B", "$user"`: names as SQL writes them in a list. */
function namesOf(setting: string): string[] {
  return [...setting.matchAll(/"((?:[^"]|"")*)"|[^\s,]+/g)].map(([written, quoted]) =>
    quoted === undefined ? written.toLowerCase() : quoted.replaceAll('""', '"'),
  );
}

function* relationsOf(raw: RawCatalog): Generator<Relation> {
  const raws = new Map((raw.relations ?? []).map((relation) => [relation.oid, relation]));
  const children = new Map<string, RawRelation[]>();
  for (const relation of raws.values()) {
    for (const parent of relation.parents ?? []) {
      children.set(parent, [...(children.get(parent) ?? []), relation]);
    }
  }
  const ownEqualities = new Set(raw.ownEqualities);
  const built = new Map<string, Relation>();
  const build = (one: RawRelation): Relation => {
    const known = built.get(one.oid);
    if (known !== undefined) return known;
    // Partitions are spoken of as their root: its name, its key, its indexes.
    const root = (one.root === null ? undefined : raws.get(one.root)) ?? one;
    const nameOf = new Map((root.columns ?? []).map((column) => [column.num, column.name]));
    const names = (numbers: readonly number[] | null): string[] =>
      (numbers ?? []).flatMap((number) => nameOf.get(number) ?? []);
    const columnsOf = (raw: RawRelation) => {
      const nameOfOwn = new Map((raw.columns ?? []).map((column) => [column.num, column.name]));
      return new Map(
        (raw.columns ?? []).map((column) => [column.name, columnOf(column, ownEqualities, nameOfOwn)]),
      );
    };
    const columns = columnsOf(root);
    const keyed = (name: string): boolean => {
      const column = columns.get(name);
      return column?.kind !== undefined && !column.generated;
    };
    const primaryKey = names(root.primaryKey);
    const toldAs: Relation[] = [];
    const relation: Relation = {
      oid: one.oid,
      schema: one.schema,
      name: one.name,
      keyName: relationName(root.schema, root.name),
      columns: columnsOf(one),
      primaryKey: primaryKey.every(keyed) ? primaryKey : [],
      pinnable: new Set(
        pinnable(names(root.indexed), [...columns.keys()], isToldWhole(root, children)).filter(
          // A primary key of one column names rows by themselves, and no reading pins it as a value.
          (name) => keyed(name) && !(primaryKey.length === 1 && primaryKey[0] === name),
        ),
      ),
      unique: new Set(names(root.unique)),
      toldWhole: isToldWhole(root, children),
      inherited: root.kind !== 'p' && root.hasChildren,
      view: one.view ?? undefined,
      untracked: untrackedReason(one, children),
      guarded: one.rowSecurity,
      toldAs,
    };
    built.set(one.oid, relation);
    toldAs.push(...told(one === root ? relation : build(root), root, raws, build));
    return relation;
  };
  for (const relation of raws.values()) yield build(relation);
}

function told(
  self: Relation,
  raw: RawRelation,
  raws: ReadonlyMap<string, RawRelation>,
  build: (raw: RawRelation) => Relation,
): Relation[] {
  const all = new Set([self]);
  const up = (relation: RawRelation): void => {
    for (const oid of relation.parents ?? []) {
      const parent = raws.get(oid);
      if (parent === undefined) continue;
      all.add(build(parent));
      up(parent);
    }
  };
  up(raw);
  return [...all];
}

/**
 * Where the log tells which columns changed, a value that did not change costs one key for each that did: so columns without
 * an index are pinned as well, while there are few.
 */
function pinnable(indexed: readonly string[], all: readonly string[], toldWhole: boolean): readonly string[] {
  const unique = new Set(indexed);
  if (toldWhole) for (const name of all) if (unique.size < MAX_PINNED_COLUMNS) unique.add(name);
  return [...unique];
}

/** A partitioned table has no rows of its own, so it is its partitions that say. */
function isToldWhole(raw: RawRelation, children: ReadonlyMap<string, readonly RawRelation[]>): boolean {
  const below = children.get(raw.oid) ?? [];
  const own = raw.kind === 'p' ? below.length > 0 : raw.identity === 'f';
  return own && below.every((one) => isToldWhole(one, children));
}

function columnOf(
  raw: RawColumn,
  ownEqualities: ReadonlySet<string>,
  nameOf: ReadonlyMap<number, string>,
): Column {
  const kind = raw.isEnum ? 'enum' : raw.base === null ? undefined : builtinKinds.get(raw.base);
  const usable = raw.deterministic && (raw.base === null || !ownEqualities.has(raw.base));
  return {
    name: raw.name,
    kind: usable ? kind : undefined,
    generated: raw.generated,
    sources: (raw.sources ?? []).flatMap((number) => nameOf.get(number) ?? []),
    notNull: raw.notNull,
    namesCatalog: raw.namesCatalog,
  };
}

function untrackedReason(
  relation: RawRelation,
  children: ReadonlyMap<string, readonly RawRelation[]>,
): string | undefined {
  const named = `${relation.schema}.${relation.name}`;
  if (relation.kind === 'm') return `${named} is a materialized view: REFRESH leaves no trace in the log`;
  if (relation.kind === 'f') return `${named} is a foreign table`;
  if (relation.kind === 'S') return `${named} is a sequence`;
  if (relation.persistence !== 'p') return `${named} is not in the log (unlogged or temporary)`;
  if (relation.rowSecurityActive) return `${named} has row security policies that apply to this role`;
  if (relation.kind !== 'v' && !relation.published) {
    return `${named} is not in the publication (it has no replica identity, or was left out)`;
  }
  for (const child of children.get(relation.oid) ?? []) {
    const reason = untrackedReason(child, children);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
