import type { FragmentCall } from './fragment-call.ts';
import type { JsxElement } from './jsx-element.ts';
import type { Template } from './template.ts';
import type { Trusted } from './trust.ts';
import type { Elements } from './types/elements.ts';

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

/** What stands behind the tag of an element object: props, or its content alone. */
type Inside<Props> =
  | Props
  | Primitive
  | Trusted
  | FragmentCall
  | readonly Node[]
  | (() => Node | Props)
  | PromiseLike<Node | Props>;

/** `{ tag: props }`, `{ tag: 'text' }`: a plain object with exactly one key, the tag. */
export type ElementObject = {
  [Tag in keyof Elements]: { readonly [Key in Tag]: Inside<Elements[Key]> } & {
    readonly [Other in Exclude<keyof Elements, Tag>]?: never;
  };
}[keyof Elements];

/**
 * An element's attributes beside its content. `className` is `class` and `htmlFor` is `for`; every other
 * name is written as it is. `html` wins over `text` and `children`; `text` stands before `children`.
 */
export type ElementProps<Tag extends keyof Elements = 'div'> = Elements[Tag];
