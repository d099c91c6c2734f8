import type { Refreshable } from './refresh-registry.ts';

export interface Address {
  /** As a browser would ask for it. */
  readonly text: string;
  /** Decoded. */
  readonly segments: readonly string[];
  /** Without the '?'. */
  readonly query: string;
}

/**
 * An address that may lead to this page again: schemas transform what they parse, so its user compares the key.
 * Undefined: an input is no text or number. Headers are not in it.
 */
export function addressOf({ route, inputs }: Refreshable): Address | undefined {
  const params = entriesAsText(inputs.params);
  const query = entriesAsText(inputs.query);
  if (route.template === '_404' || params === undefined || query === undefined) return undefined;
  const byName = new Map(params);
  const segments = route.template
    .split('/')
    .filter((segment) => segment !== '')
    .flatMap((segment) => {
      const [, rest, name] = /^\[(\.\.\.)?(.+)\]$/.exec(segment) ?? [];
      if (name === undefined) return [segment];
      const value = byName.get(name) ?? '';
      return rest === undefined ? [value] : value.split('/');
    });
  const pairs = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const path = `/${segments.map(encodeURIComponent).join('/')}`;
  const search = pairs.join('&');
  return { text: search === '' ? path : `${path}?${search}`, segments, query: search };
}

function entriesAsText(values: Readonly<Record<string, unknown>>): [string, string][] | undefined {
  const found: [string, string][] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      if (typeof each !== 'string' && typeof each !== 'number' && typeof each !== 'boolean') return undefined;
      found.push([name, String(each)]);
    }
  }
  return found;
}
