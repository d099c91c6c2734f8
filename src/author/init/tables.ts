// The tables of a database, as far as pages can be written for them.
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { Database } from '../../data/read/database.ts';

export interface TableColumn {
  readonly name: string;
  /** Of TypeScript, as rows have it. */
  readonly type: string;
  /** The table whose primary key it holds. */
  readonly references: string | undefined;
}

export interface Table {
  readonly name: string;
  /** Of one column. */
  readonly primaryKey: TableColumn;
  readonly columns: readonly TableColumn[];
}

/** A page a table: more than these nobody reads through. */
const MAX_TABLES = 40;

const TABLES = `
SELECT c.relname AS table, json_agg(json_build_object(
  'name', a.attname,
  'type', t.typname,
  'notNull', a.attnotnull,
  'isKey', k.conrelid IS NOT NULL,
  'references', f.target
) ORDER BY a.attnum) AS columns
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p' AND cardinality(p.conkey) = 1
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_constraint k ON k.oid = p.oid AND k.conkey[1] = a.attnum
LEFT JOIN LATERAL (
  SELECT r.relname AS target FROM pg_constraint x JOIN pg_class r ON r.oid = x.confrelid
  JOIN pg_constraint rp ON rp.conrelid = r.oid AND rp.contype = 'p' AND rp.conkey = x.confkey
  WHERE x.conrelid = c.oid AND x.contype = 'f' AND x.conkey = ARRAY[a.attnum] AND r.relnamespace = n.oid
  ORDER BY x.oid LIMIT 1
) f ON true
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.relname ORDER BY c.relname LIMIT ${MAX_TABLES}`;

interface RawColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly isKey: boolean;
  readonly references: string | null;
}

/** Those of the schema public with a primary key of one column. Errors: `E_DATABASE_DOWN`, `E_QUERY`. */
export async function readTables(databaseUrl: string, logger: Logger): Promise<readonly Table[]> {
  const database = new Database({
    connectionString: databaseUrl,
    logger,
    clock: systemClock,
    max: 1,
    applicationName: 'coherent-init',
  });
  try {
    const { rows } = await database.run<{ table: string; columns: readonly RawColumn[] }>(TABLES, []);
    return rows.flatMap(({ table, columns }) => {
      const all = columns.map((column) => ({
        name: column.name,
        type: column.notNull ? typeOf(column.type) : `${typeOf(column.type)} | null`,
        references: column.references ?? undefined,
      }));
      const primaryKey = all[columns.findIndex(({ isKey }) => isKey)];
      return primaryKey === undefined ? [] : [{ name: table, primaryKey, columns: all }];
    });
  } finally {
    await database.close();
  }
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'oid']);

/** As docs of `Db` say what values are. */
function typeOf(type: string): string {
  if (NUMBERS.has(type)) return 'number';
  if (type === 'bool') return 'boolean';
  if (type === 'timestamp' || type === 'timestamptz') return 'Date';
  if (type.startsWith('_') || type === 'json' || type === 'jsonb' || type === 'bytea') return 'unknown';
  return 'string';
}
