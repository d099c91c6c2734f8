// What a statement reaches by name: the SQL of views, and of the application's own functions.
import { parsePlPgSQLSync, parseSync } from 'libpg-query';
import type { Relation, SqlFunction } from '../catalog.ts';
import { asTree, type Body, type Tree, text } from './tree.ts';

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
  const trees = fn.language === 'sql' ? bodyOfSql(fn.source) : bodyOfPlpgsql(fn.source);
  return trees.map((tree) => {
    if (tree.kind !== 'SelectStmt') throw new Error(`it holds ${tree.kind}, which cannot be followed`);
    return tree.body;
  });
}

function statementsOf(sql: string): Tree[] {
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

function bodyOfPlpgsql(definition: string): Tree[] {
  const parsed: unknown = parsePlPgSQLSync(definition);
  const found: Tree[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [kind, inner] of Object.entries(value)) {
      if (/dyn|_open$|_close$|_fetch$|_forc$|_call$|_commit$|_rollback$/.test(kind)) {
        throw new Error(`${kind.replace('PLpgSQL_stmt_', '')} cannot be followed`);
      }
      if (kind === 'PLpgSQL_expr') found.push(...expression(inner as Body));
      else visit(inner);
    }
  };
  visit(parsed);
  return found;
}

/** parseMode 0 is a statement, 2 an expression, 3 and up an assignment `target := expression`. */
function expression(body: Body): Tree[] {
  const query = text(body, 'query') ?? '';
  if (body.parseMode === undefined || body.parseMode === 0) return statementsOf(query);
  if (body.parseMode === 2) return statementsOf(`SELECT ${query}`);
  const value = /^[^=]*?:?=\s*([\s\S]*)$/.exec(query)?.[1];
  if (value === undefined) throw new Error('an assignment of an unknown form');
  return statementsOf(`SELECT ${value}`);
}
