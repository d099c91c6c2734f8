// A real browser for tests: the system's Chromium, driven by playwright-core, which brings none of its own.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Starts the browser; whoever asked for it closes it. Rejects with what to install where there is none. */
export async function startChromium(): Promise<Browser> {
  const executablePath = (await findChromium()) ?? (await installChromium());
  // Without its sandbox it also runs as root and in containers; it opens our own pages only.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

async function findChromium(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        await access(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

async function installChromium(): Promise<string> {
  if (process.getuid?.() === 0) {
    try {
      await run('apt-get', ['update', '-qq']);
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    } catch (cause) {
      throw new Error(`${missing} Installing it with apt-get failed.`, { cause });
    }
    const installed = await findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error(missing);
}

const missing =
  `This test opens pages in a real browser and found none of ${names.join(', ')} on the PATH. ` +
  "Install one: on Debian and Ubuntu 'apt-get install chromium'.";
