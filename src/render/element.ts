import type { FragmentCall } from './fragment-call.ts';
import type { JsxElement } from './jsx-element.ts';
import type { Template } from './template.ts';
import type { Trusted } from './trust.ts';

/** What may stand where a value may. Text and numbers are escaped; booleans, null and undefined are no content. */
export type Primitive = string | number | bigint | boolean | null | undefined;

/** Anything that renders. Functions are called without arguments, promises are awaited where they stand. */
export type Node =
  | Primitive
  | Trusted
  | FragmentCall
  | ElementObject
  | JsxElement
  | Template
  | readonly Node[]
  | (() => Node)
  | PromiseLike<Node>;

/** `{ tag: props }`, `{ tag: 'text' }`: a plain object with exactly one key, the tag. */
export interface ElementObject {
  readonly [tag: string]: ElementProps | Node;
}

/**
 * An element's attributes beside its content. `className` is `class` and `htmlFor` is `for`; every other
 * name is written as it is. `html` wins over `text` and `children`; `text` stands before `children`.
 */
export interface ElementProps {
  readonly text?: unknown;
  readonly html?: Trusted | (() => Trusted) | null | undefined;
  readonly children?: Node;
  /** Never written: it names a child among its siblings for the script that patches the page in the browser. */
  readonly key?: string | number;
  readonly className?: unknown;
  readonly [attribute: string]: unknown;
}
