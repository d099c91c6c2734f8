// Random schemas, with the types and shapes on purpose that fool an analyser.
import { type Constructs, constructs } from './constructs.ts';
import type { Random } from './random.ts';

export interface TypeOf {
  readonly sql: string;
  /** Few values, so that they meet; as SQL text inside quotes. */
  readonly values: readonly string[];
  readonly family:
    | 'int'
    | 'text'
    | 'bool'
    | 'numeric'
    | 'time'
    | 'date'
    | 'uuid'
    | 'enum'
    | 'array'
    | 'json'
    | 'float';
}

const texts = ['a', 'b', 'A', 'B', 'null', '?', 'x,y', '', 'ä ö', 'it=1'];
const uuids = ['1', '2', '3'].map((digit) => `${digit.repeat(8)}-aaaa-4bbb-8ccc-${digit.repeat(12)}`);

const types = {
  int: { sql: 'int', values: ['0', '1', '2', '3', '4', '-1'], family: 'int' },
  bigint: { sql: 'bigint', values: ['1', '2', '3', '9007199254740993'], family: 'int' },
  text: { sql: 'text', values: texts, family: 'text' },
  varchar: { sql: 'varchar(20)', values: texts, family: 'text' },
  char: { sql: 'char(5)', values: ['a', 'b', 'ab', 'a b'], family: 'text' },
  citext: { sql: 'citext', values: ['a', 'A', 'b', 'B'], family: 'text' },
  nocase: { sql: 'text collate nocase', values: ['a', 'A', 'b', 'B'], family: 'text' },
  label: { sql: 'label', values: ['a', 'b', 'c'], family: 'text' },
  small: { sql: 'small', values: ['1', '2', '3'], family: 'int' },
  bool: { sql: 'bool', values: ['t', 'f'], family: 'bool' },
  mood: { sql: 'mood', values: ['low', 'mid', 'high'], family: 'enum' },
  numeric: { sql: 'numeric', values: ['1', '1.0', '1.00', '2', '2.50', '-1.5', '0.00'], family: 'numeric' },
  time: {
    sql: 'timestamptz',
    values: [
      '2026-01-01 00:00:00+00',
      '2026-01-01 01:00:00+01',
      '2026-01-02 00:00:00.000001+00',
      '2026-01-02 00:00:00.000002+00',
    ],
    family: 'time',
  },
  date: { sql: 'date', values: ['2026-01-01', '2026-01-02', '2026-02-03'], family: 'date' },
  uuid: { sql: 'uuid', values: uuids, family: 'uuid' },
  array: { sql: 'int[]', values: ['{}', '{1}', '{1,2}', '{2,3}', '{NULL,1}'], family: 'array' },
  json: { sql: 'jsonb', values: ['{"k":1}', '{"k":2}', '{"k":"a","l":[1,2]}', '[]', 'null'], family: 'json' },
  float: { sql: 'float8', values: ['1', '1.5', '0.1', '-0'], family: 'float' },
} as const satisfies Record<string, TypeOf>;

export interface ColumnSpec {
  readonly name: string;
  readonly type: TypeOf;
  readonly notNull: boolean;
  readonly generated: boolean;
}

export interface TableSpec {
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  readonly primaryKey: readonly string[];
  readonly kind: 'plain' | 'partitioned' | 'partition' | 'parent' | 'child' | 'view';
  /** Foreign keys: column to the single primary key column of a table. */
  readonly references: readonly { readonly column: string; readonly table: string }[];
  /** Changes may be made through it. */
  readonly writable: boolean;
  readonly updatable: boolean;
}

export interface SchemaSpec {
  readonly ddl: readonly string[];
  readonly tables: readonly TableSpec[];
  readonly functions: readonly string[];
  readonly hidden: Constructs;
}

export interface SchemaOptions {
  /** Every table has REPLICA IDENTITY FULL. */
  readonly full: boolean;
}

export const preamble = [
  'create extension if not exists citext',
  "create collation if not exists nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
  "create type mood as enum ('low', 'mid', 'high')",
  'create domain label as text',
  'create domain small as int',
];

const keyTypes: readonly TypeOf[] = [
  types.int,
  types.bigint,
  types.text,
  types.uuid,
  types.char,
  types.mood,
  types.numeric,
  types.label,
  types.date,
  types.citext,
  types.time,
];
const plainTypes: readonly TypeOf[] = Object.values(types);

function column(name: string, type: TypeOf, notNull = false): ColumnSpec {
  return { name, type, notNull, generated: false };
}

export function randomSchema(random: Random, { full }: SchemaOptions): SchemaSpec {
  const ddl: string[] = [];
  const tables: TableSpec[] = [];
  for (let i = 0; i < 3; i++) plainTable(random, `t${i}`, ddl, tables, full);
  partitioned(random, ddl, tables, full);
  inherited(random, ddl, tables, full);
  ddl.push('create schema other', 'create table other.t0 (id int primary key, a int, b text)');
  if (full) ddl.push('alter table other.t0 replica identity full');
  tables.push(
    table(
      'other.t0',
      [column('id', types.int, true), column('a', types.int), column('b', types.text)],
      ['id'],
      'plain',
    ),
  );
  views(random, ddl, tables);
  const functions = functionsOf(ddl, tables);
  const hidden = constructs(random, ['t0', 't1'], full);
  ddl.push(...hidden.ddl);
  tables.push(
    table(
      'd',
      [
        column('id', types.int, true),
        column('a', types.int),
        column('b', types.text),
        column('j', types.json),
      ],
      ['id'],
      'plain',
    ),
  );
  return { ddl, tables, functions, hidden };
}

function table(
  name: string,
  columns: readonly ColumnSpec[],
  primaryKey: readonly string[],
  kind: TableSpec['kind'],
  more: Partial<TableSpec> = {},
): TableSpec {
  return {
    name,
    columns,
    primaryKey,
    kind,
    references: [],
    writable: kind !== 'view',
    updatable: kind !== 'view',
    ...more,
  };
}

function plainTable(random: Random, name: string, ddl: string[], tables: TableSpec[], full: boolean): void {
  const columns: ColumnSpec[] = [];
  const shape = random.pick(['single', 'single', 'single', 'composite', 'none'] as const);
  const singleType = random.chance(0.5) ? types.int : random.pick(keyTypes);
  if (shape === 'single') columns.push(column('id', singleType, true));
  if (shape === 'composite') {
    columns.push(column('k1', random.chance(0.5) ? types.int : random.pick(keyTypes), true));
    columns.push(column('k2', random.pick(keyTypes), true));
  }
  const references: { column: string; table: string }[] = [];
  const targets = tables.filter((one) => one.kind === 'plain' && one.primaryKey.length === 1);
  if (targets.length > 0 && random.chance(0.8)) {
    const target = random.pick(targets);
    const key = target.columns.find((one) => one.name === target.primaryKey[0]);
    if (key !== undefined) {
      columns.push(column('ref', key.type, random.chance(0.3)));
      references.push({ column: 'ref', table: target.name });
    }
  }
  columns.push(column('a', types.int), column('b', types.text));
  for (const [i, type] of random.some(plainTypes, 4).entries())
    columns.push(column(`c${i}`, type, random.chance(0.2)));
  columns.push(column('big', types.text));
  const generated = random.pick(['stored', 'virtual', 'none'] as const);
  if (generated !== 'none') columns.push({ ...column('g', types.int), generated: true });
  const primaryKey =
    shape === 'single'
      ? ['id']
      : shape === 'composite'
        ? random.chance(0.5)
          ? ['k1', 'k2']
          : ['k2', 'k1']
        : [];
  const parts = columns.map((one) =>
    one.generated
      ? `${one.name} int generated always as (coalesce(a, 0) * 2) ${generated}`
      : `${one.name} ${one.type.sql}${one.notNull ? ' not null' : ''}`,
  );
  if (primaryKey.length > 0) parts.push(`primary key (${primaryKey.join(', ')})`);
  const onDelete = random.pick(['cascade', 'set null', 'no action']);
  for (const one of references) {
    const notNull = columns.find((c) => c.name === one.column)?.notNull === true;
    parts.push(
      `foreign key (${one.column}) references ${one.table} on delete ${notNull ? 'cascade' : onDelete} on update cascade`,
    );
  }
  ddl.push(`create table ${name} (${parts.join(', ')})`);
  ddl.push(`alter table ${name} alter column big set storage external`);
  for (const one of random.some(
    columns.filter((c) => !c.generated && c.name !== 'big' && !['json', 'array'].includes(c.type.family)),
    3,
  )) {
    ddl.push(`create index on ${name} (${one.name})`);
  }
  if (random.chance(0.8)) ddl.push(`create index on ${name} (a)`, `create index on ${name} (b)`);
  if (references.length > 0 && random.chance(0.7)) ddl.push(`create index on ${name} (ref)`);
  let updatable = true;
  if (primaryKey.length === 0) {
    if (full || random.chance(0.8)) ddl.push(`alter table ${name} replica identity full`);
    else updatable = false;
  } else if (full || random.chance(0.4)) ddl.push(`alter table ${name} replica identity full`);
  else if (random.chance(0.2)) {
    ddl.push(`alter table ${name} add column u int`, `update ${name} set u = 0`);
    ddl.push(
      `create sequence ${name}_u`,
      `alter table ${name} alter u set default nextval('${name}_u'), alter u set not null`,
    );
    ddl.push(
      `create unique index ${name}_ui on ${name} (u)`,
      `alter table ${name} replica identity using index ${name}_ui`,
    );
  }
  tables.push(table(name, columns, primaryKey, 'plain', { references, updatable }));
}

function partitioned(random: Random, ddl: string[], tables: TableSpec[], full: boolean): void {
  const columns = [
    column('id', types.int, true),
    column('r', types.int, true),
    column('a', types.int),
    column('b', random.pick([types.text, types.varchar, types.mood])),
  ];
  const key = random.chance(0.7) ? ['id', 'r'] : [];
  ddl.push(
    `create table p (id int not null, r int not null, a int, b ${columns[3]?.type.sql}${key.length > 0 ? ', primary key (id, r)' : ''}) partition by list (r)`,
    'create table p1 partition of p for values in (1, 2)',
    // A leaf may lay out its columns differently.
    `create table p2 (b ${columns[3]?.type.sql}, a int, r int not null, id int not null)`,
    'alter table p attach partition p2 for values in (3)',
    'create table p3 partition of p default',
  );
  if (random.chance(0.5)) ddl.push('create index on p (a)');
  if (full || random.chance(0.4) || key.length === 0)
    for (const leaf of ['p1', 'p2', 'p3']) ddl.push(`alter table ${leaf} replica identity full`);
  tables.push(table('p', columns, key, 'partitioned'));
  tables.push(table('p1', columns, key, 'partition', { writable: false }));
}

function inherited(random: Random, ddl: string[], tables: TableSpec[], full: boolean): void {
  const columns = [column('id', types.int, true), column('a', types.int), column('b', types.text)];
  const childKey = random.pick([', primary key (id)', ', primary key (extra)', '']);
  ddl.push(
    'create table i0 (id int not null primary key, a int, b text)',
    `create table i1 (extra int not null default 0${childKey}) inherits (i0)`,
  );
  ddl.push(random.chance(0.5) ? 'create index on i0 (a)' : 'create index on i0 (b)');
  if (full) ddl.push('alter table i0 replica identity full');
  if (full || childKey !== ', primary key (id)' || random.chance(0.4))
    ddl.push('alter table i1 replica identity full');
  tables.push(table('i0', columns, ['id'], 'parent'));
  tables.push(
    table(
      'i1',
      [...columns, column('extra', types.int, true)],
      childKey.includes('(id)') ? ['id'] : childKey === '' ? [] : ['extra'],
      'child',
    ),
  );
}

function views(random: Random, ddl: string[], tables: TableSpec[]): void {
  const base = random.pick(tables.filter((one) => one.kind === 'plain'));
  const shown = base.columns.filter((one) => !one.generated);
  ddl.push(
    `create view v0 as select ${shown.map((one) => one.name).join(', ')} from ${base.name} where a is not null`,
  );
  tables.push(
    table(
      'v0',
      shown.map((one) => ({ ...one, notNull: false })),
      base.primaryKey,
      'view',
    ),
  );
  const other = random.pick(tables.filter((one) => one.kind === 'plain'));
  ddl.push(
    `create view v1 (x, y, z) as select l.a, r.b, r.a + 1 from ${base.name} l left join ${other.name} r on r.a = l.a`,
  );
  tables.push(
    table('v1', [column('x', types.int), column('y', types.text), column('z', types.int)], [], 'view'),
  );
  ddl.push(
    `create view v2 as select a, count(*)::int as n, max(b) as b from ${random.pick(['v0', base.name])} group by a`,
  );
  tables.push(
    table('v2', [column('a', types.int), column('n', types.int), column('b', types.text)], [], 'view'),
  );
  ddl.push(
    `create view v3 as select v0.*, (select count(*)::int from ${other.name} s where s.a = v0.a) as cnt from v0`,
  );
  tables.push(
    table(
      'v3',
      [...shown.map((one) => ({ ...one, notNull: false })), column('cnt', types.int)],
      base.primaryKey,
      'view',
    ),
  );
}

function functionsOf(ddl: string[], tables: readonly TableSpec[]): string[] {
  const [first, second] = tables;
  if (first === undefined || second === undefined) return [];
  ddl.push(
    `create function f_count(x int) returns bigint language sql stable as $$ select count(*) from ${first.name} where a = $1 $$`,
    `create function f_atomic(x int) returns bigint language sql stable return (select sum(a) from ${second.name} where a >= x)`,
    `create function f_pl(x int) returns bigint language plpgsql stable as $$
       declare n bigint; r record;
       begin
         select count(*) into n from ${second.name} t where t.a = x;
         for r in select a from ${first.name} loop n := n + coalesce(r.a, 0); end loop;
         if exists (select 1 from other.t0 where a = x) then n := n + 100; end if;
         return n;
       end $$`,
    'create function f_pure(x int) returns int language sql immutable as $$ select x + 1 $$',
  );
  return ['f_count', 'f_atomic', 'f_pl', 'f_pure'];
}
