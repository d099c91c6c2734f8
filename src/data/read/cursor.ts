// Cursors of keyset pages: where the last row stood in the list's order.
//
// A cursor holds Postgres' own text of each ordering column (a JavaScript Date would lose its microseconds and
// with them rows) and a mark of the list it was made for. It is not signed: it names a place in a list that the
// page shows anyway, and reaches SQL only as parameters.
import { createHash } from 'node:crypto';
import { BadCursorError } from '../errors.ts';

export type Position = readonly (string | null)[];

const MAX_LENGTH = 8192;

/** What a cursor is bound to: the table, and the order of its rows. */
export function listMark(
  table: string,
  order: readonly { readonly column: string; readonly direction: string }[],
): string {
  const text = JSON.stringify([table, ...order.map(({ column, direction }) => [column, direction])]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 8);
}

export function writeCursor(mark: string, position: Position): string {
  return Buffer.from(JSON.stringify([mark, ...position])).toString('base64url');
}

/** Errors: E_BAD_CURSOR. */
export function readCursor(mark: string, length: number, cursor: string): Position {
  if (cursor.length > MAX_LENGTH) throw new BadCursorError('it is too long');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new BadCursorError('it cannot be read', cause);
  }
  if (!Array.isArray(parsed)) throw new BadCursorError('it cannot be read');
  const [found, ...position] = parsed as unknown[];
  if (found !== mark) throw new BadCursorError('it was made for another list or order');
  if (position.length !== length || !position.every(isPart))
    throw new BadCursorError('it has the wrong parts');
  return position;
}

function isPart(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
