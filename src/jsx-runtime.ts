// What a compiler of JSX imports where "jsxImportSource" is "coherent-render-server".
import { JsxElement, type JsxProps } from './render/jsx-element.ts';
import { Template } from './render/template.ts';
import { parseTemplate } from './render/template-parser.ts';

export { Fragment } from './render/jsx-element.ts';
export type { JSX } from './render/types/jsx.ts';

/** `<type {...props} />`. The key, which compilers give apart, says nothing in HTML. */
export function jsx(type: unknown, props: JsxProps): JsxElement {
  return new JsxElement(type, props);
}

/** The same with several children, which compilers tell apart. */
export function jsxs(type: unknown, props: JsxProps): JsxElement {
  return new JsxElement(type, props);
}

/**
 * What precompiled JSX declares for the static markup of one place, `['<li class="', '">', '</li>']`: the function that is
 * given the values between them. Errors: RenderError E_TEMPLATE, as of a template that an author wrote.
 */
export function jsxTemplate(strings: readonly string[]): (...values: readonly unknown[]) => Template {
  const shape = parseTemplate(strings);
  return (...values) => new Template(shape, values);
}
