// What of an element is static: its markup as strings, and between them where the values stand in the source.
import type { Expression, JSXAttribute, JSXChild, JSXElement, JSXFragment, Node } from 'oxc-parser';
import { escapeHtml } from '../render/escape.ts';
import { type TagRule, tagRule } from '../render/tags.ts';
import { parseTemplate } from '../render/template-parser.ts';
import { attributeKey, isTemplateAttribute, staticAttribute } from './static-attribute.ts';
import { decoded, lines } from './text.ts';

/** Where a value stands in the source. */
export interface Value {
  readonly node: Node;
  readonly start: number;
  readonly end: number;
  /** Text whose character references are not known here. */
  readonly isText: boolean;
}

export interface Outline {
  readonly strings: readonly string[];
  readonly values: readonly Value[];
}

/** What a compiler may know of a value: it is written, left out, or only known when the page is rendered. */
type Constant = { readonly value: string | number | boolean | null };

/** Undefined: it has to stay JSX, or nothing of it is static. */
export function outlineOf(node: JSXElement | JSXFragment, source: string): Outline | undefined {
  const outline = new OutlineBuilder();
  if (!outline.add(node)) return undefined;
  const { strings, values } = outline;
  if (strings.every((each) => each === '')) return undefined;
  try {
    // What could not be read back at the start of the server stays JSX.
    parseTemplate(strings);
  } catch {
    return undefined;
  }
  return values.every(({ start, end }) => start >= 0 && end <= source.length)
    ? { strings, values }
    : undefined;
}

class OutlineBuilder {
  readonly strings: string[] = [''];
  readonly values: Value[] = [];

  /** Whether it could be added. */
  add(node: JSXElement | JSXFragment): boolean {
    return node.type === 'JSXFragment' ? this.#children(node.children) : this.#element(node);
  }

  #write(text: string): void {
    this.strings[this.strings.length - 1] += text;
  }

  #value(node: Node, isText = false): void {
    this.values.push({ node, start: node.start, end: node.end, isText });
    this.strings.push('');
  }

  #element(element: JSXElement): boolean {
    const tag = templateTag(element);
    if (tag === undefined) return false;
    this.#write(tag.open);
    const { attributes } = element.openingElement;
    const keys = new Set<string>();
    for (const attribute of attributes) {
      if (attribute.type !== 'JSXAttribute') return false;
      const name = nameOf(attribute);
      if (name === 'key') continue;
      if (!isTemplateAttribute(name) || keys.has(attributeKey(name))) return false;
      keys.add(attributeKey(name));
      if (!this.#attribute(tag, name, attribute)) return false;
    }
    this.#write('>');
    if (tag.isVoid) return element.children.length === 0;
    const begin = this.strings.length;
    const length = this.strings.at(-1)?.length ?? 0;
    if (!this.#children(element.children)) return false;
    if (tag.dropsNewline && !this.#keepNewline(begin, length)) return false;
    this.#write(tag.close);
    return true;
  }

  #attribute(tag: TagRule, name: string, { value }: JSXAttribute): boolean {
    const constant: Constant | undefined =
      value === null
        ? { value: true }
        : value.type === 'Literal'
          ? textConstant(value.value)
          : constantOf(value);
    if (constant !== undefined) {
      const written = staticAttribute(tag.key, name, constant.value);
      if (written !== undefined) this.#write(written);
      return written !== undefined;
    }
    if (value?.type !== 'JSXExpressionContainer' || value.expression.type === 'JSXEmptyExpression')
      return false;
    this.#write(` ${attributeKey(name, 'written')}="`);
    this.#value(value.expression);
    this.#write('"');
    return true;
  }

  #children(children: readonly JSXChild[]): boolean {
    return children.every((child) => this.#child(child));
  }

  #child(child: JSXChild): boolean {
    switch (child.type) {
      case 'JSXText': {
        const text = lines(child.value);
        if (text === '') return true;
        const known = decoded(text);
        if (known === undefined) this.#value(child, true);
        else this.#write(escapeHtml(known));
        return true;
      }
      case 'JSXExpressionContainer': {
        const { expression } = child;
        if (expression.type === 'JSXEmptyExpression') return true;
        const constant = constantOf(child);
        if (constant === undefined) return this.#nested(expression);
        const { value } = constant;
        if (typeof value === 'string' || typeof value === 'number') this.#write(escapeHtml(String(value)));
        return true;
      }
      case 'JSXSpreadChild':
        return false;
      default:
        return this.#nested(child);
    }
  }

  /** An element in an element is a part of its template, unless it has to stay JSX. */
  #nested(node: Expression): boolean {
    if (node.type !== 'JSXElement' && node.type !== 'JSXFragment') {
      this.#value(node);
      return true;
    }
    const inner = new OutlineBuilder();
    if (!inner.add(node)) {
      this.#value(node);
      return true;
    }
    const [first = '', ...others] = inner.strings;
    this.#write(first);
    this.strings.push(...others);
    this.values.push(...inner.values);
    return true;
  }

  /** A newline that comes first in a <pre> is written twice; where a value comes first, it must be all there is. */
  #keepNewline(begin: number, length: number): boolean {
    const first = this.strings[begin - 1] ?? '';
    if (first.length > length) {
      if (first.charAt(length) === '\n') {
        this.strings[begin - 1] = `${first.slice(0, length)}\n${first.slice(length)}`;
      }
      return true;
    }
    return this.strings.length === begin || (this.strings.length === begin + 1 && this.strings.at(-1) === '');
  }
}

/** The tag of an element that may be a part of a template. */
function templateTag({ openingElement: { name, typeArguments } }: JSXElement): TagRule | undefined {
  if (name.type !== 'JSXIdentifier' || !/^[a-z]/.test(name.name) || typeArguments) return undefined;
  const rule = tagRule(name.name);
  const isCode = rule.isSpecial && !rule.isVoid && !rule.dropsNewline;
  return rule.valid && rule.guard === undefined && !isCode ? rule : undefined;
}

function nameOf({ name }: JSXAttribute): string {
  return name.type === 'JSXIdentifier' ? name.name : `${name.namespace.name}:${name.name.name}`;
}

/** Compilers disagree about line ends in the text of an attribute. */
function textConstant(text: string): Constant | undefined {
  const value = /[\n\r]/.test(text) ? undefined : decoded(text);
  return value === undefined ? undefined : { value };
}

function constantOf(value: JSXAttribute['value'] | JSXChild): Constant | undefined {
  if (value?.type !== 'JSXExpressionContainer') return undefined;
  const { expression } = value;
  if (expression.type === 'TemplateLiteral' && expression.expressions.length === 0) {
    const text = expression.quasis[0]?.value.cooked;
    return typeof text === 'string' ? { value: text } : undefined;
  }
  if (expression.type !== 'Literal') return undefined;
  const literal = expression.value;
  const isPlain =
    typeof literal === 'string' ||
    typeof literal === 'number' ||
    typeof literal === 'boolean' ||
    (literal === null && expression.raw === 'null');
  return isPlain ? { value: literal } : undefined;
}
