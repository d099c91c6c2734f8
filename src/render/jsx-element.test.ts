import { describe, expect, test } from 'vitest';
import { jsxDEV } from '../jsx-dev-runtime.ts';
import { Fragment, jsx, jsxs, jsxTemplate } from '../jsx-runtime.ts';
import type { Node } from './element.ts';
import { html } from './html.ts';
import { render } from './render.ts';
import { trusted } from './trust.ts';

const Card = ({ title, children }: { readonly title: string; readonly children?: Node }) =>
  jsxs('article', { children: [jsx('h2', { children: title }), children] });

describe('jsx()', () => {
  test('makes elements with attributes and children', () => {
    const list = jsxs('ul', { className: 'x', children: [jsx('li', { children: 'a<b' }), jsx('li', {}), 7] });
    expect(render(list)).toBe('<ul class="x"><li>a&lt;b</li><li></li>7</ul>');
    expect(render(jsx('script', { html: trusted('x()') }))).toBe('<script>x()</script>');
    expect(render(jsx('p', { className: ['a', false && 'b', 'c'], style: {}, hidden: true }))).toBe(
      '<p class="a c" hidden></p>',
    );
  });

  test('makes fragments, which are their children', () => {
    expect(render(jsxs(Fragment, { children: ['a', jsx('b', { children: 'c' }), null, false] }))).toBe(
      'a<b>c</b>',
    );
    expect(render(jsx(Fragment, {}))).toBe('');
  });

  test('calls components with their props, once they are rendered', async () => {
    let calls = 0;
    const Counted = (props: object) => {
      calls++;
      return jsx('i', { children: JSON.stringify(props) });
    };
    const node = jsx(Counted, { a: 1 });
    expect(calls).toBe(0);
    expect(render(node)).toBe('<i>{&quot;a&quot;:1}</i>');
    expect(render(jsx(Card, { title: 'T', children: ['x', jsx('hr', {})] }))).toBe(
      '<article><h2>T</h2>x<hr></article>',
    );
    const Later = async ({ id }: { readonly id: number }) =>
      jsx('b', { children: await Promise.resolve(id) });
    expect(await render(jsxs('p', { children: [jsx(Later, { id: 1 }), '-', jsx(Later, { id: 2 })] }))).toBe(
      '<p><b>1</b>-<b>2</b></p>',
    );
  });

  test('mixes with element objects and templates', () => {
    expect(
      render({ main: { children: [jsx('p', { children: html`<b>${jsx(Card, { title: 'x' })}</b>` })] } }),
    ).toBe('<main><p><b><article><h2>x</h2></article></b></p></main>');
  });

  test('tells in errors which component it was in, and watches its call', () => {
    const Broken = () => {
      throw new Error('no');
    };
    expect(() =>
      render(jsx('main', { children: [jsx(Card, { title: 'x', children: jsx(Broken, {}) })] })),
    ).toThrow('A component threw: no (at root.main.children[0].Card().article.children[1].Broken())');
    const watched: unknown[] = [];
    const watch = (component: () => unknown) => {
      watched.push(component);
      return component();
    };
    expect(render(jsx(Card, { title: 'x' }), { watch })).toBe('<article><h2>x</h2></article>');
    expect(watched).toHaveLength(1);
  });

  test('of what is neither tag nor component fails and says what to look for', () => {
    expect(() => render(jsx(undefined, {}))).toThrow('is the component exported?');
    expect(() => render(jsx({ a: 1 }, {}))).toThrow(expect.objectContaining({ code: 'E_NODE_TYPE' }));
    expect(() => render(jsx('a b', {}))).toThrow(expect.objectContaining({ code: 'E_TAG_NAME' }));
  });

  test('finds components that call themselves without end', () => {
    const Endless = (): Node => jsx(Endless, {});
    expect(() => render(jsx(Endless, {}))).toThrow(expect.objectContaining({ code: 'E_DEPTH' }));
  });

  test('is jsxDEV during development', () => {
    expect(render(jsxDEV('p', { children: 'x' }))).toBe('<p>x</p>');
  });
});

describe('jsxTemplate()', () => {
  test('is what html is, declared apart from its values', () => {
    const row = jsxTemplate(['<li class="', '">', '</li>']);
    expect(render([row('a', 'b'), row(null, jsx('i', {}))])).toBe('<li class="a">b</li><li><i></i></li>');
    expect(() => jsxTemplate(['<script>', '</script>'])).toThrow(
      expect.objectContaining({ code: 'E_TEMPLATE' }),
    );
  });
});
