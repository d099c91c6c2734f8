// No plain data, in any position, can make a script run: trees of hostile data are rendered, and what a
// parser of browsers' rules makes of the HTML has nothing in it that could.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type DefaultTreeAdapterMap, parse } from 'parse5';
import { describe, expect, test } from 'vitest';
import type { Node } from '../../src/render/element.ts';
import { RenderError } from '../../src/render/errors.ts';
import { render } from '../../src/render/render.ts';
import { compileViews } from '../support/compile-views.ts';
import { asHtml, asJsx } from '../support/ways-to-write.ts';
import { attributeNames, hostileNodes, hostileTexts, hostileUrls, tagNames } from './xss-payloads.ts';

type Parsed = DefaultTreeAdapterMap['element'] | DefaultTreeAdapterMap['document'];

const addresses = new Set(
  'href src action formaction data poster cite background manifest longdesc ping srcset codebase to from values by'.split(
    ' ',
  ),
);
const ownScript = /^(?:\/[\w.~@%+-]+)+\.m?js$/;

/** What in a parsed page could run a script. Knows nothing of the renderer's own rules. */
function scriptable(node: Parsed, found: string[] = []): string[] {
  if ('tagName' in node) {
    const { tagName } = node;
    const attribute = (name: string) => node.attrs.find((each) => each.name === name)?.value;
    if (tagName === 'script') {
      const source = node.attrs.filter(({ name }) => name === 'src' || name === 'href');
      const inside = node.childNodes.length > 0;
      if (inside || source.some(({ value }) => !ownScript.test(value))) found.push('script');
    }
    if (tagName === 'style' && node.childNodes.length > 0) found.push('style');
    if (tagName === 'base' && attribute('href') !== undefined && attribute('href') !== '/')
      found.push('base');
    if (
      tagName === 'meta' &&
      attribute('http-equiv') !== undefined &&
      /\D/.test(attribute('content') ?? '')
    ) {
      found.push('meta');
    }
    for (const { name, value } of node.attrs) {
      if (name.startsWith('on')) found.push(`${tagName} ${name}`);
      if (name === 'srcdoc') found.push(`${tagName} srcdoc`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop these
      const address = value.replace(/[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff]/g, '').toLowerCase();
      if (addresses.has(name) && /^(?:java|vb|live)script:|^data:(?!image\/png|image\/svg)/.test(address)) {
        if (!(name === 'values' || name === 'to' || name === 'from' || name === 'by'))
          found.push(`${tagName} ${name}`);
        else if (/href|src|on/i.test(attribute('attributename') ?? attribute('attributeName') ?? '')) {
          found.push(`${tagName} ${name}`);
        }
      }
      if (/^(?:iframe|frame|embed|object|applet)$/.test(tagName) && /^(?:src|data|code)$/.test(name)) {
        if (/^[a-z][a-z0-9+.-]*:|^[/\\]{2}/.test(address)) found.push(`${tagName} ${name}`);
      }
    }
  }
  if ('content' in node) scriptable((node as unknown as { content: Parsed }).content, found);
  for (const child of node.childNodes) if ('childNodes' in child) scriptable(child as Parsed, found);
  return found;
}

const harmless = new Set<string>();

function outcome(node: unknown): string | Promise<string> | RenderError {
  try {
    return render(node as Node);
  } catch (error) {
    if (!(error instanceof RenderError) || error.code === 'E_COMPONENT') throw error;
    return error;
  }
}

/** Either refused with a RenderError, or harmless. */
function expectHarmless(node: unknown): void {
  const html = outcome(node);
  // The renderer remembers what it met. That must not change what it says of it.
  // Half a million comparisons: `expect` alone, which notes each of them, would take most of the time.
  for (let i = 0; i < 3; i++) {
    const again = outcome(node);
    if (!isDeepStrictEqual(again, html)) expect(again).toEqual(html);
  }
  for (const write of [asJsx, asHtml]) {
    const other = outcome(write(node));
    const isSame = html instanceof RenderError ? other instanceof RenderError : other === html;
    if (!isSame) expect(other).toEqual(html);
  }
  if (html instanceof RenderError) return;
  if (typeof html !== 'string') expect.fail('plain data became a promise');
  if (harmless.has(html)) return;
  for (const scriptingEnabled of [true, false]) {
    const found = scriptable(parse(html, { scriptingEnabled }));
    if (found.length > 0) expect.fail(`${found.join(', ')} in ${html}`);
  }
  harmless.add(html);
}

const tag = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...tagNames) },
  fc.constantFrom(...hostileTexts),
  fc.string(),
);
const attribute = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...attributeNames) },
  fc.constantFrom(...attributeNames).map((name) => name.toUpperCase()),
  fc.constantFrom(...hostileTexts),
  fc.string(),
);
const text = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.constantFrom(...hostileUrls),
  fc.tuple(fc.constantFrom(...hostileTexts), fc.constantFrom(...hostileTexts)).map(([a, b]) => a + b),
  fc.string({ unit: 'binary' }),
);
const { tree } = fc.letrec<{ tree: unknown; props: unknown; value: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'tree' },
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.constantFrom(...hostileNodes),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.tuple(tag, tie('value')).map(([name, value]) => ({ [name]: value })),
    fc.dictionary(tag, tie('value'), { maxKeys: 3 }),
  ),
  value: fc.oneof({ maxDepth: 5, depthIdentifier: 'tree' }, text, tie('props'), tie('tree')),
  props: fc
    .tuple(
      fc.dictionary(attribute, fc.oneof({ weight: 4, arbitrary: text }, fc.jsonValue()), { maxKeys: 4 }),
      fc.record(
        { text: fc.oneof(text, fc.jsonValue()), html: text, children: tie('tree'), key: text },
        { requiredKeys: [] },
      ),
    )
    .map(([attributes, content]) => ({ ...attributes, ...content })),
}));

describe('plain data cannot make a script run', () => {
  test('in trees of hostile tags, names, values and objects', () => {
    fc.assert(fc.property(tree, expectHarmless), { numRuns: 4000 });
  });

  test('in any JSON value', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), expectHarmless), { numRuns: 1000 });
  });

  test.each(hostileNodes.map((node) => [JSON.stringify(node), node]))('as the node %s', (_, node) => {
    expectHarmless(node);
    expectHarmless({ div: { children: [node] } });
    expectHarmless({ section: { children: () => node } });
  });

  test.each(tagNames)('in every attribute of <%s>', (name) => {
    for (const key of attributeNames) {
      for (const value of [...hostileTexts, ...hostileUrls]) expectHarmless({ [name]: { [key]: value } });
    }
  });

  test.each(tagNames.filter((name) => /^[a-z][a-z0-9-]*$/.test(name)))(
    'in precompiled JSX of <%s>',
    (name) => {
      const keys = attributeNames.filter((key) => /^[a-zA-Z_][\w-]*(?::[\w-]+)?$/.test(key));
      const source = keys.map(
        (key, i) => `export const view${i} = (v) => <${name} ${key}={v}>{v}</${name}>;`,
      );
      const views = compileViews(source.join('\n'), { precompiled: true });
      for (const [i, key] of keys.entries()) {
        for (const value of [...hostileTexts, ...hostileUrls]) {
          const expected = outcome({ [name]: { [key]: value, children: value } });
          const given = outcome(views[`view${i}`]?.(value));
          if (expected instanceof RenderError) expect(given).toMatchObject({ code: expected.code });
          else if (given !== expected) expect(given).toBe(expected);
        }
      }
    },
  );

  test.each(tagNames)('as the content of <%s>', (name) => {
    for (const value of hostileTexts) {
      expectHarmless({ [name]: value });
      expectHarmless([{ [name]: { text: value } }, { p: value }]);
      expectHarmless({ [name]: { children: [value, { b: { title: value } }] } });
      expectHarmless({ [name]: { html: value } });
    }
  });
});

describe('the check itself', () => {
  test.each([
    '<script>x</script>',
    '<p onclick=x>',
    '<a href=" JavaScript:x">',
    '<iframe srcdoc=x>',
    '<template><img onerror=x></template>',
    '<svg><set attributeName=href to=javascript:x></svg>',
    '<base href=//x>',
    '<meta http-equiv=refresh content="0;url=x">',
  ])('finds %s', (html) => {
    expect(scriptable(parse(html))).not.toEqual([]);
  });
});
