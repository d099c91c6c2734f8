import { describe, expect, test } from 'vitest';
import { template } from '../../test/support/ways-to-write.ts';
import type { Node } from './element.ts';
import { html } from './html.ts';
import { type RenderOptions, render, renderToBuffer } from './render.ts';
import { safeUrl } from './safe-url.ts';
import { Template } from './template.ts';
import { trusted } from './trust.ts';

describe('values among children', () => {
  test('are escaped, and empty ones are nothing', () => {
    expect(render(html`<p>${'<b>'} & ${1}${null}${undefined}${false}${true}</p>`)).toBe(
      '<p>&lt;b&gt; & 1</p>',
    );
  });

  test('are any node, and stand in any node', async () => {
    const node = html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}${{ li: 'x' }}${() => html`<li>y</li>`}</ul>`;
    expect(render({ div: { children: [node, trusted('<hr>')] } })).toBe(
      '<div><ul><li>1</li><li>2</li><li>x</li><li>y</li></ul><hr></div>',
    );
    const soon = Promise.resolve(html`<b>${'é'}</b>`);
    expect(await render(html`<p>${soon} — ${soon}</p>`)).toBe('<p><b>é</b> — <b>é</b></p>');
  });

  test('come out as UTF-8 beside static text of any characters', () => {
    const node = html`<p title="—${'é'}">日本${'語'}</p>`;
    expect(render(node)).toBe('<p title="—é">日本語</p>');
    expect(renderToBuffer(node)).toEqual(Buffer.from('<p title="—é">日本語</p>'));
    expect(render(html`<p>—</p>`)).toBe('<p>—</p>');
  });

  test('keep a first newline of a pre or textarea', async () => {
    expect(render(html`<pre>${'\na'}</pre><textarea>${['\n']}</textarea>`)).toBe(
      '<pre>\n\na</pre><textarea>\n\n</textarea>',
    );
    expect(await render(html`<pre class="x">${Promise.resolve('\na')}</pre>`)).toBe(
      '<pre class="x">\n\na</pre>',
    );
    expect(render(html`<pre>x${'\na'}</pre>`)).toBe('<pre>x\na</pre>');
  });

  test('are the same the second time, and when others come between', () => {
    const row = (a: unknown, b: unknown) => html`<tr class="${a}"><td>${b}</td></tr>`;
    for (let i = 0; i < 5; i++) {
      expect(render([row('x', 'y'), { i: '1' }, row(null, { b: 'z' }), row('x', 1)])).toBe(
        '<tr class="x"><td>y</td></tr><i>1</i><tr><td><b>z</b></td></tr><tr class="x"><td>1</td></tr>',
      );
    }
  });

  test('may be long beside long static text', () => {
    const long = 'x'.repeat(3000);
    const node = template([`<p title="${long}">`, `</p>${long}`], [long]);
    for (let i = 0; i < 3; i++)
      expect(render([node, node])).toBe(`<p title="${long}">${long}</p>${long}`.repeat(2));
    expect(String(render(Array.from({ length: 100 }, () => node))).length).toBe(100 * (9000 + 16));
  });
});

describe('values of attributes', () => {
  test('say what props say', () => {
    const input = (value: unknown, disabled: unknown) => html`<input value="${value}" disabled=${disabled}>`;
    expect(render(input('"x"', true))).toBe('<input value="&quot;x&quot;" disabled>');
    expect(render(input(0, false))).toBe('<input value="0">');
    expect(render(input(null, undefined))).toBe('<input>');
    expect(
      render(html`<p class='${['a', false, ['b', null]]}' style="${{ color: 'red', top: null }}"></p>`),
    ).toBe('<p class="a b" style="color: red"></p>');
    expect(render(html`<a href="${safeUrl('mailto:x')}" title="${trusted('"')}"/>`)).toBe(
      '<a href="mailto:x" title="&quot;"/>',
    );
  });

  test('may be awaited and called', async () => {
    const soon = (value: unknown) => Promise.resolve(value);
    expect(await render(html`<a href="${soon('/x')}" title="${() => 'y'}">z</a>`)).toBe(
      '<a href="/x" title="y">z</a>',
    );
    expect(await render(html`<a href="/users/${soon(7)}?a=${() => 'b'}">z</a>`)).toBe(
      '<a href="/users/7?a=b">z</a>',
    );
  });

  test('may be a part of one, which is looked at as a whole', () => {
    expect(render(html`<a href="/users/${7}/${'a&b'}${null}" class="x ${'y'}">z</a>`)).toBe(
      '<a href="/users/7/a&amp;b" class="x y">z</a>',
    );
    expect(render(html`<a href="?a=1&amp;b=${2}&c=3">z</a>`)).toBe('<a href="?a=1&amp;b=2&amp;c=3">z</a>');
    const told: string[] = [];
    const tell: RenderOptions['tell'] = ({ place, value }) => told.push(`${place} ${value}`);
    expect(render(html`<p><a href="${'java'}script:${'x'}">z</a></p>`, { tell })).toBe('<p><a>z</a></p>');
    expect(render(html`<i style="width: ${'expression(x)'}"></i>`, { tell })).toBe('<i></i>');
    expect(told).toEqual(['root.p.a javascript:x', 'root.i width: expression(x)']);
  });

  test.each<[string, code: string, node: () => Node]>([
    ['handlers', 'E_UNTRUSTED', () => html`<p onclick="${'x'}"></p>`],
    ['a part of a handler', 'E_UNTRUSTED', () => html`<p onclick="f(${'x'})"></p>`],
    ['srcdoc', 'E_UNTRUSTED', () => html`<iframe srcdoc="${'x'}"></iframe>`],
    ['scripts of others', 'E_UNTRUSTED', () => html`<script src="${'//x.invalid/x.js'}"></script>`],
    [
      'a part of a script’s address',
      'E_UNTRUSTED',
      () => html`<script src="/${'/x.invalid/x.js'}"></script>`,
    ],
    ['base', 'E_UNTRUSTED', () => html`<base href="${'https://x.invalid'}">`],
    ['meta refresh', 'E_UNTRUSTED', () => html`<meta content="${'0;url=/x'}" http-equiv="refresh">`],
    ['animation', 'E_UNTRUSTED', () => html`<set attributeName="${'href'}" to="${'x'}"></set>`],
    ['objects', 'E_ATTRIBUTE_TYPE', () => html`<p title="${{ a: 1 }}"></p>`],
    ['objects in a part', 'E_ATTRIBUTE_TYPE', () => html`<p title="a ${{ a: 1 }}"></p>`],
    ['names that are none', 'E_ATTRIBUTE_NAME', () => html`<p @click="${'x'}"></p>`],
    ['objects that are no nodes', 'E_ELEMENT_SHAPE', () => html`<p>${{} as Node}</p>`],
  ])('are refused as props are: %s', (_, code, node) => {
    for (let i = 0; i < 3; i++) expect(() => render(node())).toThrow(expect.objectContaining({ code }));
  });

  test('are left out as props are, and the page lives', () => {
    const link = (url: string) =>
      html`<a href="${url}">x</a><iframe src="${url}"></iframe><img srcset="${url} 2x">`;
    for (let i = 0; i < 3; i++) {
      expect(render(link('javascript:x'))).toBe('<a>x</a><iframe></iframe><img>');
      expect(render(link('/x'))).toBe('<a href="/x">x</a><iframe src="/x"></iframe><img srcset="/x 2x">');
    }
    expect(render(html`<img src="${'data:image/svg+xml,x'}"><a href="${'data:image/svg+xml,x'}"></a>`)).toBe(
      '<img src="data:image/svg+xml,x"><a></a>',
    );
  });
});

describe('static text', () => {
  test('is as it was written', () => {
    const text =
      "<!doctype html><!-- a > b --><P Class=x data-a='\"'>a < b &amp; c</P><br/><my-x hidden></my-x>";
    expect(render(template([text], []))).toBe(text);
  });

  test('tells the policy of the scripts that stand in it', () => {
    const scripts: string[] = [];
    const onScript = (text: Buffer) => scripts.push(text.toString());
    const node = html`<script>let é = 1 < 2</script><script type="application/json">{}</script><script
      src="/x.js"></script><style>p > b {}</style>${1}`;
    void render([node, node], { onScript });
    expect(scripts).toEqual(['let é = 1 < 2', 'let é = 1 < 2']);
  });

  test.each<[string, strings: readonly string[]]>([
    ['the name of a tag', ['<', '>']],
    ['the rest of a name', ['<p', '>']],
    ['the name of an end tag', ['<p></', '>']],
    ['loose in a tag', ['<p ', '>']],
    ['the name of an attribute', ['<p ', '="x">']],
    ['the rest of one', ['<p data-', '="x">']],
    ['behind a slash', ['<p /', '>']],
    ['a value without quotes, with more of it', ['<a href=', 'x>']],
    ['the rest of a value without quotes', ['<a href=x', '>']],
    ['a comment', ['<!-- ', ' -->']],
    ['behind a comment that a browser ends sooner', ['<!--> <script> --> ', '</script>']],
    ['a doctype', ['<!doctype ', '>']],
    ['a script', ['<script>', '</script>']],
    ['a script in capitals', ['<SCRIPT>', '</SCRIPT>']],
    ['a script that looks closed', ['<script><!--<script></script>', '</script>']],
    ['a style', ['<style>', '</style>']],
    ['an element in a title', ['<svg><title><a href="', '"></title></svg>']],
    ['CDATA', ['<![CDATA[ ', ' ]]>']],
    ['a reference beside a value', ['<a href="java&#115;cript:', '">']],
    ['an attribute a second time', ['<a href="/" href="', '">']],
    ['the same under another name', ['<a class="x" className="', '">']],
  ])('takes no value in %s', (_, strings) => {
    expect(() => template(strings, ['x'])).toThrow(expect.objectContaining({ code: 'E_TEMPLATE' }));
  });

  test.each([
    ['<p'],
    ['<p title="x'],
    ['<!-- x'],
    ['<script>x'],
    ['<textarea>x'],
    ['a <'],
    ['<p "x">'],
    ['<?x?>'],
  ])('ends as it began: %s', (text) => {
    expect(() => template([text], [])).toThrow(expect.objectContaining({ code: 'E_TEMPLATE' }));
  });

  test('comes from code: what only looks like a template is refused', () => {
    const strings = JSON.parse('["<script>x</script>"]') as TemplateStringsArray;
    expect(() => html(strings)).toThrow(expect.objectContaining({ code: 'E_TEMPLATE' }));
    expect(() => html(Object.assign(strings, { raw: ['x'] }))).toThrow('html is written before a template');
    const forged = Object.assign(Object.create(Template.prototype), { values: [] }) as Template;
    expect(Template.is(forged)).toBe(false);
    expect(() => render(forged)).toThrow(expect.objectContaining({ code: 'E_NODE_TYPE' }));
  });

  test('is read once', () => {
    const make = (text: string) => html`<b>${text}</b>`;
    expect(make('x').shape).toBe(make('y').shape);
  });
});

describe('what goes wrong in a template', () => {
  const pathOf = (node: Node) => {
    try {
      void render(node);
    } catch (error) {
      return (error as { path: unknown }).path;
    }
    return undefined;
  };

  test('is told with the way through it', () => {
    const bad = { x: 1, y: 2 } as unknown as Node;
    expect(pathOf({ main: { children: [html`<ul><li>a</li><li><b>${bad}</b></li></ul>`] } })).toBe(
      'root.main.children[0].ul.li.b',
    );
    expect(pathOf(html`<p>${1}</p><a title="${bad}"></a>`)).toBe('root.a');
    expect(pathOf(html`${bad}`)).toBe('root.<>');
  });

  test('leaves no promise unheard', async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown) => unheard.push(reason);
    process.on('unhandledRejection', note);
    const fails = () => Promise.reject(new Error('late'));
    const bad = Symbol('no content') as unknown as Node;
    expect(() => render(html`<p>${bad}${fails()}${[html`<b title="a ${fails()}"></b>`]}</p>`)).toThrow(
      'symbol',
    );
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);
    expect(unheard).toEqual([]);
  });

  test('is too deep where templates contain each other without end', () => {
    let node: Node = 'x';
    for (let i = 0; i < 300; i++) node = html`<b>${node}</b>`;
    expect(() => render(node)).toThrow(expect.objectContaining({ code: 'E_DEPTH' }));
  });
});
