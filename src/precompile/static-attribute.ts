import { attributeRule, kind } from '../render/attribute-names.ts';
import { JsxElement } from '../render/jsx-element.ts';
import { render } from '../render/render.ts';

/** These say what an element contains, and not an attribute. */
const content = new Set(['text', 'html', 'children']);

export function isTemplateAttribute(name: string): boolean {
  return !content.has(name) && attributeRule(name).kind !== kind.invalid;
}

/** Two attributes of one element with the same key are one twice. `written`: as it stands in HTML. */
export function attributeKey(name: string, as: 'key' | 'written' = 'key'): string {
  const { name: key, bare } = attributeRule(name);
  return as === 'key' ? key : bare.slice(1);
}

/**
 * What the renderer writes for an attribute that is always the same: ` class="x"`, or '' where it writes nothing. Undefined: it
 * refuses it or tells of it, which it shall do when the page is rendered.
 */
export function staticAttribute(
  tag: string,
  name: string,
  value: string | number | boolean | null,
): string | undefined {
  let isTold = false;
  try {
    const html = render(new JsxElement(tag, { [name]: value }), {
      tell: () => {
        isTold = true;
      },
    });
    if (isTold || typeof html !== 'string') return undefined;
    return html.slice(tag.length + 1, html.endsWith(`</${tag}>`) ? -`></${tag}>`.length : -1);
  } catch {
    return undefined;
  }
}
