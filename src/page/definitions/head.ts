export type Direction = 'ltr' | 'rtl' | 'auto';

/** `<meta name>` or `<meta property>`; what the server says by a header (policies, refresh) is not among them. */
export type Meta =
  | { readonly name: string; readonly content: string; readonly media?: string }
  | { readonly property: string; readonly content: string };

/** `<link>`: `alternate` of a feed or another language, `next`, `prev`, `icon`, `preload`. */
export interface HeadLink {
  readonly rel: string;
  /** A path or absolute URL; a path becomes absolute where `rel` is read by other sites (alternate, next, prev). */
  readonly href: string;
  readonly type?: string;
  readonly title?: string;
  readonly hreflang?: string;
  readonly media?: string;
  readonly sizes?: string;
  readonly as?: string;
  readonly crossorigin?: 'anonymous' | 'use-credentials';
}

/** What a page says about itself; rendered into <head> by the server. Absent fields render nothing. */
export interface Head {
  readonly title: string;
  readonly description?: string;
  /** A path or absolute URL; made absolute with the configured public origin. */
  readonly canonical?: string;
  readonly robots?: string;
  readonly openGraph?: Readonly<Record<string, string>>;
  readonly meta?: readonly Meta[];
  readonly links?: readonly HeadLink[];
  /** Structured data (schema.org): each object becomes a block of JSON-LD. */
  readonly jsonLd?: object | readonly object[];
  /** Of this page, in the place of the layout's. */
  readonly lang?: string;
  readonly dir?: Direction;
}
