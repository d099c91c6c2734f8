import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const globalSetup = ['./test/support/global-setup-programs.ts', './test/support/global-setup-postgres.ts'];

export default defineConfig({
  resolve: {
    // The sample imports the server by its public name; in tests that name is the source, not the build.
    alias: { 'coherent-render-server': fileURLToPath(new URL('./src/index.ts', import.meta.url)) },
  },
  test: {
    // Two cores: more files at once only make each other slow.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    exclude: ['**/node_modules/**', '**/dist/**', 'bench/peers/**'],
    projects: [
      // Beside the code, mostly without a server. CI runs them under the newest Node, too.
      {
        extends: true,
        test: {
          name: 'unit',
          globalSetup,
          include: ['{config,scripts,src,workers}/**/*.test.ts', '*.test.ts'],
        },
      },
      // Whole servers, the sample, browsers, attacks.
      { extends: true, test: { name: 'server', globalSetup, include: ['{app,test}/**/*.test.ts'] } },
    ],
  },
});
