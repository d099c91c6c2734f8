// What an endpoint may ask of a request's body, and how the bytes become that. A Standard Schema is the common case;
// other kinds are made by functions (`raw()`, `stream()`, `signed()`).
import type { Readable } from 'node:stream';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Bytes, EpochMs } from '../../core/units.ts';

/** The body of one request, before anything of it was read. */
export interface IncomingBody {
  /** Lower case, without parameters; '' where none is given. */
  readonly type: string;
  /** The whole header, for what needs its parameters. */
  readonly contentType: string;
  readonly header: (name: string) => string | undefined;
  /** When the request came. */
  readonly nowMs: EpochMs;
  /** All of it. Rejects with `BodyRefused` (413, 400) or `BodyCut`. */
  bytes(): Promise<Buffer>;
  /** As it comes. Errors as `bytes` rejects. Called once. */
  stream(): Readable;
}

export interface Issue {
  /** Such as `items.0.title`; '' for the whole. */
  readonly path: string;
  readonly message: string;
}

export type RefusedStatus = 400 | 401 | 408 | 413 | 415 | 422;

/** The body is not what the endpoint takes. The message is for the client and holds nothing of the server. */
export class BodyRefused extends Error {
  readonly status: RefusedStatus;
  readonly issues: readonly Issue[];
  /** Of 415: what is taken. */
  readonly accepts: readonly string[];

  constructor(
    status: RefusedStatus,
    message: string,
    more: { readonly issues?: readonly Issue[]; readonly accepts?: readonly string[] } = {},
  ) {
    super(message);
    this.status = status;
    this.issues = more.issues ?? [];
    this.accepts = more.accepts ?? [];
  }
}

/** The client broke off: no answer is waited for. */
export class BodyCut extends Error {
  constructor() {
    super('The client broke off in the body of its request.');
  }
}

const kind: unique symbol = Symbol('coherent.body');

/** A kind of body that is no schema. */
export interface BodyKind<T> {
  readonly [kind]: true;
  readonly read: (body: IncomingBody) => Promise<T>;
  /** What the handler is given is still coming: it is read while the handler runs. */
  readonly streams: boolean;
  /** Of a method that says nothing else. */
  readonly maxBytes: Bytes | undefined;
}

export type BodyShape = StandardSchemaV1 | BodyKind<unknown>;

export type BodyOf<B extends BodyShape> =
  B extends BodyKind<infer T> ? T : B extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<B> : never;

export function bodyKind<T>(
  read: BodyKind<T>['read'],
  { streams = false, maxBytes }: { readonly streams?: boolean; readonly maxBytes?: Bytes } = {},
): BodyKind<T> {
  return Object.freeze({ [kind]: true as const, read, streams, maxBytes });
}

export function isBodyKind(value: unknown): value is BodyKind<unknown> {
  return typeof value === 'object' && value !== null && kind in value;
}

/** Media types that a body of these bytes may have; without any, all are taken. */
export interface RawOptions {
  readonly types?: readonly string[];
}

/** The bytes as they came, whatever their type. For signatures that are not `signed()`'s. */
export function raw({ types }: RawOptions = {}): BodyKind<Buffer> {
  return bodyKind(async (body) => {
    assertType(body, types);
    return body.bytes();
  });
}

/**
 * The bytes while they come, for what is too large to hold: up to the method's `maxBytes`. The handler reads it; what it
 * leaves is dropped.
 */
export function stream({ types }: RawOptions = {}): BodyKind<Readable> {
  return bodyKind(
    async (body) => {
      assertType(body, types);
      return body.stream();
    },
    { streams: true },
  );
}

/** Throws 415 where the type is not among `types`. */
function assertType({ type }: IncomingBody, types: readonly string[] | undefined): void {
  if (types === undefined || types.includes(type)) return;
  throw new BodyRefused(415, `Send the body as ${types.join(' or ')}.`, { accepts: types });
}
