import { RenderError } from './errors.ts';
import { Template } from './template.ts';
import { parseTemplate } from './template-parser.ts';
import type { TemplateShape } from './template-shape.ts';

const shapes = new WeakMap<readonly string[], TemplateShape>();

/**
 * Markup written as it is, with values in it. A value among children is any node; a value in the place of a whole attribute
 * (`title="${title}"`) is what a prop takes, so false, null and undefined leave the attribute out; values within an
 * attribute (`href="/users/${id}"`) are text. All of it is escaped and checked as it is in element objects.
 *
 * Errors: RenderError E_TEMPLATE where a value stands anywhere else: in a tag, a comment, a script or a style element.
 *
 * @example html`<li class="${['user', isNew && 'new']}"><a href="/users/${id}">${name}</a></li>`
 */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Template {
  return new Template(shapes.get(strings) ?? learn(strings), values);
}

function learn(strings: TemplateStringsArray): TemplateShape {
  // No data looks like this: its arrays can be changed.
  if (!Array.isArray(strings.raw) || !Object.isFrozen(strings)) {
    throw new RenderError('E_TEMPLATE', 'root', 'html is written before a template: html`<p>text</p>`');
  }
  const shape = parseTemplate(strings);
  shapes.set(strings, shape);
  return shape;
}
