// What the database could do better for a statement of a page: read a large table by an index, and name the rows of one
// that has no primary key. Asked behind the answer, each statement once; what cannot be found out is not told.
import type { Database } from '../../data/read/database.ts';
import type { Notices } from './notices.ts';
import type { RanStatement } from './watched-db.ts';

/** Smaller tables are read whole faster than by any index. */
const MANY_ROWS = 1000;
const MAX_STATEMENTS = 500;

interface Plan {
  readonly 'Node Type': string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly Plan[];
}

interface Scan {
  readonly table: string;
  readonly filter: string;
}

export class DatabaseAdvice {
  readonly #database: Pick<Database, 'run'>;
  readonly #notices: Notices;
  readonly #seen = new Set<string>();

  constructor(database: Pick<Database, 'run'>, notices: Notices) {
    this.#database = database;
    this.#notices = notices;
  }

  /** Never rejects, and is not waited for. */
  async look({ sql, params, place }: RanStatement): Promise<void> {
    if (this.#seen.has(sql) || this.#seen.size >= MAX_STATEMENTS) return;
    this.#seen.add(sql);
    try {
      const { rows } = await this.#database.run(`EXPLAIN (FORMAT JSON, VERBOSE) ${sql}`, params);
      for (const { table, filter } of scansIn(rows[0])) {
        const many = await this.#rows(table);
        if (many < MANY_ROWS) continue;
        this.#notices.tell({
          topic: 'missing-index',
          place,
          text: `${table} (about ${many.toLocaleString('en')} rows) is read whole to find those with ${filter}. An index on these columns makes it quick, and has fewer changes purge the page.`,
        });
      }
    } catch {
      // It can't be explained, or the database is away: the page tells of the second.
    }
  }

  /** Tables whose changes no page can be told of. */
  async lookAtTables(): Promise<void> {
    try {
      const { rows } = await this.#database.run(UNKEYED_TABLES, []);
      for (const row of rows) {
        const table = 'name' in row ? String(row.name) : '';
        this.#notices.tell({
          topic: 'unkeyed',
          place: undefined,
          text: `The table ${table} has no primary key, so its changes cannot be followed: pages made from it live by their ttl. Give it one.`,
        });
      }
    } catch {
      // As above.
    }
  }

  async #rows(table: string): Promise<number> {
    const { rows } = await this.#database.run(
      'SELECT reltuples::float8 AS many FROM pg_class WHERE oid = to_regclass($1)',
      [table],
    );
    const [row] = rows;
    return row !== undefined && 'many' in row ? Number(row.many) : 0;
  }
}

const UNKEYED_TABLES = `
  SELECT c.oid::regclass::text AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'coherent') AND n.nspname NOT LIKE 'pg\\_%'
    AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
      SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
  ORDER BY 1`;

/** Tables that a plan reads from beginning to end for the sake of a condition. */
function scansIn(row: object | undefined): readonly Scan[] {
  const plans: unknown = row === undefined ? undefined : Reflect.get(row, 'QUERY PLAN');
  const [first] = Array.isArray(plans) ? plans : [];
  const scans: Scan[] = [];
  const visit = (plan: Plan) => {
    const { Schema: schema, 'Relation Name': name, Filter: filter } = plan;
    if (plan['Node Type'] === 'Seq Scan' && name !== undefined && filter !== undefined)
      scans.push({ table: quoted(schema, name), filter });
    for (const each of plan.Plans ?? []) visit(each);
  };
  if (typeof first === 'object' && first !== null && 'Plan' in first) visit(first.Plan);
  return scans;
}

function quoted(schema: string | undefined, name: string): string {
  const quote = (part: string) =>
    /^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`;
  return schema === undefined || schema === 'public' ? quote(name) : `${quote(schema)}.${quote(name)}`;
}
