// What is asked of Postgres' own catalog. One statement, so that all of it is of one moment.

/** The least that is needed of a connection; a pool, a client and a transaction all have it. */
export interface CatalogReader {
  query(sql: string): Promise<{ readonly rows: readonly object[] }>;
}

export interface RawColumn {
  readonly num: number;
  readonly name: string;
  readonly type: string;
  /** pg_type.typname of the type below all domains, when that type is Postgres' own; else null. */
  readonly base: string | null;
  readonly isEnum: boolean;
  readonly deterministic: boolean;
  readonly generated: boolean;
  /** Attribute numbers of the columns that a generated one is computed from. */
  readonly sources: readonly number[] | null;
  readonly notNull: boolean;
  /** Its values are written with names of Postgres' catalog, which the log does not tell of. */
  readonly namesCatalog: boolean;
}

export interface RawRelation {
  readonly oid: string;
  /**
   * Another one after every change of the definition, also after one that was taken back: what was made in between was
   * made from the definition in between.
   */
  readonly version: string;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind */
  readonly kind: string;
  readonly persistence: string;
  readonly identity: string;
  /** Of a view: with whose rights it reads. */
  readonly options: readonly string[] | null;
  readonly rowSecurity: boolean;
  readonly rowSecurityActive: boolean;
  readonly policies: readonly string[] | null;
  readonly isPartition: boolean;
  readonly root: string | null;
  readonly parents: readonly string[] | null;
  readonly hasChildren: boolean;
  readonly columns: readonly RawColumn[] | null;
  readonly primaryKey: readonly number[] | null;
  /** Columns of any valid index, as attribute numbers. */
  readonly indexed: readonly number[] | null;
  /** Columns that are unique by themselves. */
  readonly unique: readonly number[] | null;
  readonly view: string | null;
  /** Its changes are in the log that the feed reads. */
  readonly published: boolean;
}

export interface RawFunction {
  readonly oid: string;
  readonly version: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly volatility: string;
  readonly language: string;
  /** It is code of an extension that is known to read no table, and no more than settings and files. */
  readonly steady: boolean;
  readonly returnsSet: boolean;
  readonly definition: string | null;
  readonly body: string | null;
  /** The body was kept as Postgres had understood it (BEGIN ATOMIC, RETURN), and is written out again for who asks. */
  readonly standard: boolean;
  readonly searchPath: string | null;
  /** In whose name it runs, where that is not the caller's. */
  readonly runsAs: string | null;
  /** Arguments that can be left out are not counted in the first. */
  /** The types among those that it takes and gives that are the application's own, or name what is in Postgres' catalog. */
  readonly types: readonly string[] | null;
  readonly fewestArgs: number;
  readonly mostArgs: number;
  /** What stands for those that are left out. */
  readonly defaults: string | null;
  /** Functions that an aggregate is made of are all immutable. */
  readonly aggregatePure: boolean;
}

/** A type of the application's own that is no table's, or an operator. */
export interface RawNamed {
  readonly oid: string;
  readonly version: string;
  readonly schema: string;
  readonly name: string;
}

export interface RawOperator extends RawNamed {
  /**
   * For each operand whether it can be of no type but the application's own, which nothing else becomes unasked. Only what
   * is of that type already, or a literal or a parameter, can stand there.
   */
  readonly closed: readonly boolean[];
}

/** A dictionary or a template of text search of the application's own. */
export interface RawSearchPart {
  readonly oid: string;
  readonly name: string;
  readonly version: string;
  /** Postgres has one of this name, too. */
  readonly ambiguous: boolean;
}

/**
 * Where code runs that is neither Postgres' own nor an extension's in C: it may do anything to its session, whatever
 * volatility it is declared with.
 */
export interface RawOwnCode {
  /** Names of such functions, and of those of extensions that are none. */
  readonly functions: readonly string[] | null;
  readonly harmless: readonly string[] | null;
  /** Of every type that is not Postgres' own, those of tables' rows among them: their domains may have such checks. */
  readonly types: readonly string[] | null;
  /** Tables whose indexes, constraints, partitions or generated columns call such functions; the planner may run them. */
  readonly relations: readonly string[] | null;
  /** A cast, an operator or an order is made of such a function. */
  readonly unasked: boolean;
}

export interface RawCatalog {
  readonly relations: readonly RawRelation[] | null;
  readonly systemRelations: readonly string[] | null;
  readonly functions: readonly RawFunction[] | null;
  /** Postgres' own functions by name: the least pure volatility, whether any returns a set, aggregates, or takes one argument. */
  readonly builtins: readonly (readonly [
    name: string,
    volatility: string,
    set: boolean,
    aggregate: boolean,
    unary: boolean,
  ])[];
  readonly types: readonly RawNamed[] | null;
  readonly operators: readonly RawOperator[] | null;
  readonly builtinOperators: readonly string[];
  readonly searchParts: readonly RawSearchPart[] | null;
  readonly casts: readonly { readonly oid: string; readonly version: string }[] | null;
  /** What rests on what, by oid: pg_depend, and what it leaves out. '0' stands for what any statement may use unasked. */
  readonly rests: readonly (readonly [object: string, on: readonly string[]])[] | null;
  /** Names of the application's own operators whose functions are not immutable, and types under its own `=`. */
  readonly impureOperators: readonly string[] | null;
  readonly ownEqualities: readonly string[] | null;
  /** Types with a cast whose function is not immutable, and whether any such cast is applied unasked. */
  readonly impureCasts: readonly { readonly type: string; readonly implicit: boolean }[] | null;
  /** An order of the application's own calls a function that is not immutable. */
  readonly impureOrder: boolean;
  readonly catalogTypes: readonly string[] | null;
  readonly ownCode: RawOwnCode;
  /** Of what any statement may use unasked, and belongs to no one object. */
  readonly version: string;
  /** What the setting comes to in this session. */
  readonly searchPath: readonly string[];
  readonly searchPathSetting: string;
  readonly role: string;
  /** Schemas that a role may not use, which a search path passes over: of this session's role, and of those that functions run as. */
  readonly closedSchemas: readonly { readonly role: string; readonly schemas: readonly string[] }[] | null;
}

const own = (oid: string): string => `${oid} >= 16384`;

/** A changed definition is a new row version of the catalog, and xmin names who wrote it. */
const versionOf = (catalog: string, row: string, condition: string): string =>
  `coalesce((SELECT bit_xor(hashtextextended(${row}::text || ':' || x.xmin::text, 0)) FROM ${catalog} x WHERE ${condition}), 0)`;

/**
 * Not all of pg_class: a grant, an index, a trigger, a foreign key from elsewhere, CLUSTER write its row anew and change no
 * result. The type of a table's rows goes with its name, schema and owner.
 */
const relationVersion = [
  '(SELECT t.xmin FROM pg_type t WHERE t.oid = c.reltype)',
  'CASE WHEN c.relrowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) THEN c.xmin END',
  'n.xmin',
  versionOf('pg_attribute', 'x.attnum', 'x.attrelid = c.oid AND x.attnum > 0'),
  versionOf('pg_rewrite', 'x.oid', 'x.ev_class = c.oid'),
  versionOf('pg_policy', 'x.oid', 'x.polrelid = c.oid'),
  versionOf('pg_inherits', 'x.inhrelid', 'x.inhrelid = c.oid OR x.inhparent = c.oid'),
  versionOf('pg_publication_rel', 'x.oid', 'x.prrelid = c.oid'),
  versionOf(
    'pg_attrdef',
    'x.oid',
    "x.adrelid = c.oid AND x.adnum IN (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '')",
  ),
].join(', ');

/** Which catalog holds it differs by version. */
const sources = `(SELECT json_agg(DISTINCT d.refobjsubid) FROM pg_depend d
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid > 0 AND d.refobjsubid <> a.attnum
        AND ((d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum)
          OR (d.classid = 'pg_attrdef'::regclass AND d.objid =
                (SELECT f.oid FROM pg_attrdef f WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum))))`;

const columns = `
  SELECT json_agg(json_build_object(
    'num', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
    'base', (SELECT CASE WHEN b.oid < 16384 THEN b.typname END FROM pg_type b WHERE b.oid = base.oid),
    'isEnum', (SELECT b.typtype = 'e' FROM pg_type b WHERE b.oid = base.oid),
    'deterministic', coalesce((SELECT l.collisdeterministic FROM pg_collation l WHERE l.oid = a.attcollation), true),
    'generated', a.attgenerated <> '', 'sources', CASE WHEN a.attgenerated <> '' THEN ${sources} END, 'notNull', a.attnotnull,
    'namesCatalog', a.atttypid IN (SELECT k.oid FROM catalog_types k)) ORDER BY a.attnum)
  FROM pg_attribute a CROSS JOIN LATERAL (
    WITH RECURSIVE down(oid) AS (
      SELECT a.atttypid UNION ALL SELECT t.typbasetype FROM down JOIN pg_type t ON t.oid = down.oid WHERE t.typtype = 'd')
    SELECT d.oid FROM down d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype <> 'd' LIMIT 1) base
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`;

const keyColumns = (condition: string): string => `
  SELECT json_agg(DISTINCT k.num) FROM pg_index i
  CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(num, position)
  WHERE i.indrelid = c.oid AND i.indisvalid AND k.num > 0 AND ${condition}`;

const relations = (published: string): string => `
  SELECT json_agg(json_build_object(
    'oid', c.oid::text, 'version', concat_ws('/', ${relationVersion}), 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
    'identity', c.relreplident, 'options', CASE WHEN c.relkind = 'v' THEN c.reloptions END, 'rowSecurity', c.relrowsecurity,
    'rowSecurityActive', CASE WHEN c.relrowsecurity THEN row_security_active(c.oid) ELSE false END,
    'policies', (SELECT json_agg(p.polname || ':' || coalesce(pg_get_expr(p.polqual, p.polrelid), '') ORDER BY p.polname)
                 FROM pg_policy p WHERE p.polrelid = c.oid),
    'isPartition', c.relispartition,
    'root', CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid::text END,
    'parents', (SELECT json_agg(i.inhparent::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid),
    'hasChildren', EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid),
    'columns', (${columns}),
    'primaryKey', (SELECT json_agg(k.num ORDER BY k.position) FROM pg_index i
                   CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(num, position)
                   WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid),
    'indexed', (${keyColumns('true')}),
    'unique', (${keyColumns('i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL')}),
    'published', ${published},
    'view', CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END) ORDER BY n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${own('c.oid')} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\\_%'`;

/**
 * Extensions whose functions in C, where they are declared stable, give the same result while data and settings are the same:
 * `unaccent` reads the file of its rules, the operators of pg_trgm read their thresholds. None of them runs a statement.
 */
const STEADY_EXTENSIONS = [
  ...[
    'unaccent',
    'pg_trgm',
    'pgcrypto',
    'citext',
    'hstore',
    'ltree',
    'intarray',
    'fuzzystrmatch',
    'uuid-ossp',
  ],
  ...['btree_gin', 'btree_gist', 'cube', 'seg', 'isn', 'earthdistance', 'dict_int', 'dict_xsyn', 'bloom'],
];

const isSteadyExtension = `e.extname IN (${STEADY_EXTENSIONS.map((each) => `'${each}'`).join(', ')})`;

/** `fn` is a row of pg_proc. */
const steady = (fn: string): string => `(${fn}.provolatile = 's' AND EXISTS (
    SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = ${fn}.oid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
      AND ${isSteadyExtension})
  AND ${fn}.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c'))`;

/** `SET role` of a function's own, or SECURITY DEFINER. `p` is a row of pg_proc. */
const RUNS_AS = `coalesce(
  (SELECT split_part(s, '=', 2) FROM unnest(p.proconfig) s WHERE s LIKE 'role=%' OR s LIKE 'session_authorization=%' LIMIT 1),
  CASE WHEN p.prosecdef THEN pg_get_userbyid(p.proowner)::text END)`;

const AGGREGATE_PARTS =
  'g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn';

/** One CTE: each own function, and whether it leaves its session alone. */
const ownFunctions = `
  plain AS (
    SELECT p.oid, p.proname, p.prokind, p.provolatile <> 'v' AND l.lanname IN ('c', 'internal') AND EXISTS (
        SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
          AND (p.provolatile = 'i' OR ${isSteadyExtension})) AS harmless
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE ${own('p.oid')}),
  code AS (
    SELECT f.oid, f.proname, f.harmless AND NOT EXISTS (
        SELECT FROM pg_aggregate g JOIN plain q ON q.oid IN (${AGGREGATE_PARTS})
        WHERE f.prokind = 'a' AND g.aggfnoid = f.oid AND NOT q.harmless) AS harmless
    FROM plain f)`;

const ownCode = `
  WITH ${ownFunctions}
  SELECT json_build_object(
    'functions', (SELECT json_agg(DISTINCT f.proname) FROM code f WHERE NOT f.harmless),
    'harmless', (SELECT json_agg(DISTINCT f.proname) FROM code f WHERE f.harmless),
    'types', (SELECT json_agg(DISTINCT t.typname) FROM pg_type t WHERE ${own('t.oid')}),
    'relations', (SELECT json_agg(DISTINCT u.relation::text) FROM (
        SELECT coalesce(i.indrelid, d.objid) AS relation, d.refobjid FROM pg_depend d LEFT JOIN pg_index i ON i.indexrelid = d.objid
          WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_proc'::regclass
        UNION ALL SELECT k.conrelid, d.refobjid FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass
          AND d.objid = k.oid AND d.refclassid = 'pg_proc'::regclass WHERE k.conrelid <> 0
        UNION ALL SELECT f.adrelid, d.refobjid FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
          AND a.attgenerated <> '' JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_proc'::regclass
      ) u JOIN code f ON f.oid = u.refobjid WHERE NOT f.harmless),
    'unasked', EXISTS (SELECT FROM code f WHERE NOT f.harmless AND f.oid IN (
        SELECT c.castfunc FROM pg_cast c UNION ALL SELECT o.oprcode FROM pg_operator o UNION ALL SELECT m.amproc FROM pg_amproc m)))`;

const functions = `
  SELECT json_agg(json_build_object(
    'oid', p.oid::text, 'version', concat_ws('/', p.xmin, n.xmin), 'schema', n.nspname, 'name', p.proname, 'kind', p.prokind, 'volatility', p.provolatile, 'language', l.lanname,
    'steady', ${steady('p')}, 'returnsSet', p.proretset,
    'definition', CASE WHEN p.prokind IN ('f', 'p') AND l.lanname = 'plpgsql' THEN pg_get_functiondef(p.oid) END,
    'body', CASE WHEN l.lanname = 'sql' THEN coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
                 WHEN l.lanname NOT IN ('plpgsql', 'c', 'internal') THEN p.prosrc END,
    'standard', p.prosqlbody IS NOT NULL,
    'searchPath', (SELECT s FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%'),
    'runsAs', ${RUNS_AS},
    'types', (SELECT json_agg(DISTINCT t.typname) FROM pg_type t
       WHERE (${own('t.oid')} OR t.oid IN (SELECT k.oid FROM catalog_types k)) AND t.oid = ANY (p.prorettype || coalesce(p.proallargtypes, p.proargtypes::oid[]))),
    'fewestArgs', p.pronargs - p.pronargdefaults - (p.provariadic <> 0)::int,
    'mostArgs', CASE WHEN p.provariadic = 0 THEN p.pronargs ELSE 100 END,
    'defaults', pg_get_expr(p.proargdefaults, 0),
    'aggregatePure', coalesce((SELECT bool_and(q.provolatile = 'i') FROM pg_aggregate g JOIN pg_proc q
       ON q.oid IN (${AGGREGATE_PARTS})
       WHERE g.aggfnoid = p.oid), true)) ORDER BY n.nspname, p.proname, p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  WHERE ${own('p.oid')}`;

const types = `
  SELECT json_agg(json_build_object('oid', t.oid::text, 'schema', n.nspname, 'name', t.typname, 'version', concat_ws('/', t.xmin, n.xmin,
    ${versionOf('pg_enum', 'x.oid', 'x.enumtypid = t.oid')}, ${versionOf('pg_constraint', 'x.oid', 'x.contypid = t.oid')},
    ${versionOf('pg_range', 'x.rngtypid', 'x.rngtypid = t.oid')}, ${versionOf('pg_attribute', 'x.attnum', 't.typrelid <> 0 AND x.attrelid = t.typrelid')},
    ${versionOf('pg_opclass', 'x.oid', 'x.opcintype = t.oid')}, ${versionOf('pg_amop', 'x.oid', 'x.amoplefttype = t.oid')},
    ${versionOf('pg_amproc', 'x.oid', 'x.amproclefttype = t.oid')})))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE ${own('t.oid')} AND (t.typrelid = 0 OR c.relkind = 'c') AND t.typcategory <> 'A' AND n.nspname NOT LIKE 'pg\\_%'`;

/** A domain can be its base type, a composite type any row; what has a cast that is applied unasked can be another type. */
const closed = (
  type: string,
): string => `(SELECT ${own('t.oid')} AND t.typisdefined AND t.typtype IN ('b', 'e', 'r')
    AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typtype NOT IN ('b', 'e', 'r'))
    AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castcontext = 'i' AND c.casttarget IN (t.oid, t.typelem))
  FROM pg_type t WHERE t.oid = ${type})`;

const operators = `
  SELECT json_agg(json_build_object('oid', o.oid::text, 'schema', n.nspname, 'name', o.oprname, 'version', concat_ws('/', o.xmin, n.xmin),
    'closed', (SELECT json_agg(${closed('x.oid')} ORDER BY x.position) FROM unnest(ARRAY[o.oprleft, o.oprright]) WITH ORDINALITY x(oid, position)
      WHERE x.oid <> 0)))
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE ${own('o.oid')}`;

const searchParts = `
  WITH parts AS (SELECT oid, xmin AS version, 'dictionary ' || dictname AS name FROM pg_ts_dict
    UNION ALL SELECT oid, xmin, 'template ' || tmplname FROM pg_ts_template)
  SELECT json_agg(json_build_object('oid', p.oid::text, 'name', p.name, 'version', p.version::text,
    'ambiguous', EXISTS (SELECT FROM parts b WHERE b.name = p.name AND NOT ${own('b.oid')})))
  FROM parts p WHERE ${own('p.oid')}`;

/** Only what orders and groups rows: the access methods btree and hash. */
const ordering = 'IN (SELECT f.oid FROM pg_opfamily f WHERE f.opfmethod IN (403, 405))';
const orUnasked = (type: string): string => `CASE WHEN ${own(type)} THEN ${type} ELSE 0 END`;

const rests = `
  SELECT json_agg(json_build_array(e.object::text, e.rests)) FROM (
    SELECT d.object, json_agg(DISTINCT d.rest::text) AS rests FROM (
      SELECT d.objid AS object, d.refobjid AS rest FROM pg_depend d
      WHERE ${own('d.objid')} AND d.classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass)
        AND d.refclassid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass)
      UNION ALL SELECT a.attrelid, a.atttypid FROM pg_attribute a WHERE ${own('a.attrelid')} AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT t.oid, t.typrelid FROM pg_type t WHERE t.typrelid <> 0
      UNION ALL SELECT t.oid, t.typelem FROM pg_type t WHERE t.typelem <> 0
      UNION ALL SELECT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      UNION ALL SELECT p.polrelid, d.refobjid FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
      UNION ALL SELECT f.adrelid, d.refobjid FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attgenerated <> ''
        JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
      UNION ALL SELECT k.contypid, d.refobjid FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
        WHERE k.contypid <> 0
      UNION ALL SELECT ${orUnasked('m.amproclefttype')}, m.amproc FROM pg_amproc m WHERE m.amprocfamily ${ordering}
      UNION ALL SELECT ${orUnasked('m.amoplefttype')}, m.amopopr FROM pg_amop m WHERE m.amopfamily ${ordering}
      UNION ALL SELECT x.oid, o.oid FROM pg_operator o JOIN pg_type t ON t.oid IN (o.oprleft, o.oprright)
        CROSS JOIN LATERAL (SELECT unnest(ARRAY[t.oid, t.typelem]) AS oid) x
        WHERE ${own('o.oid')} AND ${own('x.oid')} AND EXISTS (SELECT FROM pg_operator b WHERE b.oprname = o.oprname AND b.oid < 16384)
      UNION ALL SELECT CASE WHEN ${own('t.oid')} THEN t.oid ELSE 0 END, c.oid FROM pg_cast c
        CROSS JOIN LATERAL (SELECT unnest(ARRAY[c.castsource, c.casttarget]) AS oid) t
        WHERE ${own('c.oid')} AND (${own('t.oid')} OR (c.castsource < 16384 AND c.casttarget < 16384))
    ) d WHERE (${own('d.object')} OR d.object = 0) AND ${own('d.rest')} AND d.object <> d.rest GROUP BY d.object) e`;

/** A cast to a domain, an array, a composite is one to what it is made of. One to a domain calls what its constraints call. */
const impureCasts = `
  WITH RECURSIVE cast_types(oid, implicit) AS (
    SELECT t.oid, c.castcontext = 'i' FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc
      CROSS JOIN LATERAL (SELECT unnest(ARRAY[c.castsource, c.casttarget]) AS oid) t
      WHERE ${own('c.oid')} AND p.provolatile <> 'i' AND NOT ${steady('p')}
    UNION
    SELECT k.contypid, false FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
      JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
      WHERE k.contypid <> 0 AND p.provolatile <> 'i' AND NOT ${steady('p')}
    UNION
    SELECT t.oid, b.implicit FROM cast_types b JOIN pg_type t ON t.typbasetype = b.oid OR (t.typelem = b.oid AND ${own('t.oid')})
      OR (t.typrelid <> 0 AND ${own('t.oid')} AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.atttypid = b.oid AND a.attnum > 0)))
  SELECT json_agg(DISTINCT jsonb_build_object('type', t.typname, 'implicit', b.implicit)) FROM cast_types b JOIN pg_type t ON t.oid = b.oid`;

/** ORDER BY, DISTINCT, UNION, max() and the like call what an operator class names, and no statement says which. */
const impureOrder = `
  SELECT EXISTS (SELECT FROM pg_proc p WHERE ${own('p.oid')} AND p.provolatile <> 'i' AND NOT ${steady('p')} AND (
    p.oid IN (SELECT m.amproc FROM pg_amproc m WHERE m.amprocfamily ${ordering})
    OR p.oid IN (SELECT o.oprcode FROM pg_amop m JOIN pg_operator o ON o.oid = m.amopopr WHERE m.amopfamily ${ordering})))`;

/**
 * Types whose values are written with names of Postgres' catalog (regclass, aclitem), and what is made of them. Where those of
 * text search change, all that is cached is purged.
 */
const CATALOG_TYPES = `
  WITH RECURSIVE catalog_types(oid) AS (
    SELECT t.oid FROM pg_type t WHERE t.oid < 16384 AND t.typname ~ '^(reg[a-z]+|aclitem)$'
      AND t.typname NOT IN ('regconfig', 'regdictionary')
    UNION
    SELECT t.oid FROM catalog_types b JOIN pg_type t ON t.typbasetype = b.oid OR t.typelem = b.oid
      OR (${own('t.typrelid')} AND EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.atttypid = b.oid AND a.attnum > 0 AND NOT a.attisdropped)))`;

/**
 * Settings of roles and databases that no result leans on; whatever else is set there may change one. The application's own
 * (`app.tenant`) are read by current_setting() only, which is not followed.
 */
const HARMLESS_SETTINGS = [
  ...[
    'enable_',
    'log_',
    'track_',
    'debug_',
    'geqo',
    'jit',
    'vacuum_',
    'autovacuum_',
    'default_transaction_',
    'temp_',
    'wal_',
  ],
  ...[
    'commit_',
    'synchronous_commit',
    'application_name',
    'client_min_messages',
    'plan_cache_mode',
    'auto_explain',
    'pg_stat_',
  ],
  ...[
    'effective_',
    'max_parallel_',
    'min_parallel_',
    'parallel_',
    'from_collapse',
    'join_collapse',
    'cursor_tuple_',
    'tcp_',
  ],
  ...['.*_cost$', '.*_timeout$', '.*work_mem$', '.*_multiplier$', '.*_interval$'],
];

/** Settings that results lean on. */
const settings =
  `search_path TimeZone timezone_abbreviations DateStyle IntervalStyle lc_monetary lc_numeric lc_time bytea_output extra_float_digits xmlbinary
   xmloption default_text_search_config array_nulls transform_null_equals standard_conforming_strings row_security quote_all_identifiers`.split(
    /\s+/,
  );

/** Settings of pg_trgm, which its operators read, and their defaults; the extension need not be loaded. */
const thresholds = [
  ['similarity', '0.3'],
  ['word_similarity', '0.6'],
  ['strict_word_similarity', '0.5'],
].map(([kind, unset]) => `nullif(current_setting('pg_trgm.${kind}_threshold', true), '${unset}')`);

const all = (catalog: string, row: string, condition = 'true'): string => versionOf(catalog, row, condition);

/**
 * Of what a statement may use without naming it: how texts are searched, compared and ordered, languages, settings, who may
 * see which rows. Roles that no policy names are left out: some fleets make them by the hour.
 */
const unaskedVersion = `
  SELECT md5(concat_ws('/', current_setting('server_version'), pg_collation_actual_version(100),
    ${all('pg_ts_config', 'x.oid')}, ${all('pg_ts_dict', 'x.oid', 'x.oid < 16384')}, ${all('pg_ts_parser', 'x.oid')}, ${all('pg_ts_template', 'x.oid', 'x.oid < 16384')},
    ${all('pg_ts_config_map', "concat_ws(',', x.mapcfg, x.maptokentype, x.mapseqno)")},
    ${all('pg_collation', 'x.oid')}, ${all('pg_language', 'x.oid')}, ${all('pg_transform', 'x.oid')},
    ${all('pg_opclass', 'x.oid', 'x.opcintype < 16384 AND x.opcmethod IN (403, 405)')},
    ${all('pg_amop', 'x.oid', `x.amoplefttype < 16384 AND x.amopfamily ${ordering}`)},
    ${all('pg_amproc', 'x.oid', `x.amproclefttype < 16384 AND x.amprocfamily ${ordering}`)},
    (SELECT string_agg(concat_ws(',', s.setdatabase, s.setrole, c.one), ';' ORDER BY s.setdatabase, s.setrole, c.one)
       FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(one)
       WHERE s.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
         AND lower(split_part(c.one, '=', 1)) !~ '^(${HARMLESS_SETTINGS.join('|')})'
         AND (split_part(c.one, '=', 1) NOT LIKE '%.%' OR split_part(c.one, '.', 1) IN (SELECT e.extname FROM pg_extension e))),
    ${settings.map((name) => `current_setting('${name}')`).join(', ')}, ${thresholds.join(', ')},
    (SELECT string_agg(r.rolname, ',' ORDER BY r.rolname) FROM pg_roles r WHERE (r.rolsuper OR r.rolbypassrls)
       AND EXISTS (SELECT 1 FROM pg_class c WHERE c.relrowsecurity)),
    ${all(
      'pg_auth_members',
      "concat_ws(',', x.roleid, x.member)",
      `EXISTS (SELECT 1 FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
       WHERE x.roleid = ANY (p.polroles) OR x.roleid = c.relowner)`,
    )})) AS version`;

/**
 * `publication`: the one that the feed reads; a table outside it counts as unpublished. Null: all tables count
 * as published.
 */
export function catalogSql(publication: string | null): string {
  const name = `'${(publication ?? '').replaceAll("'", "''")}'`;
  const published = `EXISTS (SELECT 1 FROM pg_publication p WHERE p.pubname = ${name} AND (p.puballtables OR EXISTS (
      SELECT 1 FROM pg_publication_rel r WHERE r.prpubid = p.oid AND (r.prrelid = c.oid
        OR (c.relispartition AND r.prrelid IN (SELECT a.relid FROM pg_partition_ancestors(c.oid) a))))))`;
  return `${CATALOG_TYPES} SELECT
  (${relations(publication === null ? 'true' : published)}) AS relations,
  (SELECT json_agg(c.relname) FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace
     AND c.relkind IN ('r', 'v')) AS "systemRelations",
  (${functions}) AS functions,
  (SELECT json_agg(json_build_array(b.name, b.volatility, b.set, b.aggregate, b.unary)) FROM (
     SELECT p.proname AS name, bool_or(p.proretset) AS set, bool_or(p.prokind = 'a') AS aggregate,
            bool_or(p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1) AS unary,
            CASE WHEN bool_or(p.provolatile = 'v') THEN 'v' WHEN bool_or(p.provolatile = 's') THEN 's' ELSE 'i' END AS volatility
     FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace GROUP BY p.proname) b) AS builtins,
  (SELECT json_agg(DISTINCT o.oprname) FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
     WHERE ${own('o.oid')} AND p.provolatile <> 'i' AND NOT ${steady('p')}) AS "impureOperators",
  (SELECT json_agg(DISTINCT t.typname) FROM pg_operator o JOIN pg_type t ON t.oid IN (o.oprleft, o.oprright)
     WHERE ${own('o.oid')} AND o.oprname = '=' AND t.oid < 16384) AS "ownEqualities",
  (${impureCasts}) AS "impureCasts",
  (${impureOrder}) AS "impureOrder",
  (SELECT json_agg(DISTINCT t.typname) FROM catalog_types c JOIN pg_type t ON t.oid = c.oid) AS "catalogTypes",
  (${types}) AS types,
  (${operators}) AS operators,
  (${searchParts}) AS "searchParts",
  (SELECT json_agg(DISTINCT o.oprname) FROM pg_operator o WHERE o.oid < 16384) AS "builtinOperators",
  (SELECT json_agg(json_build_object('oid', c.oid::text, 'version', c.xmin::text)) FROM pg_cast c WHERE ${own('c.oid')}) AS casts,
  (${rests}) AS rests,
  (${ownCode}) AS "ownCode",
  (${unaskedVersion}) AS version,
  array_to_json(current_schemas(true)) AS "searchPath", current_setting('search_path') AS "searchPathSetting",
  current_user AS role,
  (SELECT json_agg(json_build_object('role', r.rolname, 'schemas', (
       SELECT coalesce(json_agg(n.nspname), '[]') FROM pg_namespace n
       WHERE n.nspname NOT LIKE 'pg\\_%' AND NOT has_schema_privilege(r.oid, n.oid, 'usage'))))
     FROM pg_roles r WHERE r.rolname = current_user
       OR r.rolname IN (SELECT ${RUNS_AS} FROM pg_proc p WHERE ${own('p.oid')})) AS "closedSchemas"`;
}

/** Each row by a name of its own: two that are hashed alike would take each other out. */
const changed = (catalog: string, condition: string, row = 'x.oid'): string =>
  `SELECT count(*) AS n, coalesce(bit_xor(hashtextextended(concat_ws(':', ${row}, x.xmin), 0)), 0) AS h ` +
  `FROM ${catalog} x WHERE ${condition}`;
const OWN_BY_OID = [
  ...['pg_class', 'pg_rewrite', 'pg_proc', 'pg_type', 'pg_enum', 'pg_constraint', 'pg_policy'],
  ...['pg_operator', 'pg_cast', 'pg_ts_dict', 'pg_ts_template', 'pg_publication_rel'],
];
/** The schema `public` is there from the start. */
const ownSchema = `(${own('x.oid')} OR x.nspname = 'public')`;

/**
 * A text that changes with every change of definition. Row versions of the catalog stand for their content:
 * a changed definition is a new row version. VACUUM and ANALYZE overwrite in place, so they change nothing;
 * where something else does (TRUNCATE), the catalog is read once more and found equal.
 */
export const fingerprintSql = `SELECT md5(string_agg(n::text || '/' || h::text, ',')
    || array_to_string(current_schemas(true), ',') || (${unaskedVersion})) AS fingerprint FROM (
  ${[
    ...OWN_BY_OID.map((catalog) => changed(catalog, own('x.oid'))),
    changed('pg_namespace', ownSchema),
    changed('pg_attribute', own('x.attrelid'), 'x.attrelid, x.attnum'),
    changed('pg_index', own('x.indexrelid'), 'x.indexrelid'),
    changed('pg_inherits', own('x.inhrelid'), 'x.inhrelid, x.inhparent'),
    changed('pg_attrdef', own('x.adrelid')),
    changed('pg_range', own('x.rngtypid'), 'x.rngtypid'),
    changed('pg_opclass', own('x.opcintype')),
    changed('pg_amop', own('x.amoplefttype')),
    changed('pg_amproc', own('x.amproclefttype')),
  ].join('\n  UNION ALL ')}) parts`;
