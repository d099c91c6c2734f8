import { CoherentError } from '../core/errors.ts';

/** An address that the server is told to listen on cannot be had. */
export class ListenError extends CoherentError {
  readonly code = 'E_LISTEN';
}

/** Every slot failed to bring up a worker, time after time. */
export class BootLoopError extends CoherentError {
  readonly code = 'E_BOOT_LOOP';
}

/** The process with the embedded services did not come up, or said why it cannot. */
export class ServicesError extends CoherentError {
  readonly code = 'E_SERVICES';
}

/** A worker was started by something that is not the primary of this build. */
export class NotAWorkerError extends CoherentError {
  readonly code = 'E_NOT_A_WORKER';
}

/** The command line asks for something that does not exist. */
export class UsageError extends CoherentError {
  readonly code = 'E_USAGE';
}
