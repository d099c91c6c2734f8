import { CoherentError } from '../core/errors.ts';

/** A worker was started by something that is not the primary of this build. */
export class NotAWorkerError extends CoherentError {
  readonly code = 'E_NOT_A_WORKER';
}
