// Random changes: what an application, a migration or a person at psql may do between two renders.
import { idle, OWNER } from './constructs.ts';
import type { Random } from './random.ts';
import type { ColumnSpec, SchemaSpec, TableSpec } from './schema.ts';

/** One transaction; a statement that Postgres refuses is passed over by a savepoint of its own. */
export interface Change {
  readonly steps: readonly string[];
  readonly kinds: readonly string[];
  readonly ddl: boolean;
  /** Run by an owner who is no superuser. */
  readonly as?: string | undefined;
}

function literal(random: Random, column: ColumnSpec): string {
  if (column.name === 'big') {
    // Long enough to be stored apart, so that updates of other columns leave it out of the log.
    return random.chance(0.5) ? `repeat('${random.pick(['x', 'y'])}', 9000)` : "'short'";
  }
  if (!column.notNull && random.chance(0.2)) return 'null';
  const value = random.pick(column.type.values).replaceAll("'", "''");
  return `'${value}'`;
}

export function insert(random: Random, table: TableSpec, schema: SchemaSpec): string {
  const columns = table.columns.filter((one) => !one.generated && (one.notNull || random.chance(0.9)));
  const values = columns.map((one) => value(random, table, one, schema));
  return `insert into ${table.name} (${columns.map((one) => one.name).join(', ')}) values (${values.join(', ')})`;
}

/** Of a referring column: a key that is there, mostly. */
function value(random: Random, table: TableSpec, column: ColumnSpec, schema: SchemaSpec): string {
  const reference = table.references.find((one) => one.column === column.name);
  const target = schema.tables.find((one) => one.name === reference?.table);
  if (target !== undefined && random.chance(0.85)) {
    return `(select ${target.primaryKey[0]} from ${target.name} order by md5(${target.primaryKey[0]}::text || '${random.int(1000)}') limit 1)`;
  }
  return literal(random, column);
}

function where(random: Random, table: TableSpec): string {
  const some = `ctid = any(array(select ctid from ${table.name} order by md5(${table.name.split('.').pop()}::text || '${random.int(1e6)}') limit ${random.pick([1, 1, 1, 1, 2, 3])}))`;
  if (table.kind === 'partitioned' || table.kind === 'parent')
    return `tableoid::text || ctid::text = any(array(select tableoid::text || ctid::text from ${table.name} order by md5(${table.name}::text || '${random.int(1e6)}') limit ${random.pick([1, 1, 2])}))`;
  return some;
}

export function randomChange(random: Random, schema: SchemaSpec, ddlShare: number): Change {
  if (random.chance(ddlShare)) return ddlChange(random, schema);
  const steps: string[] = [];
  const kinds: string[] = [];
  for (let i = random.pick([1, 1, 1, 1, 2, 3]); i > 0; i--) {
    const [kind, sql] = oneStep(random, schema);
    kinds.push(kind);
    steps.push(sql);
  }
  if (random.chance(0.1)) {
    const [, sql] = oneStep(random, schema);
    steps.push('savepoint undone', sql, 'rollback to savepoint undone');
    kinds.push('savepoint rolled back');
  }
  const as = random.chance(0.2) ? OWNER : undefined;
  return { steps, kinds: as === undefined ? kinds : [...kinds, 'by an owner'], ddl: false, as };
}

function oneStep(random: Random, schema: SchemaSpec): [string, string] {
  if (random.chance(0.2)) return [...random.pick(schema.hidden.changes)];
  const table = random.pick(schema.tables.filter((one) => one.writable));
  const kind = random.pick([
    'insert',
    'insert',
    'insert',
    'update',
    'update',
    'update',
    'update',
    'update',
    'delete',
    'delete',
    'key',
    'truncate',
    'bulk',
    'upsert',
    'nothing',
  ] as const);
  const settable = table.columns.filter((one) => !one.generated && !table.primaryKey.includes(one.name));
  const crowd = settable.filter((one) => one.name === 'a' || one.name === 'b');
  const column = random.pick(
    crowd.length > 0 && random.chance(0.4) ? crowd : settable.length > 0 ? settable : table.columns,
  );
  if (kind === 'insert' || !table.updatable) return ['insert', insert(random, table, schema)];
  if (kind === 'delete') return ['delete', `delete from ${table.name} where ${where(random, table)}`];
  if (kind === 'truncate')
    return random.chance(0.3)
      ? ['truncate', `truncate ${table.name} cascade`]
      : ['insert', insert(random, table, schema)];
  if (kind === 'key' && table.primaryKey.length > 0) {
    const key = table.columns.find((one) => one.name === random.pick(table.primaryKey)) ?? column;
    return [
      'update of the key',
      `update ${table.name} set ${key.name} = ${value(random, table, key, schema)} where ${where(random, table)}`,
    ];
  }
  if (kind === 'bulk')
    return ['bulk update', `update ${table.name} set ${column.name} = ${literal(random, column)}`];
  if (kind === 'nothing')
    return [
      'update to the same',
      `update ${table.name} set ${column.name} = ${column.name} where ${where(random, table)}`,
    ];
  if (kind === 'upsert' && table.primaryKey.length > 0 && table.kind === 'plain') {
    return [
      'upsert',
      `${insert(random, table, schema)} on conflict (${table.primaryKey.join(', ')}) do update set ${column.name} = excluded.${column.name}`,
    ];
  }
  return [
    'update',
    `update ${table.name} set ${column.name} = ${value(random, table, column, schema)} where ${where(random, table)}`,
  ];
}

function ddlChange(random: Random, schema: SchemaSpec): Change {
  const table = random.pick(schema.tables.filter((one) => one.kind === 'plain'));
  const bare = table.name.split('.').pop() ?? '';
  const tag = random.int(1e6);
  if (random.chance(0.5)) {
    const [kind, sql] = random.pick(random.chance(0.3) ? idle(table.name, tag) : schema.hidden.redefinitions);
    return { steps: [sql], kinds: [kind], ddl: true };
  }
  const [kind, sql] = random.pick<[string, string]>([
    ['DDL add column', `alter table ${table.name} add column n${tag} int default ${random.int(9)}`],
    ['DDL drop column', `alter table ${table.name} drop column b cascade`],
    ['DDL rename column', `alter table ${table.name} rename column a to a_${tag}`],
    ['DDL alter type', `alter table ${table.name} alter column b type text using upper(b) || '!'`],
    ['DDL rename table', `alter table ${table.name} rename to ${bare}_${tag}`],
    ['DDL drop table', `drop table ${table.name} cascade`],
    [
      'DDL replace view',
      'create or replace view v2 as select a, (count(*) + 1)::int as n, max(b) as b from other.t0 group by a',
    ],
    [
      'DDL replace function',
      'create or replace function f_count(x int) returns bigint language sql stable as $$ select 7 + count(*) from other.t0 where a = $1 $$',
    ],
    [
      'DDL replace function',
      'create or replace function f_pure(x int) returns int language sql immutable as $$ select x + 2 $$',
    ],
    ['DDL rename enum label', `alter type mood rename value 'low' to 'low${tag}'`],
    ['DDL detach partition', 'alter table p detach partition p1'],
    ['DDL inherit', `create table i_${tag} () inherits (i0)`],
    ['DDL index', `create index on ${table.name} (b)`],
    ['DDL identity', `alter table ${table.name} replica identity full`],
  ]);
  return { steps: [sql], kinds: [kind], ddl: true };
}
