// The package as npm would install it, in an empty folder, along the lines of the README: init, the page it shows, dev, build, start.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { testDatabase } from '../support/postgres.ts';
import { startIn } from '../support/project.ts';

/** As a fresh clone has none of them. */
const NOT_CLONED = new Set(['node_modules', 'dist', '.git', '.data', '.ci', 'coverage']);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'coherent-packed-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Our package out of its tarball; what it depends on from the repository, so that no registry is asked. */
function install(site: string): void {
  const clone = join(folder, 'clone');
  cpSync(resolve('.'), clone, { recursive: true, filter: (from) => !NOT_CLONED.has(basename(from)) });
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'));
  execFileSync('npm', ['pack', '--loglevel=error', '--pack-destination', folder], {
    cwd: clone,
    stdio: 'ignore',
  });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const modules = join(site, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  execFileSync('tar', ['xzf', join(folder, tarball), '-C', modules]);
  cpSync(join(modules, 'package'), join(modules, 'coherent-render-server'), { recursive: true });
  rmSync(join(modules, 'package'), { recursive: true });
  for (const name of readdirSync(resolve('node_modules')))
    if (!name.startsWith('.')) symlinkSync(resolve('node_modules', name), join(modules, name));
  symlinkSync('../coherent-render-server/dist/server.js', join(modules, '.bin/coherent-server'));
}

/** The page that the README shows. */
function pageOfReadme(): string {
  const text = readFileSync('README.md', 'utf8');
  return /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
}

test('packed and installed into an empty folder: init, dev, build, start', { timeout: 300_000 }, async () => {
  const site = join(folder, 'my-site');
  install(site);
  const program = join(site, 'node_modules/.bin/coherent-server');
  const database = await testDatabase();
  const browser = await startChromium();
  const env = { DATABASE_URL: database.url, PORT: '0', OPS_PORT: '0', WORKERS: '1', SHUTDOWN_DELAY_MS: '0' };
  const run = (words: readonly string[]) => startIn(site, program, words, env);
  try {
    const init = run(['init']);
    expect(await init.ended, init.output()).toBe(0);
    const before = readFileSync(join(site, 'pages/index.ts'), 'utf8');
    writeFileSync(join(site, 'pages/index.ts'), `${before}// mine\n`);
    writeFileSync(join(site, 'pages/users/[id].ts'), pageOfReadme());
    expect(await run(['init']).ended).toBe(0);
    expect(readFileSync(join(site, 'pages/index.ts'), 'utf8')).toBe(`${before}// mine\n`);

    await database.query(readFileSync(join(site, 'schema.sql'), 'utf8'));
    await database.query("INSERT INTO users (name, bio) VALUES ('Maren', 'Keeps bees.')");
    const dev = run(['dev']);
    const origin = await vi.waitUntil(() => /http:\/\/localhost:\d+/.exec(dev.output())?.[0], {
      timeout: 60_000,
    });
    const page = await browser.newPage();
    await page.goto(`${origin}/users/1`);
    expect(await page.textContent('article')).toBe('Maren');
    writeFileSync(
      join(site, 'pages/users/[id].ts'),
      pageOfReadme().replace("className: 'card'", "className: 'saved'"),
    );
    await page.waitForSelector('article.saved', { timeout: 20_000 });
    dev.child.kill('SIGINT');
    expect(await dev.ended, dev.output()).toBe(0);

    // With its types, which must need no skipLibCheck.
    const build = run(['build']);
    expect(await build.ended, build.output()).toBe(0);
    expect(existsSync(join(site, 'dist/coherent-build.json'))).toBe(true);

    for (const template of ['tsx', 'database']) {
      const other = join(folder, template);
      mkdirSync(other);
      symlinkSync(join(site, 'node_modules'), join(other, 'node_modules'));
      expect(await startIn(other, program, ['init', '--template', template], env).ended).toBe(0);
      const built = startIn(other, program, ['build'], env);
      expect(await built.ended, built.output()).toBe(0);
    }

    const start = run(['start']);
    const url = await vi.waitUntil(() => /"url":"([^"]+)"/.exec(start.output())?.[1], { timeout: 60_000 });
    const answer = await fetch(new URL('/users/1', url));
    expect(await answer.text()).toContain('<article class="saved"><h1>Maren</h1></article>');
    start.child.kill('SIGTERM');
    expect(await start.ended, start.output()).toBe(0);
  } finally {
    await browser.close();
    await database.close();
  }
});
