import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { BOOTS } from './boots.ts';
import { start } from './play.ts';

let build: Build;

beforeAll(() => {
  build = buildServer();
});

afterAll(() => build?.remove());

// Each has a scene of its own and mostly waits.
test.concurrent.each(BOOTS)('$name', { timeout: 90_000 }, async (boot) => {
  const { found, violations } = await start(boot, build.folder);
  process.stdout.write(`${boot.name}: ${JSON.stringify(found)}\n`);
  expect(violations).toEqual([]);
});
