// What a compiler of JSX imports instead of jsx-runtime during development.
import { JsxElement, type JsxProps } from './render/jsx-element.ts';

export { Fragment } from './render/jsx-element.ts';
export type { JSX } from './render/types/jsx.ts';

/** As `jsx`. Where the element stands in its file, which compilers add, is not kept: errors tell the path in the tree. */
export function jsxDEV(type: unknown, props: JsxProps): JsxElement {
  return new JsxElement(type, props);
}
