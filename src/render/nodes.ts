import { isDataBlock, keepNewline, writeApart } from './apart.ts';
import { writeParts } from './attribute-parts.ts';
import { writeAttribute } from './attributes.ts';
import { writeCode, writeHtml, writeText } from './content.ts';
import { writeFragment } from './finished.ts';
import { isFragmentCall } from './fragment-call.ts';
import { Fragment, JsxElement } from './jsx-element.ts';
import { abandon, isThenable } from './pending.ts';
import { isPlainObject, typeInWords } from './plain-object.ts';
import type { Tag } from './seam.ts';
import { Template } from './template.ts';
import type { TemplateHole } from './template-shape.ts';
import { Trusted } from './trust.ts';
import type { Walk } from './walk.ts';

type Props = Readonly<Record<string, unknown>>;

/** Writes anything that may stand among children. What comes most often is asked for first. */
export function writeNode(walk: Walk, node: unknown, depth: number): void {
  if (typeof node === 'string') walk.out.text(node);
  else if (typeof node === 'object') {
    if (node === null) return;
    if (Array.isArray(node)) writeList(walk, node, depth);
    else if (node instanceof Template) writeTemplate(walk, node, depth);
    else if (node instanceof JsxElement) writeJsx(walk, node, depth);
    else writeElement(walk, node as Props, depth);
  } else if (typeof node === 'number' || typeof node === 'bigint') walk.out.plain(String(node));
  else if (typeof node === 'function') writeNode(walk, walk.call(node, depth), depth + 1);
  else if (typeof node === 'symbol') throw walk.error('E_NODE_TYPE', depth, 'A symbol is no content');
}

function writeList(walk: Walk, nodes: readonly unknown[], depth: number): void {
  if (depth >= walk.maxDepth) walk.tooDeep(nodes, depth);
  for (let i = 0; i < nodes.length; i++) {
    walk.trail[depth] = i;
    writeNode(walk, nodes[i], depth + 1);
  }
}

function writeElement(walk: Walk, element: Props, depth: number): void {
  let key: string | undefined;
  let value: unknown;
  for (const each in element) {
    if (key !== undefined) {
      writeOddObject(walk, element, depth);
      return;
    }
    key = each;
    value = element[each];
  }
  if (key === undefined) {
    writeOddObject(walk, element, depth);
    return;
  }
  const tag = openTag(walk, key, element, depth);
  // Asking each object costs a tenth of a page. What a class made has names of its own, and never these.
  if (!tag.rule.isKnown && !isPlainObject(element)) throw walk.nodeError(element, depth);
  writeAfterTag(walk, tag, value, depth);
}

/** Writes `<tag`. */
function openTag(walk: Walk, key: string, element: object, depth: number): Tag {
  if (depth >= walk.maxDepth) walk.tooDeep(element, depth);
  walk.trail[depth] = key;
  const tag = walk.out.openTag(key);
  if (tag.rule.valid) return tag;
  const problem = `${JSON.stringify(key.slice(0, 60))} is no tag: letters, digits and "-"`;
  throw walk.error('E_TAG_NAME', depth, problem);
}

function writeJsx(walk: Walk, element: JsxElement, depth: number): void {
  const { type, props } = element;
  if (typeof type === 'string') writeWithProps(walk, openTag(walk, type, element, depth), props, depth);
  else if (type === Fragment) writeNode(walk, props.children, depth);
  else if (typeof type === 'function') {
    writeNode(walk, walk.callComponent(type, props, depth), depth + 1);
  } else {
    const problem = `A JSX element of ${typeInWords(type)}; it takes a tag or a function: is the component exported?`;
    throw walk.error('E_NODE_TYPE', depth, problem);
  }
}

function writeTemplate(walk: Walk, template: Template, depth: number): void {
  if (depth >= walk.maxDepth) walk.tooDeep(template, depth);
  if (!Template.is(template)) throw walk.nodeError(template, depth);
  const { out } = walk;
  const { shape, values } = template;
  if (!shape.isAscii) out.beyondAscii();
  if (shape.scripts.length > 0) for (const script of shape.scripts) walk.scope.onScript?.(script);
  let at = out.template(shape, values, 0);
  for (; at < shape.holes.length; at = out.template(shape, values, at + 1)) {
    const hole = shape.holes[at] as TemplateHole;
    walk.trail[depth] = hole.place;
    out.chunk(hole.before);
    writeHole(walk, hole, values, depth);
  }
  out.chunk(shape.end);
}

/** A value that is more than text, or text that has to be looked at. */
function writeHole(walk: Walk, hole: TemplateHole, values: readonly unknown[], depth: number): void {
  const { attribute, index } = hole;
  const value = values[index];
  if (attribute === undefined) {
    if (hole.comesFirstInPre) writeApart(walk, () => writeNode(walk, value, depth + 1), keepNewline);
    else writeNode(walk, value, depth + 1);
    return;
  }
  const { tag, name, names, parts } = attribute;
  if (parts !== undefined) {
    writeParts(walk, attribute, parts, values.slice(index, index + parts.length - 1), depth);
    return;
  }
  const step = walk.out.attribute(tag, name);
  if (typeof value === 'string' && walk.out.knownValue(step, value)) return;
  writeAttribute(walk, tag, step, value, names, depth);
}

/** The rest of `{ tag: value }` once `<tag` is written. */
function writeAfterTag(walk: Walk, tag: Tag, value: unknown, depth: number): void {
  if (typeof value === 'string' && tag.isPlain) {
    walk.out.endTag();
    walk.out.textAndClose(tag, value);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    writeWithProps(walk, tag, value as Props, depth);
  } else if (typeof value === 'function') {
    writeAfterTag(walk, tag, walk.call(value, depth + 1), depth + 1);
  } else {
    walk.out.endTag();
    writeContent(walk, tag, value, depth);
  }
}

function writeWithProps(walk: Walk, tag: Tag, props: Props, depth: number): void {
  const { out } = walk;
  let text: unknown;
  let html: unknown;
  let children: unknown;
  let twins = 0;
  for (const key in props) {
    const value = props[key];
    if (key === 'children') children = value;
    else if (key === 'text') text = value;
    else if (key === 'html') html = value;
    else if (key !== 'key') {
      const step = out.attribute(tag, key);
      const { rule } = step.attribute;
      if (rule.twin > 0 && value !== undefined && value !== null && value !== false) {
        if ((twins & rule.twin) > 0) {
          throw walk.error('E_ATTRIBUTE_TWICE', depth + 1, `"${rule.name}" is given twice, under two names`);
        }
        twins |= rule.twin;
      }
      if (typeof value !== 'string' || !out.knownValue(step, value)) {
        writeAttribute(walk, tag, step, value, props, depth);
      }
    }
  }
  // An element with attributes alone: perhaps this is no props object at all.
  if (text === undefined && children === undefined && html === undefined && !isPlainObject(props)) {
    writeInsteadOfProps(walk, tag, props, depth);
    return;
  }
  out.endTag();
  if (!tag.isPlain) writeSpecialContent(walk, tag, { text, html, children, type: props.type }, depth);
  else if (typeof text === 'string' && html === undefined && children === undefined) {
    out.textAndClose(tag, text);
  } else if (typeof children === 'string' && text === undefined && html === undefined) {
    out.textAndClose(tag, children);
  } else {
    writePlainContent(walk, text, html, children, depth);
    out.closeTag(tag);
  }
}

/** What a class made in the place of an element's props: its content, or something to wait for. */
function writeInsteadOfProps(walk: Walk, tag: Tag, given: object, depth: number): void {
  if (Trusted.is(given) || isFragmentCall(given)) {
    walk.out.endTag();
    writeContent(walk, tag, given, depth);
  } else if (isThenable(given)) {
    walk.later(given, depth + 1, (later, value) => writeAfterTag(later, tag, value, depth));
  } else throw walk.nodeError(given, depth + 1);
}

/** Content alone: `{ tag: children }`. */
function writeContent(walk: Walk, tag: Tag, children: unknown, depth: number): void {
  if (tag.isPlain) {
    writePlainContent(walk, undefined, undefined, children, depth);
    walk.out.closeTag(tag);
  } else writeSpecialContent(walk, tag, { children }, depth);
}

function writePlainContent(walk: Walk, text: unknown, html: unknown, children: unknown, depth: number): void {
  if (isGiven(html)) {
    abandon(children);
    writeHtml(walk, html, depth);
    return;
  }
  if (typeof text === 'string') walk.out.text(text);
  else if (text !== undefined) writeText(walk, text, depth);
  if (children !== undefined) writeNode(walk, children, depth + 1);
}

interface SpecialContent {
  readonly text?: unknown;
  readonly html?: unknown;
  readonly children: unknown;
  /** The attribute. */
  readonly type?: unknown;
}

function writeSpecialContent(walk: Walk, tag: Tag, content: SpecialContent, depth: number): void {
  const { rule } = tag;
  const { text, html, children, type } = content;
  if (rule.isVoid) {
    for (const dropped of [text, html, children]) if (typeof dropped === 'object') abandon(dropped);
    return;
  }
  if (rule.dropsNewline) {
    writeApart(walk, () => writePlainContent(walk, text, html, children, depth), keepNewline);
  } else {
    const writeInside = () => writeCode(walk, isGiven(html) ? html : [text, children], depth + 1);
    const { onScript } = walk.scope;
    if (onScript === undefined || !rule.isScript || isDataBlock(type)) writeInside();
    else
      writeApart(walk, writeInside, (code) => {
        if (code !== '') onScript(Buffer.from(code, 'latin1'));
        return code;
      });
  }
  walk.out.closeTag(tag);
}

/** Objects in a node's place that have no key, or several. */
function writeOddObject(walk: Walk, node: object, depth: number): void {
  if (Trusted.is(node)) {
    walk.trusted(node, depth);
    return;
  }
  if (isThenable(node)) {
    walk.later(node, depth, (later, given) => writeNode(later, given, depth));
    return;
  }
  if (isFragmentCall(node)) {
    writeFragment(walk, node, depth);
    return;
  }
  if (!isPlainObject(node)) throw walk.nodeError(node, depth);
  const keys = Object.keys(node);
  throw walk.error(
    'E_ELEMENT_SHAPE',
    depth,
    `An element is an object with one key, its tag; this one has ${keys.length}: ${JSON.stringify(keys.slice(0, 5))}`,
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}
