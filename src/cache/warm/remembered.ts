// What was wanted most, kept from one run to the next, so that a new worker can warm it before it says ready.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** More is not read back: a damaged or foreign file must not become a flood of renders. */
const MOST = 10_000;

/** Writes the list whole or not at all. Rejects when the disk refuses; nothing depends on it. */
export async function remember(file: string, targets: readonly string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(targets.slice(0, MOST)), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Most wanted first; nothing where there is no list, or none that can be read. Never rejects. */
export async function recall(file: string): Promise<string[]> {
  try {
    const list: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!Array.isArray(list)) return [];
    return list.filter((target): target is string => typeof target === 'string').slice(0, MOST);
  } catch {
    return [];
  }
}
