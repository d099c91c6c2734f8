import type { SessionDeclaration } from '../../visitor/declaration.ts';
import type { PurgeCallback } from '../../watchers/callback.ts';
import type { Directives } from './content-security.ts';
import type { HostSchema } from './host-input.ts';
import type { Variant } from './variant.ts';

/** Where an application declares what the database does not say. */
export interface ApplicationDoor {
  /**
   * Whatever is made from `key` is out of date when `dependsOn` is purged. Cycles are fine. Errors: `E_TOO_MANY_EDGES`.
   * @example addDependency('front-page', 'weather:berlin')
   */
  addDependency(key: string, dependsOn: string): void;
  /**
   * Calls back for purges of keys that look like `pattern` (`*`: any characters): at least once for each, in order, one
   * call at a time, in one process of the fleet, that of the leading change feed. One that rejects is called again with the
   * same id. What waits is kept in the database (coherent.outbox), so that no restart loses it.
   * @example watch('posts#*', async ({ id, keys }) => search.reindex(keys, { id }))
   */
  watch(pattern: string, callback: PurgeCallback): void;
}

/** What an application may decide beside its pages. */
export interface ApplicationSettings {
  /** Added to the content security policy, by directive: `{ 'img-src': ['https://images.example.org'] }`. */
  readonly contentSecurityPolicy?: Directives;
  /** What visitors' sessions hold. In production SESSION_SECRET must be set then. */
  readonly session?: SessionDeclaration;
  /** In what pages may come, by name: a page lists the names in `cache.variants`. */
  readonly variants?: Readonly<Record<string, Variant>>;
  /**
   * For tenants: the host is an input, by this schema, which is given the name in lower case, without a port. A host that
   * it refuses is answered 421. Pages with `cache: { host: true }` are made for each host apart, and see what it answers.
   * ALLOWED_HOSTS is asked first.
   * @example host: z.string().regex(/^[a-z0-9-]+\.example\.org$/).transform((name) => name.split('.')[0] ?? '')
   */
  readonly host?: HostSchema;
  /** Addresses of pages that a worker makes before it takes visitors: `['/', '/users?page=2']`. Most wanted first. */
  readonly warm?: readonly string[];
  /**
   * Files and folders, by their paths from APP, that pages are made from beside what they import: templates, texts, tables that
   * are read from disk. When one of them changes the build does, and no older page is served.
   * @example buildFiles: ['content', '../locales/de.json']
   */
  readonly buildFiles?: readonly string[];
  /**
   * Called once in every process that knows the application, before it does anything: each must declare the same. The
   * change feed's process imports app.js alone, so this must not need the pages.
   */
  readonly declare?: (door: ApplicationDoor) => void;
}

/** Declares the application's settings: the default export of `app.ts`. */
export function application(settings: ApplicationSettings): ApplicationSettings {
  return Object.freeze(settings);
}

/** What `application()` makes, and any object in its place. */
export function isApplicationSettings(value: unknown): value is ApplicationSettings {
  return typeof value === 'object' && value !== null;
}
