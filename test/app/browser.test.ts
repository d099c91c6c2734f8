// The sample as Chromium shows it: nothing runs, nothing sticks out, everything can be read.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type Commonplace, startCommonplace } from './commonplace.ts';

let app: Commonplace;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startCommonplace(), startChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const PATHS = [
  '/',
  '/posts?topic=kitchen',
  '/users?page=5',
  '/users/99',
  '/users/200',
  '/search?q=hubert',
  '/about',
  '/no',
];

test.each([
  [390, 'light'],
  [390, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('at %i pixels, %s', async (width, colorScheme) => {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const surprises: string[] = [];
  page.on('dialog', (dialog) => {
    surprises.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => surprises.push(error.message));
  page.on('console', (message) => {
    if (/content security/i.test(message.text())) surprises.push(message.text());
  });
  const odd = await app.rows.query<{ id: number }>(
    "select distinct p.id from posts p left join comments c on c.post_id = p.id where p.title like '%<%' or c.body like '<%' limit 6",
  );
  for (const path of [...PATHS, ...odd.map(({ id }) => `/posts/${id}`)]) {
    await page.goto(new URL(path, app.origin).href);
    expect(await overflow(page), path).toBeLessThanOrEqual(0);
    expect(await faintTexts(page), path).toEqual([]);
  }
  expect(surprises).toEqual([]);
  await context.close();
});

test('the first key press offers the way past the masthead', async () => {
  const page = await browser.newPage();
  await page.goto(app.origin);
  await page.keyboard.press('Tab');
  const top = await page.locator('.skip').evaluate((link) => link.getBoundingClientRect().top);
  expect(top).toBeGreaterThanOrEqual(0);
  await page.keyboard.press('Enter');
  expect(new URL(page.url()).hash).toBe('#content');
  await page.close();
});

test('one can search and page through people without script', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(app.origin);
  await page.getByRole('searchbox').fill('Maren Okafor');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: 'Maren Okafor' }).first().click();
  expect(new URL(page.url()).pathname).toBe('/users/17');
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('link', { name: 'Next' }).click();
  expect(await page.title()).toBe('People, page 2 · Commonplace');
  await context.close();
});

/** How many pixels the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/** Texts whose colour has less than 4.5 : 1 against what is painted behind them. */
function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const behind = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        const [, , , alpha = 1] = parts(colour);
        if (alpha === 1) return parts(colour);
      }
      return [255, 255, 255];
    };
    const faint = [];
    for (const element of document.body.querySelectorAll('*')) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
      if (!own || !element.checkVisibility()) continue;
      const a = luminance(parts(getComputedStyle(element).color));
      const b = luminance(behind(element));
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) faint.push(element.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
    }
    return faint;
  })()`);
}
