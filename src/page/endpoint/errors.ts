import { CoherentError } from '../../core/errors.ts';

/** An endpoint's handler answered what cannot be sent. */
export class EndpointError extends CoherentError {
  readonly code = 'E_ENDPOINT';

  constructor(message: string) {
    super(
      `endpoint: ${message} Answer a Response, a plain object or list (JSON), redirect(), notFound(), invalid(), or nothing (204).`,
    );
  }
}
