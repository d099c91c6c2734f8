import { declaring } from '../../core/declarations.ts';
import type { Node } from '../../render/element.ts';
import type { Direction, Head } from './head.ts';
import type { Chosen } from './variants.ts';

/** What the layout is given around each page. */
export interface LayoutContext {
  /** The page's view. */
  readonly content: Node;
  /** The route template, such as `/users/[id]`; for marking where the visitor is. Never the address itself. */
  readonly route: string;
  readonly head: Head;
  /** The address of a file in public/ under its hashed name: `asset('/style.css')` is `/style.4f1c09ab.css`. */
  readonly asset: (path: string) => string;
  /** Of the variants that the page around which it stands has named in `cache.variants`; of a failure's page, none. */
  readonly variants: Chosen;
  /** Of a page with `cache.host`. Otherwise ''. */
  readonly host: string;
}

export interface LayoutDefinition {
  /** The `lang` of <html>; 'en' by default. */
  readonly lang?: string | ((context: LayoutContext) => string);
  /** The `dir` of <html>; unless given there is none. */
  readonly dir?: Direction | ((context: LayoutContext) => Direction);
  /** More for <head>, after the page's own: style sheets, icons. */
  readonly head?: (context: LayoutContext) => Node;
  /** What stands in <body>; puts `context.content` where it belongs. */
  readonly view: (context: LayoutContext) => Node;
}

const madeHere: unique symbol = Symbol('coherent.layout');

/** A layout as the application takes it. Made by `layout()` only. */
export interface Layout {
  readonly [madeHere]: true;
  readonly definition: LayoutDefinition;
}

/**
 * Declares what stands around pages: the default export of `pages/_layout` for all of them, of `_layout` in a folder for those in it, inside
 * of the layouts around that folder. The innermost that says `lang` or `dir` counts.
 */
export function layout(definition: LayoutDefinition): Layout {
  declaring('layout()');
  return Object.freeze({ [madeHere]: true as const, definition });
}

export function isLayout(value: unknown): value is Layout {
  return typeof value === 'object' && value !== null && madeHere in value;
}
