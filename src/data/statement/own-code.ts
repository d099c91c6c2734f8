// Whether code may run in a statement that could do something to its session. The declared volatility of a function says
// nothing of that: Postgres lets an immutable one call set_config(). So only Postgres' own code counts as harmless, and C of
// extensions; a function in SQL or PL/pgSQL never does, whatever its body is now, because it may be replaced while a
// worker still has the old catalog snapshot.
//
// A look at names, apart from the analysis for keys, which passes over what no result depends on. A name that may mean
// either counts as the application's.
import type { Catalog, Relation } from '../schema/catalog.ts';
import { statementsOf } from './bodies.ts';
import { leavesSessionAlone } from './functions.ts';
import { type Body, children, names, part, text } from './tree.ts';

/** Needs libpg-query's `loadModule()` to have run. */
export function runsOnlyPostgres(sql: string, catalog: Catalog): boolean {
  if (catalog.ownCode.unasked) return false;
  try {
    const statements = statementsOf(sql);
    return (
      statements.length === 1 &&
      statements[0]?.kind === 'SelectStmt' &&
      new Look(catalog).isHarmless(statements[0].body)
    );
  } catch {
    return false;
  }
}

class Look {
  readonly #catalog: Catalog;
  readonly #views = new Set<Relation>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  isHarmless(query: Body): boolean {
    return this.#all(query, new Set(ctesOf(query)));
  }

  #all(value: unknown, ctes: ReadonlySet<string>): boolean {
    if (Array.isArray(value)) return value.every((item) => this.#all(item, ctes));
    if (typeof value !== 'object' || value === null) return true;
    const body = value as Body;
    // Only the name of a type has a field of this name.
    if (Array.isArray(body.names) && !this.#type(body)) return false;
    return Object.entries(body).every(([field, below]) => {
      const node = part(body, field);
      return (node === undefined || this.#node(field, node, ctes)) && this.#all(below, ctes);
    });
  }

  #node(kind: string, body: Body, ctes: ReadonlySet<string>): boolean {
    switch (kind) {
      case 'FuncCall':
        return this.#call(names(body, 'funcname').at(-1) ?? '');
      // `row.function` calls it.
      case 'ColumnRef':
        return this.#isNoFunction(names(body, 'fields'));
      case 'A_Indirection':
        return this.#isNoFunction(names(body, 'indirection'));
      case 'RangeVar':
        return this.#relation(text(body, 'schemaname'), text(body, 'relname') ?? '', ctes);
      default:
        return true;
    }
  }

  #call(name: string): boolean {
    const { functions, harmless } = this.#catalog.ownCode;
    if (functions.has(name)) return false;
    const builtin = this.#catalog.builtins.get(name);
    return builtin === undefined ? harmless.has(name) : leavesSessionAlone(name, builtin);
  }

  #isNoFunction(fields: readonly string[]): boolean {
    return !fields.some((name) => this.#catalog.ownCode.functions.has(name));
  }

  #type(body: Body): boolean {
    return !this.#catalog.ownCode.types.has(names(body, 'names').at(-1) ?? '');
  }

  #relation(schema: string | undefined, name: string, ctes: ReadonlySet<string>): boolean {
    const relation = this.#catalog.resolve(schema, name, this.#catalog.searchPath);
    if (relation === 'system') return true;
    if (relation === undefined) return schema === undefined && ctes.has(name);
    // Policies may call anything.
    if (relation.guarded || this.#catalog.ownCode.relations.has(relation.oid)) return false;
    if (relation.view === undefined || this.#views.has(relation)) return true;
    this.#views.add(relation);
    const [view] = statementsOf(relation.view);
    return view !== undefined && this.isHarmless(view.body);
  }
}

function ctesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(ctesOf);
  if (typeof value !== 'object' || value === null) return [];
  const body = value as Body;
  const own = children(body, 'ctes').map((cte) => text(cte.body, 'ctename') ?? '');
  return [...own, ...Object.values(body).flatMap(ctesOf)];
}
