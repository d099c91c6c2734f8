// What a statement reaches by name: the SQL of views, and of the application's own functions.
import { parseSync } from 'libpg-query';
import type { Relation, SqlFunction } from '../schema/catalog.ts';
import { assemblesSql, plpgsqlQueries } from './plpgsql.ts';
import { asTree, type Body, type Tree } from './tree.ts';

export function viewBody(view: Relation): Body {
  const [query] = statementsOf(view.view ?? '');
  if (query?.kind !== 'SelectStmt') throw new Error(`the view ${view.name} is not a SELECT`);
  return query.body;
}

/** Every query that a call may run. Throws where that cannot be told. */
export function functionBody(fn: SqlFunction): Body[] {
  if (fn.source === undefined || (fn.language !== 'sql' && fn.language !== 'plpgsql')) {
    throw new Error(`it is written in ${fn.language} and may read anything`);
  }
  const trees =
    fn.language === 'sql' ? bodyOfSql(fn.source) : plpgsqlQueries(fn.source).flatMap(statementsOf);
  return trees.map((tree) => {
    if (tree.kind !== 'SelectStmt') throw new Error(`it holds ${tree.kind}, which cannot be followed`);
    return tree.body;
  });
}

/** It runs SQL whose text is not in its own. */
export const namesUnknown = (fn: SqlFunction): boolean =>
  fn.language === 'plpgsql' && fn.source !== undefined && assemblesSql(fn.source);

/** What stands for the arguments that a call leaves out. */
export function defaultsOf(fn: SqlFunction): Body[] {
  return fn.defaults === undefined ? [] : statementsOf(`SELECT ${fn.defaults}`).map(({ body }) => body);
}

export function statementsOf(sql: string): Tree[] {
  const parsed: unknown = parseSync(sql);
  const statements = (parsed as Body).stmts;
  return Array.isArray(statements) ? statements.flatMap((raw: Body) => asTree(raw.stmt) ?? []) : [];
}

/** An old-style body is a list of statements; a new-style one is `RETURN expr` or `BEGIN ATOMIC ... END`. */
function bodyOfSql(source: string): Tree[] {
  const trimmed = source.trim();
  const returned = /^RETURN\s+([\s\S]*)$/i.exec(trimmed)?.[1];
  if (returned !== undefined) return statementsOf(`SELECT ${returned}`);
  const atomic = /^BEGIN\s+ATOMIC\s+([\s\S]*?)\s*END$/i.exec(trimmed)?.[1];
  return statementsOf(atomic ?? trimmed);
}
