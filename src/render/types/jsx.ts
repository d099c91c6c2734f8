import type { ElementProps, Node } from '../element.ts';
import type { JsxElement } from '../jsx-element.ts';
import type { Template } from '../template.ts';
import type { Elements } from './elements.ts';

/** What TypeScript asks of the package that JSX is compiled for. */
export declare namespace JSX {
  /** A tag, or a component: a function of its props that returns a node or a promise of one. */
  type ElementType = keyof IntrinsicElements | ((props: never) => Node);
  /** What `<p>...</p>` is. */
  type Element = JsxElement | Template;
  type IntrinsicElements = { readonly [Tag in keyof Elements]: ElementProps<Tag> };
  interface ElementChildrenAttribute {
    readonly children: unknown;
  }
  interface IntrinsicAttributes {
    readonly key?: string | number | null | undefined;
  }
}
