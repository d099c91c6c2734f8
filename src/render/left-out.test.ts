// What a row of data may not say is left out, and nothing else of the page: never an error for everybody who asks for it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node } from './element.ts';
import type { Notice } from './notice.ts';
import { render } from './render.ts';
import { safeUrl } from './safe-url.ts';
import { harmlessDeclarations, isHarmlessStyle } from './style.ts';
import { trusted } from './trust.ts';
import { harmlessPart, isHarmlessList } from './url.ts';

async function rendered(node: unknown) {
  const notices: Notice[] = [];
  const html = await render(node as Node, { tell: (notice) => notices.push(notice) });
  return { html, notices };
}

describe('an address that no link of a page may have', () => {
  test.each([
    'example.com:8080',
    'skype:bob',
    'C:\\me',
    'javascript:1',
    ' java\nscript:1',
    'data:text/html,x',
    'blob:https://x/y',
    'vbscript:x',
    '&#106;avascript:x',
  ])('%j is left out, and the link is text', async (href) => {
    for (let i = 0; i < 5; i++) {
      const { html, notices } = await rendered({ a: { href, title: 'x', text: 'site' } });
      expect(html).toBe('<a title="x">site</a>');
      expect(notices).toHaveLength(1);
    }
  });

  test('is told of with its place in the view, whichever row it is in, and its beginning', async () => {
    const rows = ['https://a.example', 'skype:bob', 'x'.repeat(200).concat(':')];
    const { html, notices } = await rendered({
      ul: { children: rows.map((href) => ({ li: { children: [{ a: { href } }] } })) },
    });
    expect(html).toBe('<ul><li><a href="https://a.example"></a></li><li><a></a></li><li><a></a></li></ul>');
    expect(notices.map(({ place }) => place)).toEqual(Array(2).fill('root.ul.children[].li.children[].a'));
    expect(notices[0]).toMatchObject({ value: 'skype:bob', problem: expect.stringContaining('safeUrl()') });
    expect(notices[1]?.value).toHaveLength(80);
  });

  test.each<[string, unknown, string]>([
    ['waited for', { a: { href: Promise.resolve('skype:bob') } }, '<a></a>'],
    ['given by a function', { a: { href: () => 'skype:bob' } }, '<a></a>'],
    ['of a form', { form: { action: 'javascript:x' } }, '<form></form>'],
    ['of a button', { button: { formaction: 'javascript:x' } }, '<button></button>'],
    ['of a frame of another site', { iframe: { src: 'https://b.example/' } }, '<iframe></iframe>'],
    ['of a plug-in', { object: { data: '//b.example/x.swf' } }, '<object></object>'],
    ['of a symbol', { use: { href: 'https://b.example/x.svg#y' } }, '<use></use>'],
    ['of a style sheet', { link: { rel: 'stylesheet', href: 'data:text/css,x' } }, '<link rel="stylesheet">'],
  ])('%s, too', async (_, node, html) => {
    expect(await rendered(node)).toMatchObject({ html, notices: [{}] });
  });
});

describe('a list of addresses', () => {
  test.each([
    ['srcset', 'a.png 1x, javascript:x 2x, b.png 3x', 'a.png 1x, b.png 3x'],
    ['srcset', 'javascript:x 1x', undefined],
    ['srcset', 'a.png,javascript:x,b.png 2x, c.png', 'c.png'],
    [
      'srcset',
      'a.png, javascript:x, , data:image/png;base64,AA== 2x',
      'a.png, data:image/png;base64,AA== 2x',
    ],
    ['srcset', 'a.png (x,y) 1x, skype:bob 2x', 'a.png (x,y) 1x'],
    ['imagesrcset', ',, a.png 100w,skype:b 200w', 'a.png 100w'],
    ['ping', '/a javascript:x  /b', '/a /b'],
  ])('%s="%s" loses those alone that could run a script', async (name, list, kept) => {
    const { html, notices } = await rendered({ img: { [name]: list } });
    expect(html).toBe(kept === undefined ? '<img>' : `<img ${name}="${kept}">`);
    expect(notices).toHaveLength(1);
  });
});

describe('a style', () => {
  test.each([
    ['color: red\\9', undefined],
    ['color: red; width: 5\\9; top: 0', 'color: red; top: 0'],
    ['background: url(javascript:x); color: blue', 'color: blue'],
    ['color: blue; background: url(javascript:"a;b"', 'color: blue'],
    ['width: expression(x)', undefined],
    ['/* a */ color: red; b: url(x:y)', 'color: red'],
    ["a: 'x;y'; b: expression(x); c: url(d;e)", "a: 'x;y'; c: url(d;e)"],
  ])('%j loses the declarations alone that could run a script', async (style, kept) => {
    const { html, notices } = await rendered({ p: { style } });
    expect(html).toBe(kept === undefined ? '<p></p>' : `<p style="${kept.replaceAll("'", '&#39;')}"></p>`);
    expect(notices).toHaveLength(1);
  });

  test('as an object loses the properties alone that are more than one value', async () => {
    const { html, notices } = await rendered({
      p: { style: { color: 'red;top:0', backgroundColor: 'blue', width: '5\\9' } },
    });
    expect(html).toBe('<p style="background-color: blue"></p>');
    expect(notices).toHaveLength(2);
    expect((await rendered({ p: { style: { color: 'red}' } } })).html).toBe('<p></p>');
  });
});

test('what is left is as harmless as what needed no cutting, and cutting it again changes nothing', () => {
  const pieces = fc.constantFrom(
    ...['a.png', '1x', ' ', ',', ', ', 'javascript:x', 'skype:b', '(', ')', ';', '"', "'", '\\', '/*', '*/'],
    ...[
      'color: red',
      'b: url(',
      'x:y',
      'expression(',
      '{',
      '}',
      '[',
      ']',
      '\n',
      '\t',
      'data:image/png,x',
      '!',
    ],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
      const text = parts.join('');
      for (const name of ['srcset', 'ping']) {
        const list = harmlessPart(name, text, true);
        if (list === undefined) continue;
        expect(isHarmlessList(list, true)).toBe(true);
        expect(harmlessPart(name, list, true)).toBe(list);
      }
      const style = harmlessDeclarations(text);
      if (style === undefined) return;
      expect(isHarmlessStyle(style)).toBe(true);
      expect(harmlessDeclarations(style)).toBe(style);
    }),
    { numRuns: 5000, examples: [[['(', ')', ';', 'javascript:x']]] },
  );
});

describe('safeUrl()', () => {
  const href = async (value: unknown, schemes?: string[]) =>
    (await rendered({ a: { href: safeUrl(value, schemes === undefined ? {} : { schemes }) } })).html;

  test('lets an author admit a scheme, and tells nobody of what it leaves out', async () => {
    expect(await href('skype:bob', ['https', 'Skype'])).toBe('<a href="skype:bob"></a>');
    expect(await rendered({ a: { href: safeUrl('example.com:8080') } })).toEqual({
      html: '<a></a>',
      notices: [],
    });
    expect(await href('http://a.example/', ['https'])).toBe('<a></a>');
    expect(await href('http://a.example/"x')).toBe('<a href="http://a.example/&quot;x"></a>');
    expect(await href('/a?b#c', ['https'])).toBe('<a href="/a?b#c"></a>');
    for (const none of [undefined, null, 7, {}, []]) expect(safeUrl(none)).toBeUndefined();
  });

  test.each(['javascript', 'vbscript', 'livescript', 'data', 'blob', 'filesystem', 'view-source'])(
    'never admits %s:, whatever is asked of it',
    async (scheme) => {
      for (const url of [
        `${scheme}:text/html,x`,
        ` ${scheme.toUpperCase()}:x`,
        `\0${scheme}:x`,
        `${scheme}\t:x`,
      ])
        expect(safeUrl(url, { schemes: [scheme, scheme.toUpperCase()] })).toBeUndefined();
    },
  );

  test('admits a picture as data: where that is asked for', () => {
    expect(safeUrl('data:image/png;base64,AA==', { schemes: ['data'] })?.toString()).toContain('image/png');
    expect(safeUrl('data:image/svg+xml,x', { schemes: ['data'] })).toBeUndefined();
  });

  test('does not vouch for where scripts and documents come from', async () => {
    const url = safeUrl('https://b.example/x.js');
    await expect(rendered({ script: { src: url } })).rejects.toMatchObject({ code: 'E_UNTRUSTED' });
    await expect(rendered({ base: { href: url } })).rejects.toMatchObject({ code: 'E_UNTRUSTED' });
    await expect(rendered({ p: { onclick: url } })).rejects.toMatchObject({ code: 'E_UNTRUSTED' });
    expect((await rendered({ iframe: { src: url } })).html).toBe('<iframe></iframe>');
    expect((await rendered({ meta: { property: 'og:url', content: url } })).html).toContain(
      'https://b.example/x.js',
    );
  });
});

describe('what is not normal and no mistake of a page', () => {
  test.each<[string, unknown, string]>([
    [
      'numbers that are none',
      { p: { title: Number.NaN, text: Number.POSITIVE_INFINITY } },
      '<p title="NaN">Infinity</p>',
    ],
    ['a large integer', { p: 2n ** 80n }, '<p>1208925819614629174706176</p>'],
    ['half a character', { p: { title: '\ud800', text: 'a\udc00b' } }, '<p title="\ufffd">a\ufffdb</p>'],
    [
      'NUL and control characters',
      { p: { title: '\0\x1b', text: '\0\x07' } },
      '<p title="\0\x1b">\0\x07</p>',
    ],
    ['a title that is null', { title: { text: null } }, '<title></title>'],
    ['a value without a meaning', { a: { href: null, title: undefined, text: null } }, '<a></a>'],
    ['an object without a prototype', Object.assign(Object.create(null), { p: 'x' }), '<p>x</p>'],
    ['an array that holds nothing', { p: [undefined, null, undefined, false] }, '<p></p>'],
  ])('%s', async (_, node, html) => {
    expect(Buffer.from((await rendered(node)).html).toString()).toBe(html);
  });

  test('a tree that is ten thousand levels deep is refused, and what stands in it has been listened to', async () => {
    const deep = (depth: number) => {
      let node: unknown = Promise.reject(new Error('nobody awaits this'));
      for (let i = 0; i < depth; i++) node = { b: { children: [node] } };
      return node;
    };
    await expect(rendered(deep(10_000))).rejects.toMatchObject({ code: 'E_DEPTH' });
    await expect(
      rendered([{ p: 'x' }, JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)]),
    ).rejects.toMatchObject({
      code: 'E_DEPTH',
    });
  });
});

test('HTML that is vouched for and holds an inline script is told of, once its place; other scripts are not', async () => {
  const told = async (html: string) => (await rendered({ div: { html: trusted(html) } })).notices;
  expect(await told('<p>x</p><script>x()</script>')).toMatchObject([
    { place: 'root.div', problem: expect.stringContaining('{ script: { html: trusted(code) } }') },
  ]);
  expect(await told('<SCRIPT type=module>x()</SCRIPT>')).toHaveLength(1);
  expect(await told('<script src="/x.js"></script>')).toEqual([]);
  expect(await told('<script type="application/json">{}</script>')).toEqual([]);
  expect(await told('<scripture>')).toEqual([]);
  expect((await rendered({ script: { html: trusted('"<script>"') } })).notices).toEqual([]);
});

describe('onScript', () => {
  const scripts = async (node: unknown) => {
    const found: string[] = [];
    await render(node as Node, { onScript: (text) => found.push(text.toString()) });
    return found;
  };

  test.each<[string, unknown, string[]]>([
    [
      'is told the inside of a script element',
      { script: { html: trusted('a < 1 && "é"') } },
      ['a < 1 && "é"'],
    ],
    ['in any spelling', { SCRIPT: trusted('x') }, ['x']],
    ['of several parts', { script: [trusted('x'), () => trusted('y')] }, ['xy']],
    ['that is waited for', { script: [Promise.resolve(trusted('x')), trusted('y')] }, ['xy']],
    ['of a module', { script: { type: 'module', html: trusted('x') } }, ['x']],
    ['of an import map', { script: { type: 'importmap', html: trusted('{}') } }, ['{}']],
    [
      'of a kind that is not known yet',
      { script: { type: Promise.resolve('text/javascript'), html: trusted('x') } },
      ['x'],
    ],
    ['not data', { script: { type: 'application/json', html: trusted('{}') } }, []],
    ['not a file', { script: { src: '/x.js' } }, []],
    ['not what is found in other HTML', { div: trusted('<script>x</script>') }, []],
    ['not text that looks like one', { p: '<script>x</script>' }, []],
    ['not a style', { style: trusted('x') }, []],
  ])('%s', async (_, node, expected) => {
    expect(await scripts(node)).toEqual(expected);
  });
});
