// What is in a session's cookie: content, when it was issued, when it ends, the version of what it holds, and a name of its
// own. All of it is sealed, and bound to the host.
//
//   not believed   not sealed by us, for another host, older than its end or than maxAgeMs, of another version, refused
//                  by the schema, from a future that no two clocks differ by
import { createHash, randomBytes } from 'node:crypto';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Clock } from '../core/clock.ts';
import type { Bytes, EpochMs, Milliseconds } from '../core/units.ts';
import type { SessionDeclaration } from './declaration.ts';
import { SessionDataError, SessionTooLargeError } from './errors.ts';
import type { Seals } from './seal.ts';

const DAY_MS: Milliseconds = 86_400_000;
const DEFAULT_MAX_AGE_MS: Milliseconds = 30 * DAY_MS;
/** A clock that was set back lets sessions begin in the future. So far we believe them; beyond, a clock was wrong when they were issued. */
const AHEAD_MS: Milliseconds = DAY_MS;
/** Leaves room for the name and the attributes in what browsers keep of a cookie. */
const MAX_SESSION_BYTES: Bytes = 3584;
const PURPOSE = 'session';

export interface OpenSession {
  readonly data: unknown;
  /** Random, the same as long as the session lives. Never shown: `logId` is. */
  readonly id: string;
  readonly issuedMs: EpochMs;
  readonly endsMs: EpochMs;
}

export interface SessionSealOptions {
  readonly declaration: SessionDeclaration;
  readonly seals: Seals;
  readonly clock: Clock;
}

export class SessionSeal {
  readonly #options: SessionSealOptions;

  constructor(options: SessionSealOptions) {
    this.#options = options;
  }

  /** Undefined: nothing that we believe. */
  open(sealed: string, host: string): OpenSession | undefined {
    const { seals, declaration, clock } = this.#options;
    const text = seals.open(PURPOSE, host, sealed);
    if (text === undefined) return undefined;
    const { version = 1, schema, maxAgeMs = DEFAULT_MAX_AGE_MS } = declaration.definition;
    const [sealedVersion, id, issuedMs, endsMs, content] = JSON.parse(text) as Sealed;
    const nowMs = clock.now();
    if (sealedVersion !== version || endsMs <= nowMs) return undefined;
    if (nowMs - issuedMs >= maxAgeMs || issuedMs - nowMs > AHEAD_MS) return undefined;
    const result = validated(schema, content);
    return result.issues === undefined ? { data: result.value, id, issuedMs, endsMs } : undefined;
  }

  /** Errors: `E_SESSION_DATA`, `E_SESSION_TOO_LARGE`. */
  issue(data: unknown, host: string): OpenSession & { readonly sealed: string } {
    const { declaration, clock } = this.#options;
    const { maxAgeMs = DEFAULT_MAX_AGE_MS } = declaration.definition;
    const issuedMs = clock.now();
    const id = randomBytes(16).toString('base64url');
    return this.#sealed(data, { id, issuedMs, endsMs: issuedMs + maxAgeMs }, host);
  }

  /** Other content in the same session: it was issued when it was, and ends when it does. Errors: as `issue`. */
  change(session: OpenSession, data: unknown, host: string): OpenSession & { readonly sealed: string } {
    return this.#sealed(data, session, host);
  }

  #sealed(data: unknown, { id, issuedMs, endsMs }: Omit<OpenSession, 'data'>, host: string) {
    const { declaration, seals } = this.#options;
    const { version = 1, schema } = declaration.definition;
    const content = asJson(data);
    const result = validated(schema, content);
    if (result.issues !== undefined) throw refused(result.issues);
    const text = JSON.stringify([version, id, issuedMs, endsMs, content] satisfies Sealed);
    const sealed = seals.seal(PURPOSE, host, text);
    if (sealed.length > MAX_SESSION_BYTES)
      throw new SessionTooLargeError(
        `The session has ${sealed.length} bytes when it is sealed; ${MAX_SESSION_BYTES} fit. Keep what is large in the database, and its id in the session.`,
      );
    return { data: result.value, id, issuedMs, endsMs, sealed };
  }
}

type Sealed = [version: number, id: string, issuedMs: EpochMs, endsMs: EpochMs, content: unknown];

/** By which a session can be followed through the log: nothing leads back from it to the cookie. */
export function logIdOf({ id }: OpenSession): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 12);
}

function validated(schema: StandardSchemaV1, content: unknown): StandardSchemaV1.Result<unknown> {
  const result = schema['~standard'].validate(content);
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw new SessionDataError(
    'The schema of the session answers with a promise. What asks others belongs into `valid`; a schema answers at once.',
  );
}

/** As it will be read back. */
function asJson(data: unknown): unknown {
  try {
    const text = JSON.stringify(data);
    if (text !== undefined) return JSON.parse(text);
  } catch (cause) {
    throw new SessionDataError('The session holds what JSON cannot carry: a cycle, or a bigint.', { cause });
  }
  throw new SessionDataError(`The session cannot be ${typeof data}: it holds data that JSON can carry.`);
}

/** Without the value: it is the visitor's. */
function refused(issues: readonly StandardSchemaV1.Issue[]): SessionDataError {
  const [first] = issues;
  const path = (first?.path ?? []).map((part) => (typeof part === 'object' ? part.key : part)).join('.');
  return new SessionDataError(
    `The schema of the session refuses what it would read back${path === '' ? '' : `, at '${path}'`}: ${first?.message ?? ''}. ` +
      'A session holds what JSON can carry: a Date comes back as text.',
  );
}
