import { writeAttribute } from './attributes.ts';
import type { ByteText } from './byte-text.ts';
import { writeCode, writeHtml, writeText } from './content.ts';
import { isFragmentCall } from './fragment-call.ts';
import { abandon, fill, isThenable } from './pending.ts';
import { isPlainObject } from './plain-object.ts';
import type { Tag } from './seam.ts';
import { Trusted } from './trust.ts';
import type { Walk } from './walk.ts';

type Props = Readonly<Record<string, unknown>>;

/** Writes anything that may stand among children. What comes most often is asked for first. */
export function writeNode(walk: Walk, node: unknown, depth: number): void {
  if (typeof node === 'string') walk.out.text(node);
  else if (typeof node === 'object') {
    if (node === null) return;
    if (Array.isArray(node)) writeList(walk, node, depth);
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
  if (depth >= walk.maxDepth) walk.tooDeep(element, depth);
  walk.trail[depth] = key;
  const tag = walk.out.openTag(key);
  if (!tag.rule.valid) {
    throw walk.error(
      'E_TAG_NAME',
      depth,
      `${JSON.stringify(key.slice(0, 60))} is no tag: letters, digits and "-"`,
    );
  }
  // Asking each object costs a tenth of a page. What a class made has names of its own, and never these.
  if (!tag.rule.isKnown && !isPlainObject(element)) throw walk.nodeError(element, depth);
  writeAfterTag(walk, tag, value, depth);
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

/** A script element that holds JSON or the like. What cannot be told here may be run. */
function isDataBlock(type: unknown): boolean {
  const written = Trusted.is(type) ? type.toString() : type;
  return typeof written === 'string' && written.includes('/') && !/script/i.test(written);
}

/** Writes the inside of an element, which `finish` sees whole: when what it waits for is there. */
function writeApart(walk: Walk, write: () => void, finish: (inside: ByteText) => ByteText): void {
  const { out, holes } = walk;
  const before = out.take();
  const firstHole = holes.length;
  write();
  const inside = holes.splice(firstHole);
  const content = out.take();
  out.plain(before);
  if (inside.length === 0) {
    out.plain(finish(content));
    return;
  }
  const bytes = fill(Buffer.from(content, 'latin1'), inside).then((filled) =>
    Buffer.from(finish(filled.toString('latin1')), 'latin1'),
  );
  bytes.catch(() => undefined);
  holes.push({ at: out.length, bytes });
}

/** The parser drops a newline that comes first in some elements; one that is meant is written twice. */
function keepNewline(content: ByteText): ByteText {
  return content.startsWith('\n') ? `\n${content}` : content;
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

function writeFragment(walk: Walk, node: object, depth: number): void {
  const html = walk.scope.fragment(node);
  if (html === undefined) {
    throw walk.error(
      'E_FRAGMENT',
      depth,
      'A fragment needs a page around it: render was given no "resolveFragment"',
    );
  }
  if (isThenable(html)) walk.later(html, depth, (later, given) => writeFinished(later, given, depth));
  else writeFinished(walk, html, depth);
}

/** HTML that was rendered before. */
function writeFinished(walk: Walk, html: unknown, depth: number): void {
  if (typeof html === 'string') walk.out.raw(html);
  else if (html instanceof Uint8Array) walk.out.rendered(html);
  else {
    throw walk.error(
      'E_FRAGMENT',
      depth,
      `"resolveFragment" gave neither a string nor bytes but ${typeof html}`,
    );
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}
