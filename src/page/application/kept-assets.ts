// What is in public/ now is the present build's. Pages that were sent before a deploy, and open tabs, ask for the hashed names
// of the last ones; and while a deploy goes on, old workers are asked for the files of the new. So each build leaves a copy
// of its files in DATA_DIR/assets, named by path and hash, which no deploy overwrites: a hashed name is answered
// from there, by every worker of the host. A build that starts touches what it uses; what nothing has used for 30 days, or lies
// beyond 256 MiB, oldest first, goes.
import { existsSync, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Logger } from '../../core/log.ts';
import type { Bytes, EpochMs, Milliseconds } from '../../core/units.ts';
import { type PublicFile, type PublicFiles, shortHash } from './public-files.ts';

/** Larger files are served from public/ alone, as long as they are what they were. */
const MAX_FILE_BYTES: Bytes = 16 * 1024 * 1024;
const MAX_ALL_BYTES: Bytes = 256 * 1024 * 1024;
const MAX_UNUSED_MS: Milliseconds = 30 * 24 * 60 * 60 * 1000;

const HASHED = /^\/(.+)\.([0-9a-f]{12})(\.[^./]+)?$/;

export interface KeptAssetsOptions {
  readonly folder: string;
  readonly files: PublicFiles;
  readonly log: Logger;
  readonly nowMs: EpochMs;
}

export class KeptAssets {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Copies what is not there yet. A folder that cannot be written is told: then old names are not answered, and nothing else is lost. */
  static async open({ folder, files, log, nowMs }: KeptAssetsOptions): Promise<KeptAssets> {
    const kept = new KeptAssets(folder);
    try {
      await mkdir(folder, { recursive: true });
      for (const [path, { hash, size }] of files.listed) {
        if (size <= MAX_FILE_BYTES)
          await kept.#keep(join(files.folder, path), nameOf(path, hash), hash, nowMs);
      }
      await kept.#sweep(nowMs);
    } catch (error) {
      log.warn(
        { err: error, folder },
        'public files cannot be kept for the next deploy: old pages will lack theirs',
      );
    }
    return kept;
  }

  /** A file of another build by its hashed address, decoded; undefined where none was kept. */
  find(address: string): PublicFile | undefined {
    const [, base, hash, extension = ''] = HASHED.exec(address) ?? [];
    if (base === undefined || hash === undefined) return undefined;
    const path = `${base}${extension}`;
    const stats = statSync(join(this.folder, nameOf(path, hash)), { throwIfNoEntry: false });
    return stats?.isFile() === true ? { path, hash, size: stats.size, immutable: true } : undefined;
  }

  /** The name below `folder` of a file's copy; undefined where there is none. */
  nameOf({ path, hash }: PublicFile): string | undefined {
    const name = nameOf(path, hash);
    return existsSync(join(this.folder, name)) ? name : undefined;
  }

  async #keep(source: string, name: string, hash: string, nowMs: EpochMs): Promise<void> {
    const target = join(this.folder, name);
    const now = new Date(nowMs);
    if (
      await utimes(target, now, now).then(
        () => true,
        () => false,
      )
    )
      return;
    const bytes = await readFile(source);
    // Changed since it was listed: it is another file by now.
    if (shortHash(bytes) !== hash) return;
    // Several workers may do this at once, and the machine may stop in the middle: a name is either whole or not there.
    const part = `${target}.${process.pid}.part`;
    const file = await open(part, 'w');
    try {
      await file.writeFile(bytes);
      await file.utimes(now, now);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, target);
  }

  async #sweep(nowMs: EpochMs): Promise<void> {
    const found: { readonly name: string; readonly size: Bytes; readonly usedMs: EpochMs }[] = [];
    for (const name of await readdir(this.folder)) {
      // Another worker may have taken it away.
      const stats = await stat(join(this.folder, name)).catch(() => undefined);
      if (stats?.isFile() === true) found.push({ name, size: stats.size, usedMs: stats.mtimeMs });
    }
    found.sort((a, b) => b.usedMs - a.usedMs);
    let bytes: Bytes = 0;
    for (const { name, size, usedMs } of found) {
      bytes += size;
      const isUsed = usedMs >= nowMs - 1000;
      if (isUsed || (bytes <= MAX_ALL_BYTES && nowMs - usedMs <= MAX_UNUSED_MS)) continue;
      await rm(join(this.folder, name), { force: true });
    }
  }
}

function nameOf(path: string, hash: string): string {
  return `${hash}-${shortHash(path)}${extname(path)}`;
}
