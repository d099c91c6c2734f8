// One tree in each of the ways that views are written in: what is tested of element objects holds for all of them.
import { jsx } from '../../src/jsx-runtime.ts';
import type { Node } from '../../src/render/element.ts';
import { html } from '../../src/render/html.ts';
import { isPlainObject } from '../../src/render/plain-object.ts';

type Props = Readonly<Record<string, unknown>>;

const plainName = /^[a-zA-Z][a-zA-Z0-9-]*$/;
const plainAttribute = /^[a-zA-Z_:][\w:.-]*$/;
const code = new Set(['script', 'style']);
/** What a template holds as text only, and what the parser of markup reads in a way of its own. */
const notInTemplates = new Set(['title', 'textarea']);
const dropsNewline = new Set(['pre', 'listing']);
const voids = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));

/** With jsx(), as a compiler of JSX calls it. */
export function asJsx(node: unknown): Node {
  return rewritten(node, (tag, props) => jsx(tag, withContent(props, asJsx)));
}

/** With html``: all that a prop says is a value in it. */
export function asHtml(node: unknown): Node {
  return rewritten(node, (tag, props) => {
    const isVoid = voids.has(tag.toLowerCase());
    const names = Object.keys(props).filter((name) => !['text', 'html', 'children', 'key'].includes(name));
    const isOdd =
      !plainName.test(tag) ||
      code.has(tag.toLowerCase()) ||
      notInTemplates.has(tag.toLowerCase()) ||
      'html' in props ||
      // Not the same as a child: an object is refused there.
      (typeof props.text === 'object' && props.text !== null) ||
      !names.every((name) => plainAttribute.test(name)) ||
      // Only what stands first in these is known to come after the newline that the parser drops.
      (dropsNewline.has(tag.toLowerCase()) && 'text' in props) ||
      // A template takes an attribute once, whatever the case it is written in.
      new Set(names.map((name) => writtenName(name).toLowerCase())).size !== names.length;
    if (isOdd) return { [tag]: withContent(props, asHtml) } as unknown as Node;
    const strings = [`<${tag}`];
    const add = (before: string) => {
      strings[strings.length - 1] += before;
      strings.push('');
    };
    const values: unknown[] = [];
    for (const name of names) {
      add(`${strings.length === 1 ? '' : '"'} ${writtenName(name)}="`);
      values.push(props[name]);
    }
    strings[strings.length - 1] += names.length > 0 ? '">' : '>';
    if (!isVoid) {
      for (const content of 'text' in props
        ? [props.text, asHtml(props.children)]
        : [asHtml(props.children)]) {
        add('');
        values.push(content);
      }
      strings[strings.length - 1] += `</${tag}>`;
    }
    return template(strings, values);
  });
}

/** As the language itself calls a tag of templates. */
export function template(strings: readonly string[], values: readonly unknown[]): Node {
  const frozen = Object.freeze(Object.assign([...strings], { raw: Object.freeze([...strings]) }));
  return html(frozen as unknown as TemplateStringsArray, ...values);
}

function writtenName(name: string): string {
  return name === 'className' ? 'class' : name === 'htmlFor' ? 'for' : name;
}

function rewritten(node: unknown, element: (tag: string, props: Props) => Node): Node {
  if (Array.isArray(node)) return node.map((each) => rewritten(each, element));
  if (!isData(node)) return node as Node;
  const entries = Object.entries(withInherited(node));
  const [tag, value] = entries[0] ?? [];
  // No element: the renderer says what is wrong with it.
  if (entries.length !== 1 || tag === undefined) return node as Node;
  return element(tag, isData(value) ? withInherited(value) : { children: value });
}

function withContent(props: Props, way: (node: unknown) => Node): Props {
  return 'children' in props ? { ...props, children: way(props.children) } : props;
}

function isData(value: unknown): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainObject(value);
}

/** As the renderer reads an object: also what Object.assign made its prototype. */
function withInherited(data: Props): Props {
  const all: Record<string, unknown> = Object.create(null);
  for (const key in data) all[key] = data[key];
  return all;
}
