import { CoherentError } from '../core/errors.ts';

/** Sessions are declared, and there is no secret to seal them with. Found at start, before a request is taken. */
export class SessionSecretError extends CoherentError {
  readonly code = 'E_SESSION_SECRET';
}

/** A page asked for a session, or for a flash message, and the application declares no session. */
export class NoSessionError extends CoherentError {
  readonly code = 'E_NO_SESSION';
}

/** What is to go into a session is refused by its schema, or is not data that JSON can carry. */
export class SessionDataError extends CoherentError {
  readonly code = 'E_SESSION_DATA';
}

/** A session, sealed, is larger than browsers surely keep. */
export class SessionTooLargeError extends CoherentError {
  readonly code = 'E_SESSION_TOO_LARGE';
}

/** A cookie that cannot be written: its name, its size, or one of its options. */
export class CookieError extends CoherentError {
  readonly code = 'E_COOKIE';
}

/** Something was written to a visitor when the answer had its headers already. */
export class VisitorDoneError extends CoherentError {
  readonly code = 'E_VISITOR_DONE';
}
