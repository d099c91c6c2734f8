// Webhooks: a body that carries a signature made with a secret that both sides know. It is checked over the bytes as they came,
// before anything reads them, and its time must be near: a message that was recorded cannot be sent again tomorrow. What is
// sent twice within the window is for the application to know: by the message's id, in the transaction that acts on it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Milliseconds } from '../../core/units.ts';
import { type BodyKind, BodyRefused, bodyKind, type IncomingBody } from './body.ts';

/**
 *   stripe     `stripe-signature: t=<seconds>,v1=<hex>`; also of services that follow it under another header
 *   standard   Standard Webhooks (svix): `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>`
 *   github     `x-hub-signature-256: sha256=<hex>`; it carries no time
 */
export type SignatureScheme = 'stripe' | 'standard' | 'github';

export interface SignedOptions<S extends StandardSchemaV1 | undefined> {
  readonly scheme: SignatureScheme;
  /** As the sender gives it. Several while one replaces another: each is tried. */
  readonly secret: string | readonly string[];
  /** Of the JSON in the body. Default: any. */
  readonly schema?: S;
  /** Instead of the scheme's own. */
  readonly header?: string;
  /** How far the sender's time may be from ours, either way. Default five minutes. */
  readonly toleranceMs?: Milliseconds;
}

export interface SignedBody<T> {
  readonly payload: T;
  /** Of the message, where the scheme sends one in its headers. */
  readonly id: string | undefined;
  readonly raw: Buffer;
}

/** What a message says about its signature. */
interface Claim {
  readonly id?: string;
  readonly seconds?: string;
  /** Any of them may be right. */
  readonly signatures: readonly Buffer[];
  /** What stands before the body in what was signed. */
  readonly before: string;
}

const TOLERANCE_MS: Milliseconds = 300_000;
/** A sender that replaces a secret signs with both, so two are enough. */
const MAX_SIGNATURES = 8;
const MAX_HEADER_LENGTH = 2048;

/**
 * A webhook's body: 401 where no signature is right or its time is off, 422 where the schema refuses it.
 *
 * @example POST: { body: signed({ scheme: 'stripe', secret: env.STRIPE_SECRET, schema: event }), handler: ({ body }) => ... }
 */
export function signed<const S extends StandardSchemaV1 | undefined = undefined>(
  options: SignedOptions<S>,
): BodyKind<SignedBody<S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : unknown>> {
  const { scheme, secret, schema, toleranceMs = TOLERANCE_MS } = options;
  const secrets = (typeof secret === 'string' ? [secret] : secret).map((each) => keyOf(scheme, each));
  if (secrets.length === 0 || secrets.some((key) => key.length === 0))
    throw new TypeError(`signed(): the secret is empty. With an empty secret everybody could sign.`);
  return bodyKind(async (body) => {
    const claim = claimOf(scheme, body, options.header);
    if (claim === undefined) throw refused('The request carries no signature that can be read.');
    if (claim.seconds !== undefined && !isNear(claim.seconds, body.nowMs, toleranceMs))
      throw refused('The signature is of another time.');
    const raw = await body.bytes();
    const isRight = secrets.some((key) => {
      const expected = createHmac('sha256', key).update(claim.before).update(raw).digest();
      return claim.signatures.some(
        (given) => given.length === expected.length && timingSafeEqual(given, expected),
      );
    });
    if (!isRight) throw refused('The signature is not that of this body.');
    return { payload: await payloadOf(raw, schema), id: claim.id, raw };
  });
}

async function payloadOf<S extends StandardSchemaV1 | undefined>(raw: Buffer, schema: S) {
  let value: unknown;
  try {
    value = JSON.parse(raw.toString('utf8'));
  } catch {
    throw new BodyRefused(400, 'The body is not JSON.');
  }
  if (schema === undefined) return value as never;
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value as never;
  throw new BodyRefused(422, result.issues[0]?.message ?? 'The body has values that are not taken.');
}

function claimOf(
  scheme: SignatureScheme,
  { header }: IncomingBody,
  named: string | undefined,
): Claim | undefined {
  const read = (name: string) => {
    const value = header(name);
    return value === undefined || value.length > MAX_HEADER_LENGTH ? '' : value;
  };
  if (scheme === 'github') {
    const [, hex = ''] = /^sha256=([0-9a-f]{64})$/i.exec(read(named ?? 'x-hub-signature-256')) ?? [];
    return hex === '' ? undefined : { signatures: [Buffer.from(hex, 'hex')], before: '' };
  }
  if (scheme === 'standard') {
    const [id, seconds] = [read('webhook-id'), read('webhook-timestamp')];
    const given = read(named ?? 'webhook-signature')
      .split(' ')
      .slice(0, MAX_SIGNATURES);
    const signatures = given.flatMap((each) =>
      each.startsWith('v1,') ? [Buffer.from(each.slice(3), 'base64')] : [],
    );
    if (id === '' || seconds === '' || signatures.length === 0) return undefined;
    return { id, seconds, signatures, before: `${id}.${seconds}.` };
  }
  const parts = read(named ?? 'stripe-signature')
    .split(',')
    .map((part) => part.trim().split('=', 2));
  const times = parts.flatMap(([name, value = '']) => (name === 't' ? [value] : []));
  const signatures = parts
    .flatMap(([name, value = '']) => (name === 'v1' ? [Buffer.from(value, 'hex')] : []))
    .slice(0, MAX_SIGNATURES);
  const [seconds] = times;
  if (seconds === undefined || times.length !== 1 || signatures.length === 0) return undefined;
  return { seconds, signatures, before: `${seconds}.` };
}

function isNear(seconds: string, nowMs: number, toleranceMs: Milliseconds): boolean {
  return /^\d{1,12}$/.test(seconds) && Math.abs(Number(seconds) * 1000 - nowMs) <= toleranceMs;
}

function keyOf(scheme: SignatureScheme, secret: string): Buffer {
  return scheme === 'standard'
    ? Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    : Buffer.from(secret, 'utf8');
}

function refused(why: string): BodyRefused {
  return new BodyRefused(401, why);
}
