import { CoherentError } from '../../core/errors.ts';

/** The log holds bytes that are not pgoutput as we know it: another plugin's slot, or a protocol we did not ask for. */
export class MalformedLogError extends CoherentError {
  readonly code = 'E_LOG_MALFORMED';

  constructor(what: string) {
    super(`The change log cannot be decoded: ${what}. The slot must use pgoutput with proto_version '1'.`);
  }
}
