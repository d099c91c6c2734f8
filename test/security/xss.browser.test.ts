// The same payloads in a real browser, which has its own idea of what a script is: nothing may fire, though
// everything that can be clicked, focused and pointed at is.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Node } from '../../src/render/element.ts';
import { render } from '../../src/render/render.ts';
import { json, trusted } from '../../src/render/trust.ts';
import { startChromium } from '../support/chromium.ts';
import { attributeNames, hostileNodes, hostileTexts, hostileUrls, tagNames } from './xss-payloads.ts';

const addressTags = 'a area img iframe object embed form button input video td link svg math use'.split(' ');
const addressNames = 'href src action formaction data poster xlink:href srcset style ping background'.split(
  ' ',
);
const address = 'http://page.invalid/';
let browser: Browser;
let page: Page;
/** What ran, or was asked for as a program. */
let fired: string[];
let body: string;

beforeAll(async () => {
  browser = await startChromium();
  const context = await browser.newContext();
  page = await context.newPage();
  await context.exposeFunction('told', (what: string) => fired.push(what));
  await context.addInitScript('window.fired = () => window.told("script ran"); window.alert = window.fired;');
  await context.route('**/*', async (route) => {
    const request = route.request();
    if (request.url() === address) return route.fulfill({ contentType: 'text/html; charset=utf-8', body });
    if (['script', 'document'].includes(request.resourceType()) && !request.url().startsWith(address)) {
      fired.push(`${request.resourceType()} ${request.url()}`);
    }
    return route.abort();
  });
});

afterAll(async () => {
  await browser?.close();
});

beforeEach(() => {
  fired = [];
});

/** In the page: whatever a visitor could set off, and then time for what was queued to run. */
const touchEverything = `(async () => {
  const everything = [...document.querySelectorAll('*')];
  for (const element of everything) {
    for (const type of ['mouseover', 'mousemove', 'pointerenter', 'focus', 'animationstart', 'toggle', 'submit', 'load', 'error', 'begin']) {
      element.dispatchEvent(new Event(type, { bubbles: false, cancelable: true }));
    }
    element.focus?.();
  }
  for (const element of everything) {
    if (element instanceof HTMLElement || element instanceof SVGElement || element instanceof MathMLElement) {
      element.setAttribute('target', '_self');
      if (/^(javascript|data|vbscript):/i.test(element.href?.baseVal ?? element.href ?? '')) {
        element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
      }
      if (/^(javascript|data|vbscript):/i.test(element.formAction ?? element.action ?? '')) {
        element.click?.();
        element.requestSubmit?.();
      }
    }
  }
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
})()`;

async function open(html: string): Promise<string[]> {
  body = `<!doctype html><meta charset="utf-8"><body>${html}`;
  await page.goto(address, { waitUntil: 'load' });
  // A navigation in the midst of it would be a program at work too.
  await page.evaluate(touchEverything).catch((error: unknown) => fired.push(String(error)));
  return fired;
}

/** The HTML of those nodes that are not refused. */
function accepted(nodes: readonly unknown[]): string[] {
  return nodes.flatMap((node) => {
    try {
      return [String(render(node as Node))];
    } catch {
      return [];
    }
  });
}

/** Elements that take all that follows for their own would hide it, so they get pages of their own. */
const swallowing =
  /^<(?:plaintext|xmp|noscript|script|style|title|textarea|template|frameset|select|iframe)/i;

async function openAll(html: readonly string[]): Promise<string[]> {
  await open(html.filter((each) => !swallowing.test(each)).join(''));
  for (const each of html.filter((each) => swallowing.test(each))) {
    if (fired.length === 0) await open(each);
  }
  return fired;
}

describe('nothing fires', () => {
  test('in text', async () => {
    expect(
      await open(accepted([hostileTexts, hostileUrls, hostileTexts.map((p) => ({ p }))]).join('')),
    ).toEqual([]);
  });

  test('in a document', async () => {
    for (const text of ['</title><script>fired()</script>', '--><img src=x onerror=fired()>']) {
      const head = {
        head: { children: [{ title: text }, { meta: { name: 'description', content: text } }] },
      };
      expect(await open(String(render({ html: { lang: text, children: [head, { body: text }] } })))).toEqual(
        [],
      );
    }
  });

  test('in any attribute, as text that would leave its quotes', async () => {
    const nodes = attributeNames.flatMap((name) => hostileTexts.map((text) => ({ p: { [name]: text } })));
    expect(await open(accepted(nodes).join(''))).toEqual([]);
  });

  test.each(addressTags)('in the attributes of <%s>, as an address', async (tag) => {
    const nodes = addressNames.flatMap((name) =>
      hostileUrls.map((url) => ({ [tag]: { [name]: url, text: 'x' } })),
    );
    expect(await open([...new Set(accepted(nodes))].join(''))).toEqual([]);
  });

  test('in the content of any element', async () => {
    const nodes = tagNames.flatMap((tag) =>
      hostileTexts.map((text) => ({ [tag]: { text, children: [text] } })),
    );
    expect(
      await open(accepted(nodes.filter((node) => !swallowing.test(`<${Object.keys(node)[0]}`))).join('')),
    ).toEqual([]);
  });

  test.each(['xmp', 'noscript', 'title', 'textarea', 'template', 'select', 'plaintext', 'iframe'])(
    'in the content of <%s>',
    async (tag) => {
      expect(await open(accepted(hostileTexts.map((text) => ({ [tag]: text }))).join(''))).toEqual([]);
    },
  );

  test('from objects in the place of children', async () => {
    expect(await openAll(accepted(hostileNodes))).toEqual([]);
  });

  test('in data that is given to scripts', async () => {
    const data = { texts: hostileTexts, urls: hostileUrls };
    const island = { script: { type: 'application/json', id: 'data', html: json(data) } };
    const inline = { script: trusted(`window.given = ${json(data)};`) };
    expect(await open(String(render([island, inline])))).toEqual([]);
    // Lone halves of surrogate pairs do not survive UTF-8, here as anywhere.
    const sent = JSON.parse(Buffer.from(JSON.stringify(data)).toString());
    expect(await page.evaluate('JSON.parse(document.getElementById("data").textContent)')).toEqual(sent);
    expect(await page.evaluate('window.given')).toEqual(sent);
  });
});

describe('the detector fires', () => {
  test.each([
    ['a script', { script: trusted('fired()') }],
    ['an error handler', { img: { src: 'x', onerror: trusted('fired()') } }],
    ['a link that is clicked', { a: { href: trusted('javascript:fired()'), text: 'x' } }],
    ['a form that is sent', { form: { action: trusted('javascript:fired()'), children: { button: 'x' } } }],
    ['a document in an attribute', { iframe: { srcdoc: trusted('<script>parent.fired()</script>') } }],
    ['a frame with a program for address', { iframe: { src: trusted('javascript:parent.fired()') } }],
    ['a focus handler', { input: { onfocus: trusted('fired()') } }],
    ['an SVG load handler', { svg: { onload: trusted('fired()') } }],
    ['a script from elsewhere', { script: { src: trusted('https://attacker.invalid/x.js') } }],
    ['raw HTML', { div: { html: trusted('<img src=x onerror=fired()>') } }],
  ] satisfies [string, Node][])('on %s', async (_, node) => {
    await open(String(render(node)));
    expect(fired).not.toEqual([]);
  });
});
