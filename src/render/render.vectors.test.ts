import { expect, test } from 'vitest';
import suite from '../../test/fixtures/render-vectors.json' with { type: 'json' };
import type { Node } from './element.ts';
import { render, renderToBuffer } from './render.ts';

interface Vector {
  readonly group: string;
  readonly name?: string;
  readonly input: unknown;
  readonly html?: string;
  readonly error?: string;
}

const vectors = suite.vectors as readonly Vector[];

test.each(vectors.map((vector) => ({ ...vector, title: vector.name ?? JSON.stringify(vector.input) })))(
  '$group: $title',
  ({ input, html, error }) => {
    const node = input as Node;
    if (error === undefined) {
      expect(render(node)).toBe(html);
      expect(renderToBuffer(node).toString()).toBe(html);
    } else {
      expect(() => render(node)).toThrow(expect.objectContaining({ name: 'RenderError', code: error }));
    }
  },
);
