import fc from 'fast-check';
import { parseFragment } from 'parse5';
import { describe, expect, it, test } from 'vitest';
import { RenderError } from './errors.ts';
import { render } from './render.ts';
import { trusted } from './trust.ts';
import { xml } from './xml.ts';

describe('xml', () => {
  it('escapes what is put in, wherever it stands, and writes nothing for what is not there', () => {
    const node = xml`<a b="${`"'<>&`}">${'<b>&'}${null}${undefined}${false}${7}${8n}</a>`;
    expect(render(node)).toBe('<a b="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;&amp;78</a>');
  });

  it('takes lists, dates and further XML as they are meant', () => {
    const items = ['a', '<'].map((each) => xml`<i>${each}</i>`);
    const at = new Date('2026-01-02T03:04:05Z');
    expect(render(xml`<l at="${at}">${items}${trusted('<raw/>')}</l>`)).toBe(
      '<l at="2026-01-02T03:04:05.000Z"><i>a</i><i>&lt;</i><raw/></l>',
    );
  });

  it('leaves out what XML cannot write', () => {
    expect(render(xml`<a>${'a\u0000b\u0008c\ufffed\te\n'}</a>`)).toBe('<a>abcd\te\n</a>');
  });

  it('refuses elements, functions and promises: it would not be known as what they are written', () => {
    for (const value of [{ b: 'x' }, () => 'x', Promise.resolve('x')])
      expect(() => xml`<a>${value}</a>`).toThrow(RenderError);
  });
});

test('no text leaves its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const html = String(render(xml`<p title="${text}">${text}</p>`));
      const { childNodes } = parseFragment(html);
      expect(childNodes.length).toBe(1);
      const [element] = childNodes;
      if (element === undefined || !('attrs' in element)) throw new Error('no element');
      expect(element.attrs.length).toBe(1);
      expect(element.childNodes.every(({ nodeName }) => nodeName === '#text')).toBe(true);
    }),
  );
});
