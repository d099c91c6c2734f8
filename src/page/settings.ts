import type { Directives } from './content-security.ts';

/** What an application may decide beside its pages. */
export interface ApplicationSettings {
  /** Added to the content security policy, by directive: `{ 'img-src': ['https://images.example.org'] }`. */
  readonly contentSecurityPolicy?: Directives;
  /** Addresses of pages that a worker makes before it takes visitors: `['/', '/users?page=2']`. Most wanted first. */
  readonly warm?: readonly string[];
}

/** Declares the application's settings: the default export of `app.ts`. */
export function application(settings: ApplicationSettings): ApplicationSettings {
  return Object.freeze(settings);
}
