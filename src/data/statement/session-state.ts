// What a statement would leave behind in the session that it runs in. Sessions are shared: by the pages of a worker, and
// behind a pooler with other clients.
import { parseSync } from 'libpg-query';
import { asTree, type Body, children, constant, eachChild, names, type Tree } from './tree.ts';

/** Locks that are the session's, not the transaction's. */
const SESSION_LOCK = /^pg_(try_)?advisory_lock(_shared)?$/;
/** As Postgres writes the options of DECLARE CURSOR. */
const CURSOR_OPT_HOLD = 0x20;

/**
 * Why a statement's doing outlives its transaction, as the end of "it ...", or undefined. What a function does inside is not
 * seen. A text that does not parse is left to Postgres. Needs libpg-query's `loadModule()` to have run.
 */
export function leftBehind(sql: string): string | undefined {
  let found: string | undefined;
  const visit = (tree: Tree): void => {
    found ??= ofNode(tree);
    if (found === undefined) eachChild(tree.body, visit);
  };
  for (const statement of statementsOf(sql)) visit(statement);
  return found;
}

function statementsOf(sql: string): Tree[] {
  let parsed: unknown;
  try {
    parsed = parseSync(sql);
  } catch {
    return [];
  }
  const [root] = children({ parsed: [{ Parsed: parsed }] }, 'parsed');
  const statements: unknown = root?.body.stmts;
  if (!Array.isArray(statements)) return [];
  return (statements as readonly Body[]).flatMap((raw) => asTree(raw.stmt) ?? []);
}

function ofNode({ kind, body }: Tree): string | undefined {
  switch (kind) {
    case 'VariableSetStmt':
      return body.is_local === true || body.kind === 'VAR_SET_MULTI'
        ? undefined
        : 'sets a parameter of the session: write SET LOCAL';
    case 'ListenStmt':
      return 'listens in a session that it does not own';
    case 'PrepareStmt':
      return 'prepares a statement by a name of its own: statements are prepared already';
    case 'DeallocateStmt':
    case 'DiscardStmt':
      return 'throws away what others have prepared in the session';
    case 'LoadStmt':
      return 'loads a library into the session';
    case 'DeclareCursorStmt':
      return isHeld(body) ? 'declares a cursor WITH HOLD: leave that out' : undefined;
    case 'CreateStmt':
      return isTemporary(body.relation, body.oncommit);
    case 'CreateTableAsStmt': {
      const into = body.into as Body | undefined;
      return isTemporary(into?.rel, into?.onCommit);
    }
    case 'SelectStmt': {
      const into = body.intoClause as Body | undefined;
      return isTemporary(into?.rel, into?.onCommit);
    }
    case 'FuncCall':
      return ofCall(body);
    default:
      return undefined;
  }
}

function ofCall(body: Body): string | undefined {
  const name = names(body, 'funcname').at(-1) ?? '';
  if (SESSION_LOCK.test(name))
    return `takes a lock of the session: use ${name.replace('_lock', '_xact_lock')}`;
  if (name !== 'set_config') return undefined;
  const isLocal = children(body, 'args')[2];
  return isLocal !== undefined && constant(isLocal) === 'true'
    ? undefined
    : 'sets a parameter of the session: pass true as the third argument of set_config';
}

function isHeld({ options }: Body): boolean {
  return typeof options === 'number' && (options & CURSOR_OPT_HOLD) !== 0;
}

function isTemporary(relation: unknown, onCommit: unknown): string | undefined {
  const { relpersistence } = (relation ?? {}) as { readonly relpersistence?: string };
  if (relpersistence !== 't' || onCommit === 'ONCOMMIT_DROP') return undefined;
  return 'makes a temporary table that stays: write ON COMMIT DROP';
}
