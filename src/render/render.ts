import type { Node } from './element.ts';
import type { Output } from './output.ts';
import { Rendering, type RenderOptions } from './rendering.ts';

export type { RenderOptions } from './rendering.ts';

/**
 * HTML of a tree of element objects: a string, or a promise of one if something in the tree has to be waited for.
 * Throws (or rejects with) a RenderError that says where in the tree the trouble is.
 */
export function render(node: Node, options: RenderOptions = {}): string | Promise<string> {
  const rendered = new Rendering(options).run(node, asString);
  return typeof rendered === 'string' ? rendered : rendered.then((html) => html.toString());
}

/** The same as UTF-8, which is what is sent and kept. Cheaper than `render`: the tree is written as bytes. */
export function renderToBuffer(node: Node, options: RenderOptions = {}): Buffer | Promise<Buffer> {
  return new Rendering(options).run(node, asBuffer);
}

function asString(output: Output): string {
  return output.toString();
}

function asBuffer(output: Output): Buffer {
  return output.toBuffer();
}
