import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const globalSetup = ['./test/support/global-setup-programs.ts', './test/support/global-setup-postgres.ts'];
const underLoad = 'test/{coherence,drills}/**/*.test.ts';
const nowhere = ['**/node_modules/**', '**/dist/**', 'bench/peers/**'];
function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Most of the time a file waits for processes that start, end or time out; meanwhile others have the CPU. */
const apart = { maxWorkers: 3, sequence: { groupOrder: 1 } };

export default defineConfig({
  resolve: {
    // The sample imports the server by its public name; in tests that name is the source, not the build.
    alias: [
      { find: /^coherent-render-server$/, replacement: source('./src/index.ts') },
      { find: /^coherent-render-server\/(.*)$/, replacement: source('./src/$1.ts') },
    ],
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    exclude: nowhere,
    sequence: { sequencer: LongestFirst },
    // `npm run coverage`: of the tests beside the code. What runs in processes of its own (test/) is not counted.
    coverage: {
      provider: 'v8',
      include: ['{config,src,workers}/**/*.ts'],
      exclude: ['src/dashboard/browser/**'],
      reporter: ['text-summary', 'lcov'],
    },
    projects: [
      // Whole boxes under load that uses the CPU up, where no request may fail: one at a time, or one starves the other.
      {
        extends: true,
        test: { name: 'load', globalSetup, include: [underLoad], maxWorkers: 1, sequence: { groupOrder: 0 } },
      },
      // Beside the code, mostly without a server. CI runs them under the newest Node, too.
      {
        extends: true,
        test: {
          name: 'unit',
          globalSetup,
          include: ['{config,scripts,src,workers}/**/*.test.ts', '*.test.ts'],
          ...apart,
        },
      },
      // Whole servers, the sample, browsers, attacks.
      {
        extends: true,
        test: {
          name: 'server',
          globalSetup,
          include: ['{app,test}/**/*.test.ts'],
          exclude: [...nowhere, underLoad],
          ...apart,
        },
      },
    ],
  },
});
