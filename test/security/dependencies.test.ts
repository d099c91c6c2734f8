// What `npm audit` does not look at: that the lock file says exactly what is installed, and who may run code meanwhile.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';

const read = (file: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8'));

const locked = z.object({
  packages: z.record(
    z.string(),
    z.object({
      integrity: z.string().optional(),
      deprecated: z.string().optional(),
      dev: z.boolean().default(false),
      hasInstallScript: z.boolean().default(false),
    }),
  ),
});
const ours = z.object({
  dependencies: z.record(z.string(), z.string()),
  allowScripts: z.record(z.string(), z.boolean()),
});

const packages = Object.entries(locked.parse(read('package-lock.json')).packages)
  .filter(([place]) => place !== '')
  .map(([place, facts]) => ({
    name: place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length),
    ...facts,
  }));
const { dependencies, allowScripts } = ours.parse(read('package.json'));

test('what runs in production is locked by its content', () => {
  const runtime = packages.filter(({ dev }) => !dev);
  expect(runtime.length).toBeGreaterThan(Object.keys(dependencies).length);
  expect(runtime.filter(({ integrity }) => integrity?.startsWith('sha512-') !== true)).toEqual([]);
});

test('nothing that its authors have given up is installed', () => {
  expect(packages.filter(({ deprecated }) => deprecated !== undefined)).toEqual([]);
});

test('packages that run code when they are installed are named, one by one', () => {
  const running = new Set(
    packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name),
  );
  expect([...running].sort()).toEqual(Object.keys(allowScripts).sort());
});
