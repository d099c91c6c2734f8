import { describe, expect, test } from 'vitest';
import suite from '../../test/fixtures/render-vectors.json' with { type: 'json' };
import { asHtml, asJsx } from '../../test/support/ways-to-write.ts';
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

const ways: readonly [way: string, write: (input: unknown) => Node][] = [
  ['element objects', (input) => input as Node],
  ['jsx()', asJsx],
  ['html``', asHtml],
  ['html`` around jsx()', (input) => asHtml([asJsx(input)])],
];

describe.each(ways)('%s', (_, write) => {
  test.each(vectors.map((vector) => ({ ...vector, title: vector.name ?? JSON.stringify(vector.input) })))(
    '$group: $title',
    ({ input, html, error }) => {
      if (error === undefined) {
        expect(render(write(input))).toBe(html);
        expect(renderToBuffer(write(input)).toString()).toBe(html);
      } else {
        expect(() => render(write(input))).toThrow(
          expect.objectContaining({ name: 'RenderError', code: error }),
        );
      }
    },
  );
});
