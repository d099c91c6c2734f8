// public/ while people edit it and deploys replace it: a hashed name is answered with the bytes of that hash, or not kept.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { page } from '../../src/index.ts';
import { KeptAssets } from '../../src/page/application/kept-assets.ts';
import { readPublicFiles } from '../../src/page/application/public-files.ts';
import { LogLines } from '../support/log-lines.ts';
import { type Site, startSite } from '../support/site.ts';

const IMMUTABLE = 'public, max-age=31536000, immutable';
const index = page({ view: () => 'x' });
const css = (color: string) => `p { color: ${color} }\n`.repeat(100);

let folder: string;
const open: Site[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coherent-public-'));
  mkdirSync(join(folder, 'public/css'), { recursive: true });
  put('css/style.css', css('red'));
  put('dot.png', 'small and no text');
});
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, 'public', name);
const put = (name: string, text: string) => writeFileSync(at(name), text);
let nowMs = 1_000_000_000_000;
const keep = async () =>
  KeptAssets.open({
    folder: join(folder, 'assets'),
    files: await readPublicFiles(join(folder, 'public')),
    log: new LogLines(),
    nowMs,
  });

/** The server of what lies in public/ now. */
async function build({ keeps }: { keeps: boolean }) {
  const files = await readPublicFiles(join(folder, 'public'));
  const site = await startSite({ pages: { index }, files, ...(keeps && { assets: await keep() }) });
  open.push(site);
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(site.origin + path, { headers });
    return {
      status: response.status,
      cache: response.headers.get('cache-control'),
      text: await response.text(),
    };
  };
  return { ask, asset: (path: string) => files.asset(path) };
}

describe.each(['/css/style.css', '/dot.png'])('%s', (path) => {
  const name = path.slice(1);

  test('that was changed on disk is not kept under the name of what it was, until it is that again', async () => {
    put(name, css('red'));
    const { ask, asset } = await build({ keeps: false });
    const hashed = asset(path);
    expect(await ask(hashed)).toEqual({ status: 200, cache: IMMUTABLE, text: css('red') });
    put(name, css('blue'));
    expect(await ask(hashed)).toEqual({ status: 200, cache: 'no-cache', text: css('blue') });
    expect((await ask(path)).text).toBe(css('blue'));
    truncateSync(at(name), 1500);
    expect(await ask(hashed)).toMatchObject({ cache: 'no-cache', text: css('blue').slice(0, 1500) });
    put(name, css('red'));
    expect(await ask(hashed)).toEqual({ status: 200, cache: IMMUTABLE, text: css('red') });
  });

  test('of the last build is answered by the next, and of the next by workers of the last', async () => {
    const old = await build({ keeps: true });
    put(name, css('blue'));
    const young = await build({ keeps: true });
    for (const { ask } of [old, young]) {
      expect(await ask(old.asset(path))).toMatchObject({ status: 200, cache: IMMUTABLE });
      expect(await ask(young.asset(path))).toEqual({ status: 200, cache: IMMUTABLE, text: css('blue') });
    }
    expect((await young.ask(old.asset(path))).text).not.toBe(css('blue'));
    rmSync(at(name));
    expect((await young.ask(young.asset(path))).text).toBe(css('blue'));
    expect((await young.ask(path)).status).toBe(404);
  });

  test.each<[string, () => void]>([
    ['was taken away', () => {}],
    ['is a folder now', () => mkdirSync(at(name))],
    ['is a link now', () => symlinkSync('/etc/passwd', at(name))],
    ['is a pipe now', () => execFileSync('mkfifo', [at(name)])],
  ])('that %s is not found any more', async (_, replace) => {
    put(name, css('red'));
    const { ask, asset } = await build({ keeps: false });
    expect((await ask(path)).status).toBe(200);
    rmSync(at(name));
    replace();
    for (const address of [path, asset(path)]) {
      expect(await ask(address)).toMatchObject({ status: 404, cache: 'no-store' });
    }
  });
});

test('a hash that no build has had is not found, nor is the hash of another file', async () => {
  const { ask, asset } = await build({ keeps: true });
  const [, hash] = /\.([0-9a-f]{12})\./.exec(asset('/dot.png')) ?? [];
  expect((await ask('/css/style.000000000000.css')).status).toBe(404);
  expect((await ask(`/css/style.${hash}.css`)).status).toBe(404);
  expect((await ask(`/other.${hash}.png`)).status).toBe(404);
});

test('a copy that was damaged is not passed off as what it was', async () => {
  const { ask, asset } = await build({ keeps: true });
  for (const name of readdirSync(join(folder, 'assets'))) truncateSync(join(folder, 'assets', name), 5);
  expect(await ask(asset('/css/style.css'))).toMatchObject({ status: 200, cache: 'no-cache' });
});

test('what nothing has used for a month goes, and what the present build uses stays', async () => {
  await keep();
  put('dot.png', 'another');
  await keep();
  const kept = () => readdirSync(join(folder, 'assets')).length;
  expect(kept()).toBe(3);
  nowMs += 31 * 24 * 60 * 60 * 1000;
  await keep();
  expect(kept()).toBe(2);
});

test('a folder that cannot be written costs nothing but the files of other builds', async () => {
  writeFileSync(join(folder, 'assets'), 'a file');
  const { ask, asset } = await build({ keeps: true });
  expect(await ask(asset('/css/style.css'))).toMatchObject({ status: 200, cache: IMMUTABLE });
});

test('a file larger than two gigabytes is listed and streamed', async () => {
  put('video.mp4', '');
  truncateSync(at('video.mp4'), 2 ** 31 + 10);
  const { ask, asset } = await build({ keeps: true });
  const part = await ask(asset('/video.mp4'), { range: 'bytes=2147483650-' });
  expect(part).toMatchObject({ status: 206, cache: IMMUTABLE, text: '\0'.repeat(8) });
});

test.skipIf(process.getuid?.() === 0)('a file that cannot be read is told at the start', async () => {
  chmodSync(at('dot.png'), 0);
  await expect(readPublicFiles(join(folder, 'public'))).rejects.toThrow('public/dot.png cannot be read');
});

test('a file that was touched and not changed is kept on', async () => {
  const { ask, asset } = await build({ keeps: false });
  utimesSync(at('dot.png'), 1, 1);
  expect(await ask(asset('/dot.png'))).toMatchObject({ status: 200, cache: IMMUTABLE });
});
