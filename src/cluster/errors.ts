import { CoherentError } from '../core/errors.ts';

/** Every slot failed to bring up a worker, time after time. */
export class BootLoopError extends CoherentError {
  readonly code = 'E_BOOT_LOOP';
}

/** A worker said before it served what is wrong, with a code of its own: the next attempt would say the same. */
export class WorkerStartError extends CoherentError {
  readonly code: `E_${string}`;

  constructor(code: `E_${string}`, message: string) {
    super(message);
    this.code = code;
  }
}

/** The process with the embedded services did not come up, or said why it cannot. */
export class ServicesError extends CoherentError {
  readonly code = 'E_SERVICES';
}
