import MagicString, { type SourceMap } from 'magic-string';
import { type JSXElement, type JSXFragment, type Node, parseSync } from 'oxc-parser';
import { type Outline, outlineOf } from './outline.ts';

export const DEFAULT_SOURCE = 'coherent-render-server';

export interface Precompiled {
  readonly code: string;
  readonly map: SourceMap;
}

type Jsx = JSXElement | JSXFragment;

/**
 * The same module with templates in the place of static JSX; what is left of JSX is for the bundler. Undefined: nothing was
 * changed, because there is nothing static, the file names another `@jsxImportSource`, or it can't be parsed, which the
 * bundler then tells with its own words.
 *
 * `<li class={kind}>{name}</li>` becomes `_tpl0(kind, name)`, with `const _tpl0 = jsxTemplate(['<li class="', '">', '</li>'])` above.
 */
export function precompileSource(
  source: string,
  path: string,
  importSource: string = DEFAULT_SOURCE,
): Precompiled | undefined {
  const named = /@jsxImportSource\s+(\S+)/.exec(source)?.[1];
  if (named !== undefined && named !== importSource) return undefined;
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) return undefined;
  const rewriting = new Rewriting(source);
  rewriting.visit(program, false);
  return rewriting.finish(importSource, program.hashbang?.end ?? 0, path);
}

class Rewriting {
  readonly #source: string;
  readonly #edited: MagicString;
  /** The name of each template, by its strings: one declaration for what is the same. */
  readonly #templates = new Map<string, string>();
  readonly #prefix: string;

  constructor(source: string) {
    this.#source = source;
    this.#edited = new MagicString(source);
    let prefix = '_tpl';
    while (source.includes(prefix)) prefix += '_';
    this.#prefix = prefix;
  }

  /** `inJsx`: what is written in the node's place stands in JSX, where an expression needs braces. */
  visit(node: Node, inJsx: boolean): void {
    if (isJsx(node)) {
      const outline = outlineOf(node, this.#source);
      if (outline !== undefined) {
        this.#replace(node, outline, inJsx);
        return;
      }
    }
    for (const child of childrenOf(node)) {
      this.visit(child, isJsx(node) || node.type === 'JSXAttribute');
    }
  }

  #replace(node: Jsx, { strings, values }: Outline, inJsx: boolean): void {
    const edited = this.#edited;
    const name = this.#nameOf(strings);
    let from = node.start;
    let before = `${inJsx ? '{' : ''}${name}(`;
    for (const value of values) {
      edited.overwrite(from, value.start, before);
      this.visit(value.node, false);
      from = value.end;
      before = ', ';
      if (value.isText) {
        // Its character references are the compiler's to read.
        edited.appendRight(value.start, '<>').appendLeft(value.end, '</>');
      }
    }
    const after = `${values.length === 0 ? before : ''})${inJsx ? '}' : ''}`;
    if (from < node.end) edited.overwrite(from, node.end, after);
    else edited.appendLeft(node.end, after);
  }

  #nameOf(strings: readonly string[]): string {
    const key = JSON.stringify(strings);
    let name = this.#templates.get(key);
    if (name === undefined) {
      name = `${this.#prefix}${this.#templates.size}`;
      this.#templates.set(key, name);
    }
    return name;
  }

  finish(importSource: string, afterHashbang: number, path: string): Precompiled | undefined {
    if (this.#templates.size === 0) return undefined;
    const make = `${this.#prefix}_make`;
    let head = `import { jsxTemplate as ${make} } from ${JSON.stringify(`${importSource}/jsx-runtime`)};`;
    for (const [strings, name] of this.#templates) {
      head += ` const ${name} = /* @__PURE__ */ ${make}(${strings});`;
    }
    this.#edited.appendLeft(afterHashbang, `${afterHashbang > 0 ? '\n' : ''}${head} `);
    const map = this.#edited.generateMap({ source: path, hires: true, includeContent: true });
    return { code: this.#edited.toString(), map };
  }
}

function isJsx(node: Node): node is Jsx {
  return node.type === 'JSXElement' || node.type === 'JSXFragment';
}

function* childrenOf(node: Node): Generator<Node> {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) yield* value.filter(isNode);
    else if (isNode(value)) yield value;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
