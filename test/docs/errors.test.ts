import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const code = /'(E_[A-Z0-9_]+)'/g;

/** Every error code that the source throws with. Tests are not asked: they plant codes of their own. */
function codesInSource(): Set<string> {
  const found = new Set<string>();
  for (const folder of ['config', 'src', 'workers']) {
    for (const file of readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || /\.(test|contract|chaos)\.ts$/.test(file)) continue;
      for (const match of readFileSync(`${root}/${folder}/${file}`, 'utf8').matchAll(code))
        found.add(match[1] ?? '');
    }
  }
  return found;
}

/** Every code that has a heading of its own in docs/errors.md. */
function codesInDocs(): string[] {
  return [...readFileSync(`${root}/docs/errors.md`, 'utf8').matchAll(/^### (E_[A-Z0-9_]+)$/gm)].map(
    (match) => match[1] ?? '',
  );
}

describe('docs/errors.md', () => {
  it('explains every code that the source can throw', () => {
    const documented = new Set(codesInDocs());
    expect([...codesInSource()].filter((each) => !documented.has(each))).toEqual([]);
  });

  it('explains no code that is gone', () => {
    const thrown = codesInSource();
    expect(codesInDocs().filter((each) => !thrown.has(each))).toEqual([]);
  });

  it('lists each code once, in order', () => {
    const documented = codesInDocs();
    expect(documented).toEqual([...new Set(documented)].sort());
  });
});
