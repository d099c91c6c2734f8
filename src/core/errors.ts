/**
 * What every error of this server has: a stable code that docs/errors.md explains, and the cause kept.
 * One class a failure; the message tells the operator (or the author of the page) what to do.
 */
export abstract class CoherentError extends Error {
  /** Stable and searchable: `E_...`. Listed in docs/errors.md, which a test holds complete. */
  abstract readonly code: `E_${string}`;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}
