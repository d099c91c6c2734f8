import { CoherentError } from '../core/errors.ts';

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
