import type { Values } from './settings.ts';

/**
 * Every setting, complete: defaults filled in, `auto` worked out where it can be before a connection is made, frozen. Made once, by the primary, and
 * handed to the workers; plain data, so that it survives the way there.
 */
export type Config = {
  readonly [K in keyof Values]: Exclude<Values[K], K extends 'dbPooler' ? never : 'auto'>;
} & {
  /** NODE_ENV=production: nothing is embedded, errors show no internals. */
  readonly production: boolean;
  /** FEED=on, or an address for it: without its change feed the server trusts no page for long. */
  readonly feedRequired: boolean;
};
