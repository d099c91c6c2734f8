// The dashboard of a real server in a real browser: what it shows is what happens, its buttons do what they say, and
// whatever strangers ask for stays text.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { hostileTexts } from '../security/xss-payloads.ts';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { startChromium } from '../support/chromium.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const WEATHER_PAGE = `
import { page } from 'coherent-render-server';
let renders = 0;
export default page({
  cache: { ttlMs: 600_000 },
  load: ({ dependsOn }) => { dependsOn('weather:berlin'); return { renders: ++renders }; },
  view: ({ renders }) => ({ p: 'render ' + renders }),
});`;
const BROKEN_PAGE = `
import { page } from 'coherent-render-server';
export default page({ load: () => { throw new Error('broken'); }, view: () => null });`;

const token = 'a-token-for-the-dashboard';
const patient = { timeout: 20_000, interval: 50 };

// A browser and a server at once, on whatever machine there is.
vi.setConfig({ testTimeout: 90_000 });

let database: TestDatabase;
let build: Build;
let app: string;
let browser: Browser;
let server: RunningServer | undefined;
let operations: string;
/** What the page must not do. */
let surprises: string[] = [];

beforeAll(async () => {
  build = buildServer();
  execFileSync(process.execPath, [
    resolve('scripts/build-dashboard.mjs'),
    join(build.folder, 'package/dist'),
  ]);
  app = join(build.folder, 'site');
  mkdirSync(join(app, 'pages'), { recursive: true });
  mkdirSync(join(app, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(app, 'node_modules/coherent-render-server'));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  writeFileSync(join(app, 'pages/weather.js'), WEATHER_PAGE);
  writeFileSync(join(app, 'pages/broken.js'), BROKEN_PAGE);
  browser = await startChromium();
  database = await testDatabase();
}, 120_000);
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await database?.close();
  build?.remove();
});

/** In the place of the one before. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  await server?.stop();
  server = await startBuilt(build, {
    NODE_ENV: 'production',
    APP: app,
    DATABASE_URL: database.url,
    FEED: 'off',
    L3: 'off',
    ...env,
  });
  const line =
    server
      .output()
      .split('\n')
      .find((each) => each.includes('"serving"')) ?? '';
  operations = /"operations":"([^"]+)"/.exec(line)?.[1]?.replace('localhost', '127.0.0.1') ?? '';
}

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  surprises = [];
  const context = await browser.newContext(options);
  await context.addInitScript('window.alert = () => console.error("content security: a script ran")');
  const page = await context.newPage();
  page.on('pageerror', (error) => surprises.push(error.message));
  page.on('dialog', (dialog) => {
    surprises.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (/content.security|trusted|refused/i.test(message.text())) surprises.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(operations)) surprises.push(`asked for ${request.url()}`);
  });
  await page.goto(`${operations}/dashboard`);
  return page;
}

async function get(path: string): Promise<string> {
  return (await fetch(`${server?.url}${path}`)).text();
}

const figure = (page: Page, id: string) => page.locator(`#tile-${id} .figure`).textContent();

describe('the dashboard', () => {
  beforeAll(() => start(), 60_000);

  test('shows the workers, and requests as they come, with figures of what happens', async () => {
    const page = await open();
    await expect.poll(() => page.locator('#link').getAttribute('data-state'), patient).toBe('live');
    expect(await page.locator('#phase').textContent()).toBe('running');
    await expect.poll(() => page.locator('#workers tbody tr').count(), patient).toBe(1);
    expect(await page.locator('#workers tbody tr').first().textContent()).toMatch(/serving.*MiB/);

    for (let n = 0; n < 20; n++) await get('/weather');
    await get('/broken');
    await expect.poll(() => page.locator('#tail').textContent(), patient).toMatch(/500\s*error\s*\/broken/);
    expect(await page.locator('#tail li').filter({ hasText: 'hit l1' }).count()).toBeGreaterThan(0);
    await expect.poll(() => figure(page, 'rps'), patient).toMatch(/^[\d.]+\/s$/);
    await expect.poll(() => page.locator('#pages').textContent(), patient).toContain('/weather');
    await expect.poll(() => page.locator('#chart-requests canvas').count(), patient).toBe(1);
    expect(await page.locator('#tiers').textContent()).toContain('L1 memory');
    expect(surprises).toEqual([]);
  });

  test('the purge button purges: the next visitor gets a new page', async () => {
    const page = await open();
    const before = await get('/weather');
    expect(await get('/weather')).toBe(before);
    await page.getByLabel('Keys, separated').fill('weather:berlin');
    await page.getByRole('button', { name: 'Purge', exact: true }).click();
    await expect
      .poll(() => page.locator('#purge .content').textContent(), patient)
      .toContain('Purged 1 key, applied by 1 worker.');
    expect(await get('/weather')).not.toBe(before);
    expect(surprises).toEqual([]);
  });

  test('the explain box tells what a page was made from, and what a key stands for', async () => {
    await get('/weather');
    const page = await open();
    await page.locator('#explain-what').fill('/weather');
    await page.getByRole('button', { name: 'Explain' }).click();
    const told = page.locator('#explain .content');
    await expect.poll(() => told.textContent(), patient).toMatch(/\/weather.*l1 valid.*weather:berlin/);
    await page.locator('#explain-what').fill('weather:berlin');
    await page.keyboard.press('Enter');
    await expect.poll(() => told.textContent(), patient).toMatch(/Pages.*weather/);
    await page.locator('#explain-what').fill('/nowhere/at/all');
    await page.keyboard.press('Enter');
    await expect.poll(() => told.textContent(), patient).toContain('no page answers');
  });

  test('a worker can be drained: another one takes its place, and visitors notice nothing', async () => {
    const page = await open();
    const row = page.locator('#workers tbody tr').first();
    await expect.poll(() => row.textContent(), patient).toMatch(/pid \d+/);
    const before = /pid (\d+)/.exec((await row.textContent()) ?? '')?.[1];
    await row.getByRole('button', { name: 'Drain and replace worker 0' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await row.getByRole('button').click();
    await page.locator('dialog').getByRole('button', { name: 'Drain' }).click();
    await expect.poll(() => page.locator('#said').textContent(), patient).toBe('Worker #0 is a new one.');
    await expect
      .poll(async () => /pid (\d+)/.exec((await row.textContent()) ?? '')?.[1], patient)
      .not.toBe(before);
    expect(await get('/weather')).toContain('render 1');
  });

  test('what strangers ask for stays text', async () => {
    const page = await open();
    await expect.poll(() => page.locator('#link').getAttribute('data-state'), patient).toBe('live');
    await expect.poll(() => page.locator('#tail-note').textContent(), patient).toContain('All of them');
    for (const text of ['<img src=x onerror=alert(1)>', ...hostileTexts]) {
      await get(`/search?q=${encodeURIComponent(Buffer.from(text).toString())}`).catch(() => {});
    }
    // As no browser would write it, but anybody can. Again and again: of many at once only a sample is shown.
    const tail = page.locator('#tail ol');
    const hostile = '<script>alert(1)</script><img/src=x/onerror=alert(1)>';
    const shown = async () => {
      await raw(new URL(server?.url ?? '').port, `/x?${hostile}`);
      return tail.textContent();
    };
    await expect.poll(shown, { timeout: 20_000, interval: 500 }).toContain(hostile);
    await page.locator('#explain-what').fill('<img src=x onerror=alert(1)>');
    await page.getByRole('button', { name: 'Explain' }).click();
    await expect.poll(() => page.locator('#explain .content').textContent(), patient).toContain('<img src=x');
    expect(await page.locator('main :is(img, script, iframe, [onerror])').count()).toBe(0);
    expect(surprises).toEqual([]);
  });

  test.each([
    [360, 'light'],
    [360, 'dark'],
    [1280, 'light'],
  ] as const)('fits %i pixels, %s', async (width, colorScheme) => {
    const page = await open({ viewport: { width, height: 800 }, colorScheme });
    for (let n = 0; n < 5; n++) await get('/weather');
    await get(`/${'long-'.repeat(200)}`);
    await expect.poll(() => page.locator('#tail li').count(), patient).toBeGreaterThan(0);
    await expect.poll(() => page.locator('#pages tbody tr').count(), patient).toBeGreaterThan(0);
    const overflow = 'document.documentElement.scrollWidth - innerWidth';
    expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
  });

  test('says so when the server is gone, and goes on when it is back', async () => {
    const { port } = new URL(operations);
    const page = await open();
    await expect.poll(() => page.locator('#link').getAttribute('data-state'), patient).toBe('live');
    await server?.stop();
    await expect
      .poll(() => page.locator('#lost').textContent(), patient)
      .toContain('No connection to the server');
    await start({ OPS_PORT: port });
    await expect.poll(() => page.locator('#link').getAttribute('data-state'), patient).toBe('live');
    expect(await page.locator('#lost').isHidden()).toBe(true);
  });
});

test('with a token the dashboard is behind a form, and a session that has ended leads back to it', async () => {
  await start({ OPS_TOKEN: token });
  const page = await open();
  await page.getByLabel('Operations token').fill('not-the-token-of-it');
  await page.getByRole('button', { name: 'Log in' }).click();
  expect(await page.getByRole('alert').textContent()).toContain('not the token');
  await page.getByLabel('Operations token').fill(token);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('#link').getAttribute('data-state'), patient).toBe('live');

  await page.getByLabel('Keys, separated').fill('weather:berlin');
  await page.getByRole('button', { name: 'Purge', exact: true }).click();
  await expect.poll(() => page.locator('#purge .content').textContent(), patient).toContain('Purged 1 key');

  expect(await page.evaluate('document.cookie')).toBe('');
  const [cookie] = await page.context().cookies(`${operations}/dashboard`);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/dashboard' });

  await page.getByRole('button', { name: 'Log out' }).click();
  await expect.poll(() => page.getByLabel('Operations token').count(), patient).toBe(1);
  expect(surprises).toEqual([]);
});

test('a page of another site can neither read the figures nor purge, not even from this machine', async () => {
  await start();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server?.url}/weather`);
  const before = await get('/weather');
  const outcome = await page.evaluate(async (address) => {
    const tried = async (path: string, init: RequestInit) => {
      try {
        return (await fetch(`${address}${path}`, init)).status;
      } catch {
        return 'blocked';
      }
    };
    const body = JSON.stringify({ keys: ['weather:berlin'] });
    return [
      await tried('/dashboard/do/purge', { method: 'POST', body, mode: 'no-cors' }),
      await tried('/dashboard/do/purge', { method: 'POST', body, headers: { 'x-coherent-action': '1' } }),
      await tried('/purge', { method: 'POST', body, mode: 'no-cors' }),
      await tried('/dashboard/events', {}),
      await tried('/frame', {}),
    ];
  }, operations);
  // 0: sent, and what came back cannot be seen. Whether it did anything is seen below.
  expect(outcome.filter((status) => status !== 0 && status !== 'blocked')).toEqual([]);
  expect(await get('/weather')).toBe(before);
});

/** Resolves when the server has answered. */
async function raw(port: string, target: string): Promise<void> {
  const { connect } = await import('node:net');
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  for await (const _ of socket);
}
