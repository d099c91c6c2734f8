import type { Tracing } from '../../core/trace.ts';
import { shapeOf } from '../statement-shape.ts';

const MAX_TEXT = 2000;

/** One statement as a span, named by what it does, with its shape. Waiting for a connection is in it. */
export function spanOf<T extends { readonly rowCount: number | null }>(
  trace: Tracing,
  sql: string,
  run: () => Promise<T>,
): Promise<T> {
  const text = shapeOf(sql.slice(0, MAX_TEXT));
  const operation = /^[a-z]+/i.exec(text)?.[0].toUpperCase() ?? 'QUERY';
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.query.text': text,
  };
  return trace.span({ name: operation, kind: 'client', attributes }, async (span) => {
    try {
      const result = await run();
      if (result.rowCount !== null) span.set('db.response.returned_rows', result.rowCount);
      return result;
    } catch (error) {
      const state: unknown = error instanceof Error ? Reflect.get(error, 'sqlState') : undefined;
      if (typeof state === 'string') span.set('db.response.status_code', state);
      throw error;
    }
  });
}
