import { describe, expect, test } from 'vitest';
import suite from '../../test/fixtures/render-vectors.json' with { type: 'json' };
import { asSource, compileViews } from '../../test/support/compile-views.ts';
import { jsx } from '../jsx-runtime.ts';
import type { Node } from '../render/element.ts';
import { JsxElement } from '../render/jsx-element.ts';
import { render } from '../render/render.ts';
import { Template } from '../render/template.ts';
import { precompileSource } from './precompile-source.ts';

const view = (jsxSource: string, precompiled = true) =>
  compileViews(`export const view = (a, b, c) => ${jsxSource};`, { precompiled }).view!;

/** The strings of the templates that a view's source becomes. */
function stringsOf(source: string): string[][] {
  const code = precompileSource(source, 'views.tsx')?.code ?? '';
  return [...code.matchAll(/_make\((\[.*?\])\);/g)].map((match) => JSON.parse(match[1] ?? '[]') as string[]);
}

describe('the vectors, precompiled', () => {
  const vectors = (suite.vectors as { name?: string; input: unknown; html?: string; error?: string }[])
    .map((vector) => ({ ...vector, source: asSource(vector.input) }))
    .filter(({ source }) => source !== undefined && source.startsWith('<'));

  test('are most of all', () => expect(vectors.length).toBeGreaterThan(60));

  test.each(vectors)('$source', ({ source, html, error }) => {
    const written = () => render(view(`<>${source}</>`)() as Node);
    if (error === undefined) expect(written()).toBe(html);
    else expect(written).toThrow(expect.objectContaining({ code: error }));
  });
});

describe('what is static', () => {
  test('is in the strings, with the elements in it, and the rest are values', () => {
    expect(stringsOf('const x = <li className="a" title={t}><b>x &lt; y</b>{name}<i hidden/></li>;')).toEqual(
      [['<li class="a" title="', '"><b>x &lt; y</b>', '<i hidden></i></li>']],
    );
    expect(
      stringsOf("const x = <p data-n={1} lang={'en'} hidden={false} id={`y`} key={k}>{2}{'<'}{null}</p>;"),
    ).toEqual([['<p data-n="1" lang="en" id="y">2&lt;</p>']]);
  });

  test('has text as JSX trims it, with its references read', () => {
    const source = '<p>\n  a\n  b <b>c</b>{" "}\n\td&nbsp;&#233;&copy;  \n</p>';
    for (const precompiled of [true, false]) {
      expect(render(view(source, precompiled)() as Node)).toBe('<p>a b <b>c</b> d\u00a0é©</p>');
    }
    const unknown = '<p>a &zeta; {a}</p>';
    for (const precompiled of [true, false]) {
      expect(render(view(unknown, precompiled)('b') as Node)).toBe('<p>a ζ b</p>');
    }
  });

  test('is declared once where it is the same', () => {
    expect(stringsOf('const x = [<p>{a}</p>, <p>{b}</p>, <b>{c}</b>];')).toHaveLength(2);
  });

  test('keeps the first newline of a <pre>', () => {
    for (const precompiled of [true, false]) {
      expect(render(view('<pre>{"\\n"}{a}</pre>', precompiled)('b') as Node)).toBe('<pre>\n\nb</pre>');
      expect(render(view('<pre>{a}{b}</pre>', precompiled)(null, '\n') as Node)).toBe('<pre>\n\n</pre>');
      expect(render(view('<pre>{a}</pre>', precompiled)('\n') as Node)).toBe('<pre>\n\n</pre>');
    }
  });
});

describe('what stays JSX', () => {
  test.each([
    ['<script src="/x.js" defer={a}></script>', true],
    ['<style html={trusted("p{}")}/>', null],
    ['<meta name="x" content={a}/>', 'y'],
    ['<iframe src={a}/>', '/x'],
    ['<p {...a}>x</p>', { title: 'y' }],
    ['<p title="x" {...a} title="z">x</p>', { title: 'y' }],
    ['<p class="a" title={a} title="b"/>', 'x'],
    ['<p text={a}/>', 'x'],
    ['<p html={trusted(a)}/>', '<b>'],
    ['<p children={a}/>', 'x'],
  ])('%s', (source, value) => {
    const node = view(source)(value);
    expect(node).toBeInstanceOf(JsxElement);
    expect(render(node as Node)).toBe(render(view(source, false)(value) as Node));
  });

  test.each<[string, string]>([
    ['a link to a program', '<a href="javascript:x">y</a>'],
    ['a handler', '<p onclick="x()">y</p>'],
    ['a name that is given twice', '<label for="a" htmlFor="b">y</label>'],
  ])('%s, so that it is told or refused when it is rendered', (_, source) => {
    expect(view(source)()).toBeInstanceOf(JsxElement);
  });

  test('components, whose children are templates', () => {
    const source = `
      const Card = ({ title, children }) => <article><h2>{title}</h2>{children}</article>;
      export const view = (a) => <Card title={<b>t</b>} icon=<i>i</i>><p>{a}</p> and <em>more</em></Card>;
      export const generic = (a) => <Card<string> title="x">{a && <p>{a}</p>}</Card>;`;
    const views = [true, false].map((precompiled) => compileViews(source, { precompiled }));
    for (const { view, generic } of views) {
      expect(render(view!('x') as Node)).toBe(
        '<article><h2><b>t</b></h2><p>x</p> and <em>more</em></article>',
      );
      expect(render(generic!('y') as Node)).toBe('<article><h2>x</h2><p>y</p></article>');
    }
    expect(stringsOf(source)).toContainEqual(['<p>', '</p>']);
  });

  test('in a template, as values of it', () => {
    const node = view('<div><script src="/x.js"/><A.B/>{a}</div>'.replace('<A.B/>', '<>{b}</>'))(
      'x',
      jsx('hr', {}),
    );
    expect(node).toBeInstanceOf(Template);
    expect(render(node as Node)).toBe('<div><script src="/x.js"></script><hr>x</div>');
  });
});

describe('values', () => {
  test('may be any expression, with JSX in it', () => {
    const source =
      '<ul className={["x", a && "y"]}>{b.map((each) => <li key={each}>{each > 1 ? <b>{each}</b> : each /* c */}</li>)}{/* no */}{(a, c) as string}</ul>';
    for (const precompiled of [true, false]) {
      expect(render(view(source, precompiled)(true, [1, 2], 'z') as Node)).toBe(
        '<ul class="x y"><li>1</li><li><b>2</b></li>z</ul>',
      );
    }
  });
});

describe('a module', () => {
  test('without JSX, of another source, or that cannot be parsed is left alone', () => {
    expect(precompileSource('export const x = 1;', 'x.tsx')).toBeUndefined();
    expect(precompileSource('/** @jsxImportSource react */ const x = <p>y</p>;', 'x.tsx')).toBeUndefined();
    expect(precompileSource('const x = <p>', 'x.tsx')).toBeUndefined();
    expect(precompileSource('const x = <Card>{y}</Card>;', 'x.tsx')).toBeUndefined();
  });

  test('keeps its hashbang, its own names and the lines of its code', () => {
    const source = '#!/usr/bin/env node\nconst _tpl0 = 1;\n\nexport const x = <p>{_tpl0}</p>;\n';
    const { code } = precompileSource(source, 'x.tsx')!;
    expect(code.startsWith('#!/usr/bin/env node\nimport { jsxTemplate as _tpl__make }')).toBe(true);
    expect(code).toContain('const _tpl0 = 1;\n\nexport const x = _tpl_0(_tpl0);\n');
  });

  test('is mapped, down to the names in its values', () => {
    const source =
      'export const x = (title: string) => (\n  <p>\n    <b>{title.toUpperCase()}</b>\n  </p>\n);\n';
    const { map } = precompileSource(source, 'x.tsx')!;
    expect(map.sources).toEqual(['x.tsx']);
    expect(map.sourcesContent).toEqual([source]);
    expect(map.mappings.length).toBeGreaterThan(20);
  });
});
