import type { StandardSchemaV1 } from '@standard-schema/spec';
import { declaring } from '../core/declarations.ts';
import type { Milliseconds } from '../core/units.ts';
import type { Db } from '../data/db.ts';

/** A session as `valid` is asked about it. */
export interface SignedIn<Data> {
  readonly data: Data;
  /** When `set` was called: what was issued before somebody pressed "sign out everywhere" is not valid any more. */
  readonly issuedAt: Date;
}

export interface SessionDefinition<S extends StandardSchemaV1> {
  /** What a session holds: data that JSON can carry. Its schema must answer at once, without a promise. */
  readonly schema: S;
  /** A session ends so long after `set`, whatever happens. Default 30 days, at most 400. */
  readonly maxAgeMs?: Milliseconds;
  /** Raise it when what older sessions hold must not be read any more: they end at once. Default 1. */
  readonly version?: number;
  /**
   * Asked once in every request that reads the session: false ends it. It may read the database, so that an application can
   * sign people out everywhere. When it fails the page fails: nobody is let in by an error.
   *
   * @example valid: async ({ data, issuedAt }, db) => {
   *   const user = await db.byId<User>('users', data.userId, ['sessions_since']);
   *   return user !== null && issuedAt >= user.sessions_since;
   * }
   */
  valid?(session: SignedIn<StandardSchemaV1.InferOutput<S>>, db: Db): boolean | Promise<boolean>;
  /**
   * Settings for row-level security: each statement that a guard or a personal page reads with begins with them, and they end
   * with it. Without a session there are none; policies read them by `nullif(current_setting('app.user_id', true), '')`.
   *
   * @example rowSecurity: ({ userId }) => ({ 'app.user_id': String(userId) })
   */
  rowSecurity?(data: StandardSchemaV1.InferOutput<S>): Readonly<Record<string, string>>;
}

const madeHere: unique symbol = Symbol('coherent.session');
declare const types: unique symbol;

/** A session as the application takes it. Made by `session()` only. */
export interface SessionDeclaration<Input = unknown, Data = unknown> {
  readonly [madeHere]: true;
  readonly [types]?: { readonly input: Input; readonly data: Data };
  readonly definition: SessionDefinition<StandardSchemaV1>;
}

/** Declares what visitors' sessions hold: `application({ session: session({ schema: z.object({ userId: z.number() }) }) })`. */
export function session<S extends StandardSchemaV1>(
  definition: SessionDefinition<S>,
): SessionDeclaration<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>> {
  declaring('session()');
  return Object.freeze({ [madeHere]: true as const, definition });
}

export function isSession(value: unknown): value is SessionDeclaration {
  return typeof value === 'object' && value !== null && madeHere in value;
}
