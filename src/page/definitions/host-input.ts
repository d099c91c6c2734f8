// Tenants: the host as an input of the application, by a schema. Where an application declares one, a host that its schema
// refuses is answered 421, and a page that names it (`cache: { host: true }`) sees it, keyed by it.
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** The host that a request was sent to. */
export interface HostInput {
  /** Lower case, without a port and without a dot at its end. */
  readonly name: string;
  /** What the schema made of it. */
  readonly value: string;
}

export type HostSchema = StandardSchemaV1<unknown, string>;

/** `host` is the Host header. Undefined: it is none that the schema takes. */
export function readHost(
  schema: HostSchema,
  host: string | undefined,
): HostInput | undefined | Promise<HostInput | undefined> {
  const name = hostName(host);
  if (name === undefined) return undefined;
  const result = schema['~standard'].validate(name);
  return result instanceof Promise
    ? result.then((settled) => accepted(name, settled))
    : accepted(name, result);
}

function accepted(name: string, result: StandardSchemaV1.Result<string>): HostInput | undefined {
  if (result.issues !== undefined || typeof result.value !== 'string') return undefined;
  return Object.freeze({ name, value: result.value });
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::\d+)?$/i;
const LONGEST = 256;

function hostName(host: string | undefined): string | undefined {
  if (host === undefined || host.length > LONGEST) return undefined;
  return HOST.exec(host)?.[1]?.toLowerCase();
}

/** Absolute links of a tenant: the scheme and the port of PUBLIC_ORIGIN, and the tenant's own host. */
export function originOf(
  { name }: Pick<HostInput, 'name'>,
  publicOrigin: string | undefined,
): string | undefined {
  if (publicOrigin === undefined) return undefined;
  const { protocol, port } = new URL(publicOrigin);
  return `${protocol}//${name}${port === '' ? '' : `:${port}`}`;
}
