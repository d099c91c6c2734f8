// A file of its own: the renderer's memory is full after the test of what happens once it is.
import { describe, expect, test } from 'vitest';
import type { Node } from './element.ts';
import { render, renderToBuffer } from './render.ts';
import { trusted } from './trust.ts';

describe('what was found harmless before', () => {
  const svg = 'data:image/svg+xml,x';
  const often = (node: Node) => {
    for (let i = 0; i < 8; i++) expect(render(node)).toBeTypeOf('string');
  };

  /** Undefined: it was written as it stands. */
  const refusal = (node: Node) => {
    let told: unknown;
    try {
      void render(node, { tell: (notice) => (told = notice) });
    } catch (error) {
      return (error as { code: unknown }).code === 'E_UNTRUSTED' ? error : undefined;
    }
    return told;
  };

  test.each<[string, harmless: unknown, hostile: unknown]>([
    ['in another tag', { img: { src: svg } }, { iframe: { src: svg } }],
    [
      'after an attribute without a value',
      { img: { hidden: true, src: svg } },
      { embed: { hidden: true, src: svg } },
    ],
    ['after an attribute with one', { img: { id: 1, src: svg } }, { embed: { id: 1, src: svg } }],
    ['where it was vouched for', { a: { href: trusted('javascript:x') } }, { a: { href: 'javascript:x' } }],
    [
      'where its parts were vouched for',
      { i: { style: { behavior: trusted('url(x:y)') } } },
      { i: { style: 'behavior: url(x:y)' } },
    ],
    [
      'beside other attributes',
      { meta: { content: 'x', name: 'y' } },
      { meta: { content: 'x', 'http-equiv': 'y' } },
    ],
    ['where only code may be', { p: 'alert()' }, { script: 'alert()' }],
  ])('is still refused %s', (_, harmless, hostile) => {
    often(harmless as Node);
    expect(refusal(hostile as Node)).toBeDefined();
    often(harmless as Node);
    expect(refusal(hostile as Node)).toBeDefined();
  });

  test('is written anew where another value stands', () => {
    const item = (text: string) => ({ li: { className: text, title: text, text } });
    for (const text of ['a', 'a', 'a', 'b', 'a', '<', '<', '<', 'a', '', '', '', 'é', 'é', 'é', 'a']) {
      const written = text.replace('<', '&lt;');
      expect(render([item(text), item('a')])).toBe(
        `<li class="${written}" title="${written}">${written}</li><li class="a" title="a">a</li>`,
      );
    }
  });

  test('is the same in pages of every length', () => {
    const row = (i: number) => ({
      tr: { children: [{ td: 'same' }, { td: { title: `t${i}`, text: 'é' } }, { br: {} }] },
    });
    for (const count of [1, 40, 4000]) {
      const rows = Array.from({ length: count }, (_, i) => i);
      const html = rows.map((i) => `<tr><td>same</td><td title="t${i}">é</td><br></tr>`).join('');
      expect(render(rows.map(row))).toBe(html);
      expect(renderToBuffer(rows.map(row))).toEqual(Buffer.from(html));
      expect(render(rows.map(() => ({ hr: {} })))).toBe('<hr>'.repeat(count));
    }
  });
});
