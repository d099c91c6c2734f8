// Questions about a page's HTML, parsed as a browser parses it.
import { type DefaultTreeAdapterTypes, parse } from 'parse5';

export type Element = DefaultTreeAdapterTypes.Element;
type Node = DefaultTreeAdapterTypes.Node;

export class Document {
  /** Every element, in the order of the source. */
  readonly elements: readonly Element[];

  constructor(html: string) {
    this.elements = [...walk(parse(html))];
  }

  all(...tags: string[]): Element[] {
    return this.elements.filter((element) => tags.includes(element.tagName));
  }

  byId(id: string): Element | undefined {
    return this.elements.find((element) => attribute(element, 'id') === id);
  }

  withClass(name: string): Element[] {
    return this.elements.filter((element) => (attribute(element, 'class') ?? '').split(' ').includes(name));
  }

  /** The text of the first of these; '' when there is none. */
  textOf(tag: string): string {
    const [first] = this.all(tag);
    return first === undefined ? '' : text(first);
  }

  /** Where links lead, those out of the site left aside. */
  links(): string[] {
    return this.all('a').map((link) => attribute(link, 'href') ?? '');
  }
}

export function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}

export function text(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(text).join('') : '';
}

export function within(element: Element, ...tags: string[]): Element[] {
  return [...walk(element)].filter((inner) => inner !== element && tags.includes(inner.tagName));
}

function* walk(node: Node): Generator<Element> {
  if ('tagName' in node) yield node;
  if ('childNodes' in node) for (const child of node.childNodes) yield* walk(child);
}
