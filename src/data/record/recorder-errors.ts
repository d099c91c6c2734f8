import { CoherentError } from '../../core/errors.ts';

/** A page's `load` gave a statement that writes, locks rows, or is several at once. */
export class StatementRefusedError extends CoherentError {
  readonly code = 'E_STATEMENT_REFUSED';

  constructor(sql: string, why: string) {
    super(`A page may only read, and this statement was refused: ${why}. Statement: ${sql.slice(0, 200)}`);
  }
}
