import type { Node } from '../render/element.ts';
import type { Head } from './head.ts';

/** What the layout is given around each page. */
export interface LayoutContext {
  /** The page's view. */
  readonly content: Node;
  /** The route template, such as `/users/[id]`; for marking where the visitor is. Never the address itself. */
  readonly route: string;
  readonly head: Head;
  /** The address of a file in public/ under its hashed name: `asset('/style.css')` is `/style.4f1c09ab.css`. */
  readonly asset: (path: string) => string;
}

export interface LayoutDefinition {
  /** The `lang` of <html>; 'en' by default. */
  readonly lang?: string;
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

/** Declares what stands around every page: the default export of `pages/_layout`. */
export function layout(definition: LayoutDefinition): Layout {
  return Object.freeze({ [madeHere]: true as const, definition });
}

export function isLayout(value: unknown): value is Layout {
  return typeof value === 'object' && value !== null && madeHere in value;
}
