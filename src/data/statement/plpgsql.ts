// What a function in PL/pgSQL may run, as SQL: the parser's own output, and what it leaves out of it. It does not have
// the defaults of variables whose type it does not know (records, enums, domains, composites). So the declarations are
// read once more here, word by word; whatever calls something, and is then still unaccounted for, is refused.
import { parsePlPgSQLSync, scanSync } from 'libpg-query';
import { type Body, text } from './tree.ts';

interface Token {
  readonly text: string;
  readonly name: string;
  /** A word that can name a function. */
  readonly word: boolean;
}

/**
 * Conditions that a block may catch: the same data raises them again. A lock that is not had in time is none of them, nor is
 * the class that a missing right belongs to.
 */
const ofData =
  /^(?!syntax_error_or_access_rule_violation$)(22\w{3}|23\w{3}|21000|P000[1-4]|division_by_zero|no_data_found|too_many_rows|raise_exception|assert_failure|case_not_found|cardinality_violation|data_exception|\w*(invalid|overflow|out_of_range|truncation|not_allowed|subscript|violation)\w*)$/;

/** The texts of its queries, expressions among them as `SELECT ...`. Throws where something cannot be followed. */
export function plpgsqlQueries(definition: string): string[] {
  const parsed: unknown = parsePlPgSQLSync(definition);
  const found: string[] = [];
  const variables = new Set<string>();
  const opened = new Set<unknown>();
  const fetched = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [kind, inner] of Object.entries(value)) {
      if (/dyn|_call$|_commit$|_rollback$/.test(kind)) {
        throw new Error(`${kind.replace('PLpgSQL_stmt_', '')} cannot be followed`);
      }
      const { curvar, condname } = inner as Body;
      if (kind === 'PLpgSQL_stmt_open') opened.add(curvar);
      if (kind === 'PLpgSQL_stmt_fetch') fetched.add(curvar);
      if (kind === 'PLpgSQL_condition' && !ofData.test(String(condname))) {
        throw new Error(`it catches ${condname}, which need not come from the data`);
      }
      if (kind === 'refname') variables.add(String(inner));
      if (kind === 'PLpgSQL_expr') found.push(...expression(inner as Body));
      else visit(inner);
    }
  };
  visit(parsed);
  for (const cursor of fetched)
    if (!opened.has(cursor)) throw new Error('it reads a cursor that it has not opened itself');
  const body = tokensOf(bodyOf(definition));
  found.push(...declared(body));
  checkWhole(body, found, variables);
  return found;
}

/** Whether it executes something else than strings that are written out in it. */
export function assemblesSql(definition: string): boolean {
  const body = tokensOf(bodyOf(definition));
  return body.some((token, i) => {
    if (!is(token, 'execute')) return false;
    const [text, next] = body.slice(i + 1);
    return (
      text?.name !== 'SCONST' ||
      !(next?.text === ';' || is(next, 'into') || is(next, 'using') || is(next, 'loop'))
    );
  });
}

/** parseMode 0 is a statement, 2 an expression, 3 and up an assignment `target := expression`. */
function expression(body: Body): string[] {
  const query = text(body, 'query') ?? '';
  if (body.parseMode === undefined || body.parseMode === 0) return [query];
  if (body.parseMode === 2) return [`SELECT ${query}`];
  const tokens = tokensOf(query);
  const sign = outside(tokens, ({ text }) => text === ':=' || text === '=');
  if (sign < 0) throw new Error('an assignment of an unknown form');
  // What stands in the subscripts of the target is computed, too.
  return [`SELECT ${join(tokens.slice(0, sign))}`, `SELECT ${join(tokens.slice(sign + 1))}`];
}

/** The types and defaults of the variables that each DECLARE declares. */
function declared(body: readonly Token[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < body.length; i++) {
    if (!is(body[i], 'declare')) continue;
    for (i++; i < body.length && !is(body[i], 'begin'); i++) {
      const end = outside(body.slice(i), ({ text }) => text === ';');
      if (end < 0) throw new Error('a declaration without an end');
      found.push(...declaration(body.slice(i, i + end)));
      i += end;
    }
  }
  return found;
}

/** `name [CONSTANT] type [COLLATE ...] [NOT NULL] [:= expression]`; a cursor's query is in the parser's output. */
function declaration(tokens: readonly Token[]): string[] {
  if (tokens.length < 2 || is(tokens[1], 'alias')) return [];
  const [first, ...rest] = tokens.slice(1);
  const typed = is(first, 'constant') ? rest : tokens.slice(1);
  if (typed.some((token, i) => i < 3 && is(token, 'cursor'))) return [];
  const sign = outside(typed, (token) => token.text === ':=' || token.text === '=' || is(token, 'default'));
  const before = sign < 0 ? typed : typed.slice(0, sign);
  const end = before.findIndex((token) => is(token, 'collate') || is(token, 'not'));
  const type = end < 0 ? before : before.slice(0, end);
  // `users%rowtype` and `users.name%type` are as the table is.
  const copied = type.findIndex((token) => token.text === '%');
  const table = is(type[copied + 1], 'type') ? Math.max(copied - 2, 0) : copied;
  const name = copied < 0 ? type : type.slice(0, table);
  const queries = name.length === 0 ? [] : [`SELECT NULL::${join(name)}`];
  if (sign >= 0) queries.push(`SELECT ${join(typed.slice(sign + 1))}`);
  return queries;
}

/** Every call and every subquery of the body must be in one of the queries found. */
function checkWhole(body: readonly Token[], found: readonly string[], variables: ReadonlySet<string>): void {
  const left = counted(body);
  for (const query of found) {
    for (const [call, count] of counted(tokensOf(query))) left.set(call, (left.get(call) ?? 0) - count);
  }
  for (const [call, count] of left) {
    if (count > 0 && !structure.has(call) && !variables.has(call)) {
      throw new Error(`what it does with ${call} is not in the parser's account`);
    }
  }
}

/** Words of PL/pgSQL's own that a parenthesis may follow. */
const structure = new Set(
  'if elsif elseif while return perform assert raise loop exit next query cursor'.split(' '),
);

function counted(tokens: readonly Token[]): Map<string, number> {
  const counts = new Map<string, number>();
  tokens.forEach((token, i) => {
    const reads = /^(select|perform|table|values)$/i.test(token.text);
    if (!reads && !(token.word && tokens[i + 1]?.text === '(')) return;
    const name = is(token, 'perform') ? 'select' : token.text.toLowerCase();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  });
  return counts;
}

/** The first token outside of parentheses and brackets that is meant; -1 where there is none. */
function outside(tokens: readonly Token[], meant: (token: Token) => boolean): number {
  let depth = 0;
  return tokens.findIndex((token) => {
    if (/^[([]$/.test(token.text)) depth++;
    if (/^[)\]]$/.test(token.text)) depth--;
    return depth === 0 && meant(token);
  });
}

function tokensOf(source: string): Token[] {
  return scanSync(source).tokens.flatMap(({ text, tokenName, keywordName }) => {
    if (/COMMENT$/.test(tokenName)) return [];
    const word = tokenName === 'IDENT' || keywordName === 'UNRESERVED_KEYWORD';
    return [{ text, name: tokenName, word }];
  });
}

/** pg_get_functiondef ends with the body, as a string. */
function bodyOf(definition: string): string {
  const strings = tokensOf(definition).filter(({ name }) => name === 'SCONST');
  const body = strings[strings.length - 1]?.text ?? '';
  return body.replace(/^(\$[^$]*\$)([\s\S]*)\1$/, '$2');
}

const is = (token: Token | undefined, word: string): boolean => token?.text.toLowerCase() === word;

/** A line each: two strings that follow each other are one, if the lines differ. */
const join = (tokens: readonly Token[]): string => tokens.map(({ text }) => text).join('\n');
