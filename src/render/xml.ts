// XML by a tagged template: what is written is markup, what is put in is text, wherever it stands.
import type { Node } from './element.ts';
import { RenderError } from './errors.ts';
import { isFragmentCall } from './fragment-call.ts';
import { Trusted, trusted } from './trust.ts';

/** What may be put in: text (escaped), dates (ISO 8601), further `xml`, fragments, lists of these. Nothing for null and booleans. */
export type XmlValue = Node | Date;

const SPECIAL = /[&<>"']/g;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** XML 1.0 has no way to write them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const UNWRITABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/**
 * A piece of XML, for the `body` of a resource and the `view` of a fragment in it.
 *
 * @example xml`<item><title>${post.title}</title><guid isPermaLink="false">${post.id}</guid></item>`
 */
export function xml(strings: TemplateStringsArray, ...values: readonly XmlValue[]): Node {
  const nodes: Node[] = [];
  let text = '';
  const take = (value: XmlValue): void => {
    if (value === null || value === undefined || typeof value === 'boolean') return;
    if (typeof value === 'string') text += escaped(value);
    else if (typeof value === 'number' || typeof value === 'bigint') text += value;
    else if (value instanceof Date) text += value.toISOString();
    else if (Array.isArray(value)) for (const each of value) take(each);
    else if (Trusted.is(value)) text += value;
    else if (isFragmentCall(value)) {
      nodes.push(trusted(text), value);
      text = '';
    } else throw new RenderError('E_NODE_TYPE', 'xml`...`', `a ${typeof value} is neither text nor XML`);
  };
  for (const [at, string] of strings.entries()) {
    text += string;
    if (at < values.length) take(values[at]);
  }
  const last = trusted(text);
  return nodes.length === 0 ? last : [...nodes, last];
}

function escaped(text: string): string {
  return text.replace(UNWRITABLE, '').replace(SPECIAL, (character) => ENTITIES[character] ?? '');
}
