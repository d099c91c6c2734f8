import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recall, remember } from './remembered.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crs-remembered-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what was wanted most', () => {
  it('comes back in its order, and leaves no half-written file', async () => {
    const file = join(folder, 'below', 'warm.json');
    await remember(file, ['/', '/users/1', '/ü']);
    await remember(file, ['/users/1', '/']);
    expect(await recall(file)).toEqual(['/users/1', '/']);
    expect(readdirSync(join(folder, 'below'))).toEqual(['warm.json']);
  });

  it.each([['{"a":1}'], ['[1,null,{}]'], ['[cut'], ['']])(
    'is nothing where the file holds %s',
    async (content) => {
      const file = join(folder, 'warm.json');
      writeFileSync(file, content);
      expect(await recall(file)).toEqual([]);
    },
  );

  it('is nothing where there is no file', async () => {
    expect(await recall(join(folder, 'none'))).toEqual([]);
  });
});
