// Accounts of the sample, with a browser that runs no scripts: sign up, write, be let in, sign out, and nothing is left behind.
import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type Commonplace, startCommonplace } from './commonplace.ts';

let app: Commonplace;
let browser: Browser;
/** For people: where it is set, each step is photographed there. */
const shots = process.env.SHOTS;

beforeAll(async () => {
  [app, browser] = await Promise.all([startCommonplace(), startChromium()]);
  if (shots !== undefined) mkdirSync(shots, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

test.each([
  [390, 'light'],
  [390, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)(
  'at %i pixels, %s',
  async (width, colorScheme) => {
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme,
      javaScriptEnabled: false,
    });
    const page = await context.newPage();
    const handle = `wren-${width}-${colorScheme}`;
    let shot = 0;
    const look = async (name: string) => {
      expect(await overflow(page), name).toBeLessThanOrEqual(0);
      if (shots === undefined) return;
      await page.screenshot({
        path: `${shots}/${width}-${colorScheme}-${++shot}-${name}.png`,
        fullPage: true,
      });
    };

    await page.goto(`${app.origin}/members`);
    expect(page.url()).toBe(`${app.origin}/sign-in`);
    await look('sign-in');
    await page.getByLabel('Handle').fill('ada');
    await page.getByLabel('Password').fill('not-the-password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.title()).toContain('Please check');
    await expect.poll(() => page.locator('*:focus').getAttribute('name')).toBe('handle');
    expect(await page.locator('.wrong').first().isVisible()).toBe(true);
    await look('refused');

    await page.getByRole('link', { name: 'Make an account' }).click();
    await page.getByLabel('Name').fill('Wren Atkins');
    await page.getByLabel('Handle').fill(handle);
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Make it' }).click();
    expect(await page.locator('*:focus').getAttribute('name')).toBe('password');
    expect(await page.getByLabel('Password').inputValue()).toBe('');
    await look('too-short');
    await page.getByLabel('Password').fill('a longer password');
    await page.getByRole('button', { name: 'Make it' }).click();
    expect(page.url()).toBe(`${app.origin}/my/posts`);
    expect(await page.getByRole('status').textContent()).toContain('Welcome, Wren Atkins');
    await look('welcome');
    await page.reload();
    expect(await page.getByRole('status').count()).toBe(0);

    await page.getByLabel('Title').fill('A first page');
    await page.getByLabel('Text').fill('It is not as hard as they say.');
    await page.getByRole('button', { name: 'Put it there' }).click();
    expect(await page.getByRole('status').textContent()).toContain('It is written');
    expect(await page.getByRole('link', { name: 'A first page' }).isVisible()).toBe(true);
    await look('written');

    await page.getByRole('link', { name: 'The members’ room' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('The members’ room');
    await look('members');
    await page.getByRole('link', { name: 'My posts' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(page.url()).toBe(`${app.origin}/sign-in`);
    expect(await page.getByRole('status').textContent()).toContain('You are signed out');
    await look('signed-out');

    // Back to where it was personal: the browser has nothing left of it, and asks.
    await page.goBack();
    await page.goBack();
    expect(await page.textContent('body')).not.toContain('Wren Atkins');
    await context.close();
  },
  120_000,
);

test('an account that is signed out everywhere is signed out here', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${app.origin}/sign-up`);
  await page.getByLabel('Name').fill('Finn');
  await page.getByLabel('Handle').fill('finn-here');
  await page.getByLabel('Password').fill('a longer password');
  await page.getByRole('button', { name: 'Make it' }).click();
  await app.rows.query("update accounts set sessions_since = now() + interval '1 second'");
  await page.goto(`${app.origin}/my/posts`);
  expect(page.url()).toBe(`${app.origin}/sign-in`);
  await context.close();
});
