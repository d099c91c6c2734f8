import type { FragmentCall } from './fragment-call.ts';
import type { JsxElement } from './jsx-element.ts';
import type { Template } from './template.ts';
import type { Trusted } from './trust.ts';
import type { Elements, VoidTag } from './types/elements.ts';
import type { Text } from './types/values.ts';

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

interface Keyed {
  /** Never written: it names a child among its siblings. */
  readonly key?: string | number | null | undefined;
}

/** What stands in an element. `html` wins over `text` and `children`; `text` stands before `children`. */
interface Content extends Keyed {
  /** Never markup. */
  readonly text?: Text | boolean | bigint;
  /** Markup that is vouched for, `trusted(...)`; the code of a script or style element. */
  readonly html?: Trusted | PromiseLike<Trusted> | (() => Trusted) | false | null | undefined;
  readonly children?: Node;
}

interface NoContent extends Keyed {
  readonly children?: undefined;
}

/**
 * An element's attributes and its content. `className` is `class` and `htmlFor` is `for`; every other name is written as it is.
 */
export type ElementProps<Tag extends keyof Elements = 'div'> = Elements[Tag] &
  (Tag extends VoidTag ? NoContent : Content);

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
  [Tag in keyof Elements]: { readonly [Key in Tag]: Inside<ElementProps<Tag>> } & {
    readonly [Other in Exclude<keyof Elements, Tag>]?: never;
  };
}[keyof Elements];
