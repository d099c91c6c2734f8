// Pages, fragments, guards, sessions and the like are made while modules load, and never after: what is made later could be made by
// code that sees a visitor, and would carry them, in a closure, into what is kept for all.
import { CoherentError } from './errors.ts';

/** Something was declared when requests were answered already. */
class LateDeclarationError extends CoherentError {
  readonly code = 'E_LATE_DECLARATION';
}

let areOver = false;

/** From now on nothing is declared in this process. A worker calls it when its application is loaded. */
export function endDeclarations(): void {
  areOver = true;
}

/** `what`: as the author wrote it, `page()`. Errors: `E_LATE_DECLARATION`. */
export function declaring(what: string): void {
  if (areOver)
    throw new LateDeclarationError(
      `${what} was called after the application was loaded. Call it at the top level of a module that a page imports: made ` +
        'during a request it could hold what belongs to one visitor.',
    );
}
