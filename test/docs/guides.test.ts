// The examples of the guides are programs: each block of TypeScript that names its file is compiled as such.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const GUIDES = [
  'apis',
  'feeds-and-sitemaps',
  'guards',
  'personal-pages',
  'sessions',
  'uploads-and-downloads',
  'webhooks',
];
const BLOCK = /```tsx?\n\/\/ (\S+)\n([\s\S]*?)```/g;

test.each(GUIDES)(
  'docs/guides/%s.md',
  async (guide) => {
    const text = await readFile(join(root, 'docs/guides', `${guide}.md`), 'utf8');
    const blocks = [...text.matchAll(BLOCK)];
    expect(blocks.length).toBeGreaterThan(0);
    // Below the repository, where node_modules is found.
    const folder = await mkdtemp(join(root, 'test', '.guide-'));
    try {
      for (const [, file = '', code = ''] of blocks) {
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), code);
      }
      const settings = {
        extends: '../../tsconfig.json',
        compilerOptions: {
          noEmit: true,
          rootDir: '../..',
          paths: { 'coherent-render-server': ['../../src/index.ts'] },
        },
        include: ['**/*.ts', '**/*.tsx'],
      };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
      const tsc = join(root, 'node_modules', '.bin', 'tsc');
      const { stdout } = await promisify(execFile)(tsc, ['-p', folder]).catch(
        (error: { stdout: string }) => error,
      );
      expect(stdout).toBe('');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
