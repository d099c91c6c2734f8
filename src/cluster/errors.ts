import { CoherentError } from '../core/errors.ts';

/** An address that the server is told to listen on cannot be had. */
export class ListenError extends CoherentError {
  readonly code = 'E_LISTEN';
}

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

/** A worker was started by something that is not the primary of this build. */
export class NotAWorkerError extends CoherentError {
  readonly code = 'E_NOT_A_WORKER';
}

/** No server answers on the operations port that the command line was told. */
export class OperationsUnreachableError extends CoherentError {
  readonly code = 'E_OPERATIONS';

  constructor(host: string, port: number, cause: unknown) {
    super(
      `No server answers at ${host}:${port} (${cause instanceof Error ? cause.message : String(cause)}): is it running, and are OPS_HOST and OPS_PORT its own?`,
      { cause },
    );
  }
}

/** The command line asks for something that does not exist. */
export class UsageError extends CoherentError {
  readonly code = 'E_USAGE';
}
