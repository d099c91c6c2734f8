import { describe, expect, test } from 'vitest';
import type { Node } from './element.ts';
import { RenderError, type RenderErrorCode } from './errors.ts';
import { fixed } from './fixed.ts';
import { FragmentCall } from './fragment-call.ts';
import { type RenderOptions, render, renderToBuffer } from './render.ts';
import { safeUrl } from './safe-url.ts';
import { json, Trusted, trusted } from './trust.ts';

async function failure(node: unknown, options?: RenderOptions): Promise<RenderError> {
  try {
    await render(node as Node, options);
  } catch (error) {
    if (error instanceof RenderError) return error;
    throw error;
  }
  throw new Error('It did not fail.');
}

describe('what can be rendered at once', () => {
  test('gives a string, not a promise of one', () => {
    expect(render({ p: 'a' })).toBe('<p>a</p>');
    expect(renderToBuffer({ p: 'é' })).toEqual(Buffer.from('<p>é</p>'));
  });

  test('may contain functions, which are called without arguments', () => {
    const argumentsOf = (...given: unknown[]) => String(given.length);
    expect(render({ p: { children: [argumentsOf, () => ({ b: 'x' }), () => () => 'y'] } })).toBe(
      '<p>0<b>x</b>y</p>',
    );
    expect(render({ p: () => ({ id: 'x', text: () => 'y' }) })).toBe('<p id="x">y</p>');
    expect(render({ p: { title: () => 'x', text: 'y' } })).toBe('<p title="x">y</p>');
  });

  test('may contain the same node twice', () => {
    const node = { i: 'x' };
    expect(render([node, { p: { children: [node, node] } }])).toBe('<i>x</i><p><i>x</i><i>x</i></p>');
  });

  test('may render within a render', () => {
    const inner = () => trusted(String(render({ b: 'x' })));
    expect(render({ p: { children: ['a', inner, 'c'] } })).toBe('<p>a<b>x</b>c</p>');
  });

  test('comes out as UTF-8, whatever the characters', () => {
    for (const text of ['é', '—', '日本語', '🎉', 'שלום', '\u0000', '\uffff']) {
      expect(render({ p: { title: text, text } })).toBe(`<p title="${text}">${text}</p>`);
      expect(renderToBuffer([{ p: text }, trusted(text)])).toEqual(Buffer.from(`<p>${text}</p>${text}`));
    }
    expect(render('\ud800')).toBe('\ufffd');
  });

  test('is the same every time, also once there is too much to remember', () => {
    const node = (i: number) =>
      ({ [`x-${i}`]: { [`data-${i}`]: i, className: `c${i}`, children: { b: 'x' } } }) as unknown as Node;
    for (let i = 0; i < 12_000; i++) {
      expect(render(node(i))).toBe(`<x-${i} data-${i}="${i}" class="c${i}"><b>x</b></x-${i}>`);
    }
  });

  test('leaves out handlers that are functions: they belong to the browser', () => {
    const button = { button: { onClick: () => expect.unreachable(), text: 'x' } } as unknown as Node;
    expect(render(button)).toBe('<button>x</button>');
  });

  test('takes lists and nodes as the value of a tag', () => {
    expect(render({ p: ['a', { b: 'c' }] })).toBe('<p>a<b>c</b></p>');
    expect(render({ p: trusted('<b>') })).toBe('<p><b></p>');
  });
});

describe('trust', () => {
  test('is written as it is among children, and in quotes as an attribute', () => {
    expect(render([trusted('<b>'), { p: { html: trusted('<i>'), text: 'no' } }])).toBe('<b><p><i></p>');
    expect(render({ a: { href: trusted('javascript:"x"'), onclick: trusted('f("<")') } })).toBe(
      '<a href="javascript:&quot;x&quot;" onclick="f(&quot;&lt;&quot;)"></a>',
    );
    expect(render({ script: trusted('a < b') })).toBe('<script>a < b</script>');
  });

  test('cannot be had by an object that only looks like it', () => {
    const forged = Object.create(Trusted.prototype) as unknown;
    expect(Trusted.is(forged)).toBe(false);
    expect(() => render({ p: { html: forged as Trusted } })).toThrow(
      expect.objectContaining({ code: 'E_UNTRUSTED' }),
    );
  });

  test('is given to data by json(), which cannot leave its script', () => {
    const data = { a: '</script><!--<script>\u2028&' };
    const text = json(data).toString();
    expect(text).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(text)).toEqual(data);
  });

  test('fixed() renders once', () => {
    let calls = 0;
    const footer = fixed({ footer: () => `${++calls} é` });
    expect(render([footer, { p: footer }])).toBe('<footer>1 é</footer><p><footer>1 é</footer></p>');
    expect(() => fixed(Promise.resolve('x'))).toThrow(RenderError);
  });
});

describe('what has to be waited for', () => {
  test('is awaited wherever it stands', async () => {
    const soon = <T>(value: T) => Promise.resolve(value);
    const node: Node = {
      div: {
        title: soon('t'),
        id: () => soon('i'),
        children: [
          'a',
          soon({ b: 'b' }),
          async () => ['c', soon('d')],
          { i: soon({ className: 'e' }) },
          { u: { text: soon('f') } },
        ],
      },
    };
    expect(await render(node)).toBe('<div title="t" id="i">a<b>b</b>cd<i class="e"></i><u>f</u></div>');
    expect(await renderToBuffer([soon('é'), '—'])).toEqual(Buffer.from('é—'));
    expect(await render({ pre: { children: [soon('\nx'), 'é'] } })).toBe('<pre>\n\nxé</pre>');
    expect(await render({ script: soon(trusted('x')) })).toBe('<script>x</script>');
    expect(await render({ p: { html: soon(trusted('<b>')) } })).toBe('<p><b></p>');
  });

  test('is waited for at the same time', async () => {
    const started: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const part = (name: string) => async () => {
      started.push(name);
      if (name === 'b') release();
      await gate;
      return name;
    };
    expect(await render({ p: { children: [part('a'), { i: part('b') }] } })).toBe('<p>a<i>b</i></p>');
    expect(started).toEqual(['a', 'b']);
  });

  test('may be any object with then()', async () => {
    // biome-ignore lint/suspicious/noThenProperty: query builders are like this
    const query = { table: 'x', then: (done: (value: Node) => void) => done({ b: 'x' }) };
    expect(await render([query as unknown as Node])).toBe('<b>x</b>');
  });

  test('ends when the signal says so, with its reason as the cause', async () => {
    const abort = new AbortController();
    const rendered = failure(new Promise(() => {}), { signal: abort.signal });
    abort.abort(new Error('gone'));
    expect(await rendered).toMatchObject({ code: 'E_RENDER_ABORTED', cause: { message: 'gone' } });
    expect(await failure('x', { signal: AbortSignal.abort() })).toMatchObject({ code: 'E_RENDER_ABORTED' });
  });
});

describe('a fragment', () => {
  test('is asked for, and its HTML put in its place', async () => {
    const call = new FragmentCall({ id: 1 });
    const resolve = (html: () => string | Uint8Array | Promise<string>) => ({
      resolveFragment: (asked: FragmentCall) => {
        expect(asked.content).toEqual({ id: 1 });
        return html();
      },
    });
    expect(
      render(
        { p: call },
        resolve(() => '<b>é</b>'),
      ),
    ).toBe('<p><b>é</b></p>');
    expect(
      render(
        ['a', call],
        resolve(() => Buffer.from('é')),
      ),
    ).toBe('aé');
    expect(
      await render(
        { p: { children: [call] } },
        resolve(async () => '<b>'),
      ),
    ).toBe('<p><b></p>');
    expect(await failure(call)).toMatchObject({ code: 'E_FRAGMENT' });
  });
});

describe('an error', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.div = { children: ['x', cyclic] };
  const endless = (): Node => ({ p: { children: endless } });
  const bad = Symbol('bad');

  test.each([
    ['E_NODE_TYPE', 'root.div.children[3].p', { div: { children: [1, 2, 3, { p: bad }] } }],
    ['E_ELEMENT_SHAPE', 'root.div.children[1][0]', { div: { children: ['x', [{}]] } }],
    ['E_NODE_TYPE', 'root[1]', ['a', new Map()]],
    ['E_NODE_TYPE', 'root.p', { p: new Date(Number.NaN) }],
    ['E_NODE_TYPE', 'root.p', { p: { children: new Set(['x']) } }],
    ['E_NODE_TYPE', 'root.p', { p: new URL('https://a.example/') }],
    ['E_NODE_TYPE', 'root.p', { p: Promise.resolve(new Date()) }],
    [
      'E_NODE_TYPE',
      'root[0]',
      [
        new (class {
          amount = 5;
        })(),
      ],
    ],
    [
      'E_NODE_TYPE',
      'root.p',
      {
        p: new (class {
          title = 'x';
        })(),
      },
    ],
    ['E_NODE_TYPE', 'root[0]', [Buffer.from('x')]],
    ['E_NODE_TYPE', 'root.p', { p: new String('x') }],
    ['E_NODE_TYPE', 'root.pre', { pre: /x/ }],
    ['E_NODE_TYPE', 'root.br', { br: new Date() }],
    ['E_NODE_TYPE', 'root.p()', { p: () => (function* () {})() }],
    ['E_NODE_TYPE', 'root.p', { p: Symbol('x') }],
    ['E_NODE_TYPE', 'root[0]', [safeUrl('/x')]],
    ['E_TEXT_TYPE', 'root.p', { p: { text: new Date() } }],
    ['E_ATTRIBUTE_TYPE', 'root.p', { p: { title: Symbol('x') } }],
    ['E_ATTRIBUTE_TYPE', 'root.p', { p: { style: new Map([['color', 'red']]) } }],
    ['E_ATTRIBUTE_TYPE', 'root.p', { p: { style: { color: new Date() } } }],
    ['E_TAG_NAME', 'root.div', { div: { children: { 'b c': 'x' } } }],
    ['E_ATTRIBUTE_NAME', 'root.p', { p: { 'a b': 'x' } }],
    ['E_ATTRIBUTE_TYPE', 'root.p', { p: { title: ['x'] } }],
    ['E_ATTRIBUTE_TYPE', 'root.p', { p: { title: new Date() } }],
    ['E_TEXT_TYPE', 'root.p', { p: { text: { a: 1 } } }],
    ['E_UNTRUSTED', 'root.p().a', { p: { children: () => ({ a: { onclick: 'x' } }) } }],
    ['E_CYCLE', undefined, cyclic],
    ['E_DEPTH', undefined, endless],
    ['E_DEPTH', undefined, Array.from({ length: 300 }).reduce<Node>((inner) => [inner], 'x')],
  ] satisfies [RenderErrorCode, string | undefined, unknown][])(
    '%s says where: %s',
    async (code, path, node) => {
      const error = await failure(node);
      expect(error).toMatchObject({ code, ...(path === undefined ? {} : { path }) });
      expect(error.message).toContain(error.path);
    },
  );

  test('names what a component threw, and keeps it', async () => {
    const cause = new Error('no rows');
    const throwing = () => {
      throw cause;
    };
    expect(await failure({ ul: { children: [{ li: throwing }] } })).toMatchObject({
      code: 'E_COMPONENT',
      cause,
    });
    expect(await failure({ ul: { children: ['a', async () => throwing()] } })).toMatchObject({
      code: 'E_COMPONENT',
      path: 'root.ul.children[1]()',
      cause,
    });
    expect(await failure({ p: { text: Promise.reject(cause) } })).toMatchObject({
      code: 'E_COMPONENT',
      cause,
    });
    expect(await failure([async () => [{ i: { 'a b': 1 } }]])).toMatchObject({ path: 'root[0]()[0].i' });
  });

  test('leaves no rejection that nobody handles', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const throwing = () => {
        throw new Error('first');
      };
      const rejecting = () => Promise.reject(new Error('later'));
      await failure([
        rejecting(),
        throwing,
        rejecting(),
        { p: { children: [rejecting()], title: rejecting() } },
      ]);
      await failure([() => [rejecting(), throwing, rejecting()]]);
      await failure([rejecting, rejecting, async () => [rejecting(), rejecting()]]);
      await failure([rejecting(), async () => rejecting(), Promise.resolve([throwing, rejecting()])]);
      await failure([rejecting()], { signal: AbortSignal.abort() });
      await failure({ pre: { children: [rejecting(), throwing] } });
      await render({ br: { children: rejecting() } } as unknown as Node);
      await render({ p: { html: trusted('x'), children: rejecting() } });
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
