// A real browser for tests: the system's Chromium, driven by playwright-core, which brings none of its own.
import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM, needProgram } from './programs.ts';

/** Starts the browser; whoever asked for it closes it. Rejects with what to install where there is none. */
export async function startChromium(): Promise<Browser> {
  const executablePath = needProgram(CHROMIUM);
  // Without its sandbox it also runs as root and in containers; it opens our own pages only.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
