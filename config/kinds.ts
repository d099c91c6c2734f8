// How the text of a setting becomes a value. Every kind is a zod schema from text, and the sentence that
// says what is allowed: it goes into the error message and into docs/configuration.md alike.
import { z } from 'zod';
import { canonicalDatabaseUrl } from '../src/core/database-url.ts';
import { parseNetworks } from '../src/core/networks.ts';
import { parseRedisUrl } from '../src/core/redis-url.ts';

export interface Kind<T> {
  readonly type: string;
  /** A unit when the type does not say it: `ms`, `bytes`, `MB`. */
  readonly unit: string;
  /** What is allowed, as the end of "must be ...". */
  readonly allowed: string;
  readonly schema: z.ZodType<T, string>;
}

/** A value that the server works out itself unless it is told: see derive.ts. */
export type Auto<T> = T | 'auto';

interface Range {
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}

export function integer({ min, max, unit = '' }: Range): Kind<number> {
  const schema = z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max);
  return { type: 'integer', unit, allowed: `a whole number from ${min} to ${max}`, schema };
}

/** A part of a whole. */
export function share(): Kind<number> {
  const schema = z
    .string()
    .regex(/^(0|1|0?\.\d{1,9}|[01]\.\d{1,9})$/)
    .transform(Number)
    .refine((value) => value <= 1);
  return { type: 'number', unit: '', allowed: 'a number from 0 to 1', schema };
}

export function milliseconds(range: { readonly min: number; readonly max: number }): Kind<number> {
  return integer({ ...range, unit: 'ms' });
}

const multiples: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** Bytes, plainly or with a unit: `104857600`, `100MB`, `100MiB`. */
export function bytes({ min, max }: { readonly min: number; readonly max: number }): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15} ?([KMG]i?B)?$/i)
    .transform((text) => {
      const unit = text.replace(/[\d ]/g, '').toUpperCase();
      return Number.parseInt(text, 10) * (multiples[unit] ?? Number.NaN);
    })
    .refine((value) => value >= min && value <= max);
  const allowed = `a size from ${min} to ${max} bytes, as a number or with a unit (64MB, 1GiB)`;
  return { type: 'size', unit: 'bytes', allowed, schema };
}

const flags: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  '1': true,
  off: false,
  false: false,
  no: false,
  '0': false,
};

export function flag(): Kind<boolean> {
  const schema = z
    .string()
    .toLowerCase()
    .refine((text) => text in flags)
    .transform((text) => flags[text] === true);
  return { type: 'switch', unit: '', allowed: 'on or off (also true, false, yes, no, 1, 0)', schema };
}

export function oneOf<const T extends string>(values: readonly [T, ...T[]]): Kind<T> {
  return { type: 'choice', unit: '', allowed: `one of ${values.join(', ')}`, schema: z.enum(values) };
}

/** Printable text without spaces around it. */
export function text(allowed: string, pattern: RegExp): Kind<string> {
  return { type: 'text', unit: '', allowed, schema: z.string().regex(pattern) };
}

/** The newest first. */
export function secrets(): Kind<string> {
  const allowed =
    'secrets of at least 32 printable characters without spaces or commas, with commas between them, at most 10';
  const schema = z.string().regex(/^[\x21-\x2b\x2d-\x7e]{32,512}(,[\x21-\x2b\x2d-\x7e]{32,512}){0,9}$/);
  return { type: 'text', unit: '', allowed, schema };
}

/** An address with one of these schemes, e.g. `postgres:`. */
export function url(schemes: readonly string[], example: string): Kind<string> {
  const schema = z
    .string()
    .refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol));
  return { type: 'url', unit: '', allowed: `an address like ${example}`, schema };
}

/** Whatever the driver takes, in one form: src/core/database-url.ts. */
export function databaseUrl(): Kind<string> {
  const allowed =
    'postgres://user:password@host:5432/database, or a unix socket: postgres://user@/database?host=/path. One host: for several ' +
    'give a name or a pooler that leads to the primary. TLS: ?sslmode=verify-full&sslrootcert=/path/ca.pem (disable, require, ' +
    'verify-ca, no-verify). Special characters percent-encoded (@ is %40, / is %2F, # is %23)';
  const schema = z.string().transform((text, context) => {
    try {
      return canonicalDatabaseUrl(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'no address of a database' });
      return z.NEVER;
    }
  });
  return { type: 'url', unit: '', allowed, schema };
}

/** A server, a unix socket, sentinels or a cluster: src/core/redis-url.ts. */
export function redisUrl(): Kind<string> {
  const allowed =
    'redis://user:password@host:6379/0 (rediss:// with TLS), unix:///path/to.sock, or the same with ?sentinel=NAME or ?cluster and &nodes=HOST:PORT,HOST:PORT';
  return { type: 'url', unit: '', allowed, schema: z.string().refine(isRedisUrl) };
}

function isRedisUrl(value: string): boolean {
  try {
    parseRedisUrl(value);
    return true;
  } catch {
    return false;
  }
}

const HOST_PATTERN =
  /^(?:(?:\*\.)?[a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Names and addresses that may stand in a Host header. */
export function hosts(): Kind<string> {
  const allowed =
    'host names with commas between them, each for every port or with one: example.org,*.example.org,localhost:3000';
  const isList = (value: string) => value.split(',').every((each) => HOST_PATTERN.test(each.trim()));
  return { type: 'text', unit: '', allowed, schema: z.string().refine(isList) };
}

/** Addresses and networks: src/core/networks.ts. */
export function networks(): Kind<string> {
  const allowed = 'addresses and networks with commas between them: 10.0.0.0/8,192.168.1.7,fd00::/8';
  return { type: 'text', unit: '', allowed, schema: z.string().refine(isNetworks) };
}

function isNetworks(value: string): boolean {
  try {
    parseNetworks(value);
    return true;
  } catch {
    return false;
  }
}

/** `https://example.com`: scheme, host and port, nothing after them. */
export function origin(): Kind<string> {
  const schema = z
    .string()
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))
    .transform((value) => new URL(value))
    .refine(
      (value) => value.pathname === '/' && value.search === '' && value.hash === '' && value.username === '',
    )
    .transform((value) => value.origin);
  return { type: 'url', unit: '', allowed: 'an origin like https://example.com, without a path', schema };
}

/** `auto`, or a value of the kind. */
export function auto<T>(kind: Kind<T>): Kind<Auto<T>> {
  return { ...kind, allowed: `auto, or ${kind.allowed}`, schema: z.union([z.literal('auto'), kind.schema]) };
}
