// The visitors of a worker: what its application declares about sessions, and the keys that they are sealed with.
import type { Clock } from '../core/clock.ts';
import { Arrival, type ArrivalParts, type VisitorRequest } from './arrival.ts';
import type { SessionDeclaration } from './declaration.ts';
import { SessionSecretError } from './errors.ts';
import { FlashSeal } from './flash.ts';
import { Seals } from './seal.ts';
import { SessionSeal } from './session-seal.ts';

export interface VisitorsOptions {
  /** Undefined: the application has no sessions. */
  readonly declaration?: SessionDeclaration | undefined;
  /** SESSION_SECRET: the newest first, with commas between them. */
  readonly secret?: string | undefined;
  readonly clock: Clock;
}

export class Visitors {
  readonly #parts: ArrivalParts;

  /** Errors: `E_SESSION_SECRET` where sessions are declared and there is no secret. */
  constructor({ declaration, secret, clock }: VisitorsOptions) {
    if (declaration !== undefined && secret === undefined)
      throw new SessionSecretError(
        'The application uses sessions, and SESSION_SECRET is not set. Give every host the same secret of at least 32 ' +
          'characters (openssl rand -base64 32), or a file of it by SESSION_SECRET_FILE.',
      );
    const seals = new Seals(secret?.split(',') ?? []);
    this.#parts = {
      clock,
      declaration,
      sessions: declaration && new SessionSeal({ declaration, seals, clock }),
      flashes: declaration && new FlashSeal(seals, clock),
    };
  }

  arrive(request: VisitorRequest): Arrival {
    return new Arrival(this.#parts, request);
  }
}
