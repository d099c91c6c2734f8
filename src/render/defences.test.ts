// Each defence by itself: what is refused here is refused by this one only, so that its loss is noticed by its name.
import { describe, expect, test } from 'vitest';
import type { Node } from './element.ts';
import { escapeHtml } from './escape.ts';
import { FragmentCall } from './fragment-call.ts';
import { render } from './render.ts';
import { trusted } from './trust.ts';

const svg = 'data:image/svg+xml,x';
const elsewhere = 'https://attacker.invalid/';
const assigned = (json: string): unknown => Object.assign({}, JSON.parse(json));

/** What became of it: rendered, rendered without the attribute, or the code of its refusal. */
async function codeOf(node: unknown): Promise<unknown> {
  let outcome = 'rendered';
  const tell = () => {
    outcome = 'left out';
  };
  try {
    const html = await render(node as Node, { tell });
    return outcome === 'rendered' || !/fired|attacker|script|:|expression/i.test(html) ? outcome : html;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** What a row may hold. */
const leftOut: readonly [defence: string, hostile: unknown, harmless: unknown][] = [
  ['a script in SVG, as data: anywhere but in a picture', { a: { href: svg } }, { img: { src: svg } }],
  ['a document as data:', { a: { href: 'data:text/html,x' } }, { a: { href: 'data:image/png,x' } }],
  ['unlisted schemes', { a: { href: 'blob:x' } }, { a: { href: 'mailto:x' } }],
  ['schemes of programs', { a: { href: 'JaVaScRiPt:x' } }, { a: { href: 'HTTP:x' } }],
  ['schemes hidden by references', { a: { href: 'javascript&colon;x' } }, { a: { href: '/x&colon;x' } }],
  ['schemes hidden by what is not seen', { a: { href: '\u00a0javascript:x' } }, { a: { href: '\u00a0x' } }],
  ['a host hidden by a tab', { iframe: { src: '/\t/attacker.invalid/' } }, { iframe: { src: '/\tx' } }],
  ['a host hidden by a space', { iframe: { src: ' //attacker.invalid/' } }, { iframe: { src: ' /x' } }],
  ['srcset', { img: { srcset: 'x.png 1x, javascript:x 2x' } }, { img: { srcset: 'x.png 1x, y.png 2x' } }],
  ['ping', { a: { ping: '/x javascript:x' } }, { a: { ping: '/x https://y.example/' } }],
  ['xlink:href', { a: { 'xlink:href': 'javascript:x' } }, { a: { 'xlink:href': '#x' } }],
  ['src under any prefix', { p: { 'x:src': 'javascript:x' } }, { p: { 'x:src': 'x' } }],
  ['embedded documents of others', { embed: { src: elsewhere } }, { embed: { src: '/x' } }],
  ['<use> of others', { use: { href: `${elsewhere}#x` } }, { use: { href: '#x' } }],
  ['style: code', { p: { style: 'width:expression(x)' } }, { p: { style: 'width:calc(1px)' } }],
  ['style: code around a comment', { p: { style: 'width:exp/**/ression(x)' } }, { p: { style: '/**/' } }],
  ['style: code behind an escape', { p: { style: 'width:e\\78pression(x)' } }, { p: { style: 'a:b' } }],
  ['style: addresses', { p: { style: 'a:url(data:text/html,x)' } }, { p: { style: 'a:url(x.png)' } }],
  ['style: one value', { p: { style: { color: 'red;top:0' } } }, { p: { style: { color: 'red' } } }],
  ['style: a value left open', { p: { style: { color: 'url(x' } } }, { p: { style: { color: 'url(x)' } } }],
  [
    'style: the address in a value',
    { p: { style: { background: 'url(data:text/html,x)' } } },
    { p: { style: { background: 'url(x.png)' } } },
  ],
];

/** What only the code of a page can have put there. */
const untrusted: readonly [defence: string, hostile: unknown, harmless: unknown][] = [
  ['srcdoc', { iframe: { srcdoc: 'x' } }, { iframe: { srcdoc: trusted('x') } }],
  ['handlers', { p: { onClick: 'x' } }, { p: { onClick: trusted('x') } }],
  ['handlers without a value', { p: { onclick: true } }, { p: { onclick: false } }],
  ['scripts of others', { script: { src: '//attacker.invalid/x.js' } }, { script: { src: '/x.js' } }],
  ['scripts of programs of this site', { script: { src: '/x?callback=y' } }, { script: { src: '/x.mjs' } }],
  ['scripts in SVG', { script: { 'xlink:href': `${elsewhere}x.js` } }, { script: { href: '/x.js' } }],
  ['the text of a script', { SCRIPT: { text: 'x' } }, { SCRIPT: { text: trusted('x') } }],
  ['the text of a style', { style: { children: ['x'] } }, { style: { children: [trusted('x')] } }],
  ['base', { base: { href: elsewhere } }, { base: { href: '/' } }],
  ['charset', { meta: { charset: 'utf-7' } }, { meta: { charset: 'utf-8' } }],
  [
    'meta refresh',
    { meta: { 'http-equiv': 'refresh', content: '0;url=/x' } },
    { meta: { 'http-equiv': 'refresh', content: '5' } },
  ],
  [
    'meta refresh, its name last and in capitals',
    { meta: { content: '0;url=/x', 'HTTP-EQUIV': 'refresh' } },
    { meta: { content: '0;url=/x', name: 'x' } },
  ],
  [
    'meta refresh, its name inherited',
    { meta: assigned('{ "content": "0;url=/x", "__proto__": { "http-equiv": "refresh" } }') },
    { meta: assigned('{ "content": "0;url=/x", "__proto__": { "name": "x" } }') },
  ],
  [
    'animation of addresses',
    { animate: { attributeName: 'xlink:href', to: 'x' } },
    { animate: { attributeName: 'x', to: 'x' } },
  ],
];

describe('left out, unless vouched for', () => {
  test.each(leftOut)('%s', async (_, hostile, harmless) => {
    expect(await codeOf(hostile)).toBe('left out');
    expect(await codeOf(harmless)).toBe('rendered');
  });
});

describe('refused, unless vouched for', () => {
  test.each(untrusted)('%s', async (_, hostile, harmless) => {
    expect(await codeOf(hostile)).toBe('E_UNTRUSTED');
    expect(await codeOf(harmless)).toBe('rendered');
  });

  // What embeds documents asks only for the host; hidden schemes are left to the rule for all addresses.
  test.each('src href xlink:href data code codebase archive classid'.split(' '))(
    'embedded documents whose scheme is hidden, in %s',
    async (name) => {
      expect(await codeOf({ object: { [name]: 'javascript&colon;x' } })).toBe('left out');
      expect(await codeOf({ object: { [name]: '/x&colon;x' } })).toBe('rendered');
    },
  );

  const soon = (value: unknown) => Promise.resolve(value);
  const long = 'data-'.padEnd(600, 'x');

  // Both begin their attribute at the same state of the memory: at the start of an output of its own, or after
  // markup that has grown too long to go on from.
  test.each<[string, harmless: unknown, hostile: unknown]>([
    ['waited for', { img: { src: soon(svg) } }, { embed: { src: soon(svg) } }],
    [
      'after long markup',
      { a: { [long]: true, href: elsewhere } },
      { use: { [long]: true, href: elsewhere } },
    ],
  ])('what was found harmless in another tag, %s', async (_, harmless, hostile) => {
    for (let i = 0; i < 4; i++) expect(await codeOf(harmless)).toBe('rendered');
    expect(await codeOf(hostile)).toBe('left out');
  });
});

describe('refused always', () => {
  const name = 'x onload=alert() y';

  test.each<[string, code: string, hostile: unknown]>([
    ['tag names that are markup', 'E_TAG_NAME', { 'img src=x': null }],
    ['attribute names that are markup', 'E_ATTRIBUTE_NAME', { p: { [name]: 'x' } }],
    ['the same without a value', 'E_ATTRIBUTE_NAME', { p: { [name]: true } }],
    ['the same with a number', 'E_ATTRIBUTE_NAME', { p: { [name]: 1 } }],
    ['the same with a value that is vouched for', 'E_ATTRIBUTE_NAME', { p: { [name]: trusted('x') } }],
    ['names of style properties that are several', 'E_ATTRIBUTE_NAME', { p: { style: { 'a:b;c': 'x' } } }],
    ['a name twice', 'E_ATTRIBUTE_TWICE', { label: { for: 'x', htmlFor: 'y' } }],
  ])('%s', async (_, code, hostile) => {
    expect(await codeOf(hostile)).toBe(code);
  });

  const within = (wrap: (inner: unknown) => unknown) => {
    let node: unknown = 'x';
    for (let i = 0; i < 300; i++) node = wrap(node);
    return node;
  };

  test.each<[string, unknown]>([
    ['elements', within((inner) => ({ b: { children: inner } }))],
    ['lists', within((inner) => [inner])],
    ['calls', within((inner) => () => inner)],
    ['lists in a script', { script: [within((inner) => [inner])] }],
  ])('%s that are nested too deep', async (_, node) => {
    expect(await codeOf(node)).toBe('E_DEPTH');
  });

  test('an object that only looks like the call of a fragment', () => {
    const forged = Object.create(FragmentCall.prototype) as FragmentCall;
    expect(FragmentCall.is(forged)).toBe(false);
    const resolveFragment = () => expect.unreachable();
    expect(() => render(forged, { resolveFragment })).toThrow(
      expect.objectContaining({ code: 'E_NODE_TYPE' }),
    );
  });
});

describe('escaped', () => {
  test.each([
    ['&', '&amp;'],
    ['<', '&lt;'],
    ['>', '&gt;'],
    ['"', '&quot;'],
    ["'", '&#39;'],
  ])('%s, alone and everywhere', (character, entity) => {
    expect(escapeHtml(character)).toBe(entity);
    for (let i = 0; i < 4; i++) {
      expect(render([character, { p: { title: character, className: character, text: character } }])).toBe(
        `${entity}<p title="${entity}" class="${entity}">${entity}</p>`,
      );
    }
    expect(render({ p: { title: trusted(character) } })).toBe(`<p title="${entity}"></p>`);
  });
});
