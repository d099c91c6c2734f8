import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [libraries = '', own = ''] = readFileSync(`${root}/docs/dependencies.md`, 'utf8').split(
  '## By our own code',
);

/** The second cell of every row. */
const named = (table: string): string[] =>
  [...table.matchAll(/^\|[^|]+\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );

describe('docs/dependencies.md', () => {
  it('has one row for every package that the server or its build imports', () => {
    const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    const installed = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
    expect(named(libraries).sort()).toEqual(installed.sort());
  });

  it('names files of ours that are there', () => {
    expect(named(own).length).toBeGreaterThan(5);
    expect(named(own).filter((file) => !existsSync(`${root}/${file}`))).toEqual([]);
  });
});
