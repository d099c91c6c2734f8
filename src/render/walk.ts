import { attributeRule } from './attribute-names.ts';
import { writeAttribute } from './attributes.ts';
import { RenderError, type RenderErrorCode } from './errors.ts';
import { isFragmentCall } from './fragment-call.ts';
import type { Output } from './output.ts';
import { abandon, fill, type Hole, isThenable } from './pending.ts';
import type { TagRule } from './tags.ts';
import { call, isCyclic, pathOf, type Trail } from './trail.ts';
import { Trusted } from './trust.ts';

type Props = Readonly<Record<string, unknown>>;

/** Goes on with a value that had to be waited for, where it stood. */
export type Continue = (walk: Walk, value: unknown) => void;

/** What all walks of one render have in common. */
export interface RenderScope {
  readonly maxDepth: number;
  /** Waits for `promise` and renders what it gives, apart from `walk`, which goes on at once. */
  later(walk: Walk, promise: PromiseLike<unknown>, depth: number, goOn: Continue): Promise<Buffer>;
  /** The finished HTML of a fragment. */
  fragment(node: object): string | Uint8Array | PromiseLike<string | Uint8Array> | undefined;
}

const endOfTag = '>';

/**
 * One walk over a tree, writing as it goes. `depth` counts elements, lists and calls from the root; `trail` is
 * the way from there to where the walk is, so that an error can say where it happened. What has to be waited
 * for leaves a hole in the output and is rendered by a walk of its own.
 */
export class Walk {
  readonly out: Output;
  readonly scope: RenderScope;
  readonly trail: Trail;
  readonly holes: Hole[] = [];
  /** What calls returned. When the walk fails, promises in here that it never came to must not be forgotten. */
  readonly results: object[] = [];

  constructor(out: Output, scope: RenderScope, trail: Trail) {
    this.out = out;
    this.scope = scope;
    this.trail = trail;
  }

  node(node: unknown, depth: number): void {
    switch (typeof node) {
      case 'string':
        this.out.text(node);
        return;
      case 'object':
        if (node === null) return;
        if (Array.isArray(node)) this.list(node, depth);
        else this.element(node as Props, depth);
        return;
      case 'number':
      case 'bigint':
        this.out.plain(String(node));
        return;
      case 'function':
        this.node(this.call(node, depth), depth + 1);
        return;
      case 'symbol':
        throw this.error('E_NODE_TYPE', depth, 'A symbol is no content');
    }
  }

  list(nodes: readonly unknown[], depth: number): void {
    if (depth >= this.scope.maxDepth) this.tooDeep(nodes, depth);
    for (let i = 0; i < nodes.length; i++) {
      this.trail[depth] = i;
      this.node(nodes[i], depth + 1);
    }
  }

  /** Leaves a hole here and goes on with the rest. */
  later(promise: PromiseLike<unknown>, depth: number, goOn: Continue): void {
    this.holes.push({ at: this.out.length, bytes: this.scope.later(this, promise, depth, goOn) });
  }

  /** Calls a function that stands for a value. It gets no arguments: what it needs it closes over. */
  call(component: unknown, depth: number): unknown {
    if (depth >= this.scope.maxDepth) this.tooDeep(component, depth);
    this.trail[depth] = call;
    try {
      const result = (component as () => unknown)();
      if (typeof result === 'object' && result !== null) this.results.push(result);
      return result;
    } catch (cause) {
      throw this.error('E_COMPONENT', depth, `A component threw: ${describe(cause)}`, { cause });
    }
  }

  /** The promise that stood at the end of `trail` failed. */
  rejected(trail: Trail, cause: unknown): RenderError {
    const problem = `A promise was rejected: ${describe(cause)}`;
    return new RenderError('E_COMPONENT', pathOf(trail, trail.length), problem, { cause });
  }

  error(code: RenderErrorCode, steps: number, problem: string, options?: { cause?: unknown }): RenderError {
    return new RenderError(code, pathOf(this.trail, steps), problem, options);
  }

  private element(element: Props, depth: number): void {
    let tag: string | undefined;
    let value: unknown;
    for (const key in element) {
      if (tag !== undefined) {
        this.oddObject(element, depth);
        return;
      }
      tag = key;
      value = element[key];
    }
    if (tag === undefined) {
      this.oddObject(element, depth);
      return;
    }
    if (depth >= this.scope.maxDepth) this.tooDeep(element, depth);
    this.trail[depth] = tag;
    const rule = this.out.openTag(tag);
    if (!rule.valid) {
      throw this.error(
        'E_TAG_NAME',
        depth,
        `${JSON.stringify(tag.slice(0, 60))} is no tag: letters, digits and "-"`,
      );
    }
    this.afterTag(rule, value, depth);
  }

  /** The rest of `{ tag: value }` once `<tag` is written. */
  private afterTag(tag: TagRule, value: unknown, depth: number): void {
    if (typeof value === 'string' && !tag.isSpecial) {
      // What most elements of most pages are.
      const { out } = this;
      out.piece(endOfTag);
      out.text(value);
      out.piece(tag.close);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      this.withProps(tag, value as Props, depth);
    } else if (typeof value === 'function') {
      this.afterTag(tag, this.call(value, depth + 1), depth + 1);
    } else {
      this.out.piece(endOfTag);
      this.content(tag, undefined, undefined, value, depth);
    }
  }

  private withProps(tag: TagRule, props: Props, depth: number): void {
    let text: unknown;
    let html: unknown;
    let children: unknown;
    let isEmpty = true;
    let twins = 0;
    for (const key in props) {
      isEmpty = false;
      const value = props[key];
      if (key === 'children') children = value;
      else if (key === 'text') text = value;
      else if (key === 'html') html = value;
      else if (key !== 'key') {
        const rule = attributeRule(key);
        if (rule.twin > 0 && value !== undefined && value !== null && value !== false) {
          if ((twins & rule.twin) > 0) {
            throw this.error(
              'E_ATTRIBUTE_TWICE',
              depth + 1,
              `"${rule.name}" is given twice, under two names`,
            );
          }
          twins |= rule.twin;
        }
        writeAttribute(this, tag, rule, value, props, depth);
      }
    }
    if (isEmpty) {
      // No keys: perhaps this is no props object at all.
      if (Trusted.is(props) || isFragmentCall(props)) children = props;
      else if (isThenable(props)) {
        this.later(props, depth + 1, (walk, given) => walk.afterTag(tag, given, depth));
        return;
      }
    }
    this.out.piece(endOfTag);
    this.content(tag, text, html, children, depth);
  }

  private content(tag: TagRule, text: unknown, html: unknown, children: unknown, depth: number): void {
    if (tag.isSpecial) this.specialContent(tag, text, html, children, depth);
    else {
      this.plainContent(text, html, children, depth);
      this.out.piece(tag.close);
    }
  }

  private plainContent(text: unknown, html: unknown, children: unknown, depth: number): void {
    if (html !== undefined && isGiven(html)) {
      abandon(children);
      this.html(html, depth);
      return;
    }
    if (typeof text === 'string') this.out.text(text);
    else if (text !== undefined) this.text(text, depth);
    if (children !== undefined) this.node(children, depth + 1);
  }

  private specialContent(tag: TagRule, text: unknown, html: unknown, children: unknown, depth: number): void {
    if (tag.isVoid) {
      abandon([text, html, children]);
      return;
    }
    if (tag.dropsNewline) this.keepingNewline(() => this.plainContent(text, html, children, depth));
    else this.code(isGiven(html) ? html : [text, children], depth + 1);
    this.out.piece(tag.close);
  }

  /** The parser drops a newline that comes first in some elements; one that is meant is written twice. */
  private keepingNewline(write: () => void): void {
    const { out, holes } = this;
    const before = out.take();
    const firstHole = holes.length;
    write();
    const inside = holes.splice(firstHole);
    const content = out.take();
    out.plain(before);
    if (inside.length === 0) {
      out.plain(content.startsWith('\n') ? `\n${content}` : content);
      return;
    }
    const bytes = fill(Buffer.from(content, 'latin1'), inside).then(keepNewline);
    bytes.catch(() => undefined);
    holes.push({ at: out.length, bytes });
  }

  /** The `text` prop: never markup, so an object in it is a mistake and not an element. */
  private text(text: unknown, depth: number): void {
    switch (typeof text) {
      case 'string':
        this.out.text(text);
        return;
      case 'number':
      case 'bigint':
        this.out.plain(String(text));
        return;
      case 'boolean':
      case 'undefined':
        return;
      case 'function':
        this.text(this.call(text, depth + 1), depth + 1);
        return;
      case 'object':
        if (text === null) return;
        if (Trusted.is(text)) {
          this.out.trusted(text);
          return;
        }
        if (isThenable(text)) {
          this.later(text, depth + 1, (walk, given) => walk.text(given, depth + 1));
          return;
        }
    }
    const given = Array.isArray(text) ? 'an array' : `a value of type ${typeof text}`;
    throw this.error(
      'E_TEXT_TYPE',
      depth + 1,
      `"text" is ${given}; it takes text, markup goes into "children"`,
    );
  }

  /** The `html` prop. */
  private html(html: unknown, depth: number): void {
    if (Trusted.is(html)) {
      this.out.trusted(html);
      return;
    }
    if (!isGiven(html)) return;
    if (typeof html === 'function') {
      this.html(this.call(html, depth + 1), depth + 1);
      return;
    }
    if (isThenable(html)) {
      this.later(html, depth + 1, (walk, given) => walk.html(given, depth + 1));
      return;
    }
    throw this.error(
      'E_UNTRUSTED',
      depth + 1,
      '"html" is written as it is, so it must be vouched for: trusted(...)',
    );
  }

  /** The inside of a script or style element. Nothing can be escaped there, so all of it must be trusted. */
  private code(code: unknown, depth: number): void {
    if (Trusted.is(code)) {
      this.out.trusted(code);
      return;
    }
    if (!isGiven(code) || code === true || code === '') return;
    if (Array.isArray(code)) {
      if (depth >= this.scope.maxDepth) this.tooDeep(code, depth);
      for (const part of code) this.code(part, depth + 1);
      return;
    }
    if (typeof code === 'function') {
      this.code(this.call(code, depth), depth + 1);
      return;
    }
    if (isThenable(code)) {
      this.later(code, depth, (walk, given) => walk.code(given, depth));
      return;
    }
    throw this.error(
      'E_UNTRUSTED',
      depth,
      'The content of a script or style element must be vouched for: trusted(...), or json(...) for data',
    );
  }

  /** Objects in a node's place that have no key, or several. */
  private oddObject(node: object, depth: number): void {
    if (Trusted.is(node)) {
      this.out.trusted(node);
      return;
    }
    if (isThenable(node)) {
      this.later(node, depth, (walk, given) => walk.node(given, depth));
      return;
    }
    if (isFragmentCall(node)) {
      const html = this.scope.fragment(node);
      if (html === undefined) {
        throw this.error(
          'E_FRAGMENT',
          depth,
          'A fragment needs a page around it: render was given no "resolveFragment"',
        );
      }
      if (isThenable(html)) {
        this.later(html, depth, (walk, given) => walk.finished(given, depth));
        return;
      }
      this.finished(html, depth);
      return;
    }
    const keys = Object.keys(node);
    throw this.error(
      'E_ELEMENT_SHAPE',
      depth,
      `An element is an object with one key, its tag; this one has ${keys.length}: ${JSON.stringify(keys.slice(0, 5))}`,
    );
  }

  /** HTML that was rendered before. */
  private finished(html: unknown, depth: number): void {
    if (typeof html === 'string') {
      this.out.raw(html);
      return;
    }
    if (html instanceof Uint8Array) {
      this.out.rendered(html);
      return;
    }
    throw this.error(
      'E_FRAGMENT',
      depth,
      `"resolveFragment" gave neither a string nor bytes but ${typeof html}`,
    );
  }

  private tooDeep(node: unknown, depth: number): never {
    if (isCyclic(node)) throw this.error('E_CYCLE', depth, 'The tree contains itself');
    throw this.error(
      'E_DEPTH',
      depth,
      `The tree is deeper than "maxDepth" allows (${this.scope.maxDepth}): does a component call itself without end?`,
    );
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function keepNewline(content: Buffer): Buffer {
  return content[0] === 10 ? Buffer.concat([Buffer.from('\n'), content]) : content;
}

export function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
