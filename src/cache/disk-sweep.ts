// Keeps the files of L3 within their bytes. Each worker counts what it wrote; after its share of the reserve it looks
// after the whole folder, one worker at a time: whatever was not read longest goes, until four
// fifths are left. The reserve of one fifth is what all workers together may write between two sweeps.
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Bytes, Milliseconds } from '../core/units.ts';
import { closeFile, codeOf, openFile, readdir, statFile, unlink } from './disk-files.ts';

export interface SweeperOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxBytes: Bytes;
  readonly writers: number;
}

interface StoredFile {
  readonly path: string;
  readonly bytes: Bytes;
  readonly usedMs: number;
}

const BLOCK: Bytes = 4096;
const KEPT_SHARE = 0.8;
/** A lock or an unfinished file of this age was left by a process that died. */
const ABANDONED_MS: Milliseconds = 60_000;
const IS_SHARD = /^[0-9a-f]{2}$/;

export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #sweepAfterBytes: Bytes;
  #sinceSweep: Bytes;
  #running: Promise<void> | undefined;
  #sweeps = 0;
  #evicted = 0;
  #bytes: Bytes = 0;
  #files = 0;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#sweepAfterBytes = ((1 - KEPT_SHARE) * options.maxBytes) / options.writers;
    // What an earlier run left is unknown: look after the first write.
    this.#sinceSweep = this.#sweepAfterBytes;
  }

  wrote(bytes: Bytes): void {
    this.#sinceSweep += bytes;
    if (this.#sinceSweep >= this.#sweepAfterBytes) this.#running ??= this.#sweep();
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async empty(): Promise<void> {
    await this.idle();
    for (const { path } of await this.#list()) await unlink(path).catch(() => {});
  }

  stats() {
    return { sweeps: this.#sweeps, evicted: this.#evicted, files: this.#files, bytes: this.#bytes };
  }

  async #sweep(): Promise<void> {
    const lock = join(this.#options.folder, 'sweep.lock');
    try {
      if (!(await this.#take(lock))) return;
      try {
        this.#sinceSweep = 0;
        await this.#evict();
        this.#sweeps++;
      } finally {
        await unlink(lock).catch(() => {});
      }
    } catch (error) {
      this.#options.log.warn({ tier: 'l3', err: error }, 'the folder of cached pages could not be swept');
    } finally {
      this.#running = undefined;
    }
  }

  async #take(lock: string): Promise<boolean> {
    try {
      await closeFile(await openFile(lock, 'wx', 0o600));
      return true;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      if (!(await this.#isAbandoned(lock)) && !(await this.#isOfTheFuture(lock))) return false;
      await unlink(lock).catch(() => {});
      return this.#take(lock);
    }
  }

  async #isAbandoned(path: string): Promise<boolean> {
    const found = await statFile(path).catch(() => undefined);
    return found !== undefined && this.#options.clock.now() - found.mtimeMs > ABANDONED_MS;
  }

  /** The clock was set back: by it the lock would be young for as long as that was. */
  async #isOfTheFuture(path: string): Promise<boolean> {
    const found = await statFile(path).catch(() => undefined);
    return found !== undefined && found.mtimeMs - this.#options.clock.now() > ABANDONED_MS;
  }

  async #evict(): Promise<void> {
    await this.#removeUnfinished();
    const files = await this.#list();
    files.sort((a, b) => a.usedMs - b.usedMs);
    const keepBytes = this.#options.maxBytes * KEPT_SHARE;
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let left = files.length;
    for (const file of files) {
      if (bytes <= keepBytes) break;
      await unlink(file.path).catch(() => {});
      bytes -= file.bytes;
      left--;
      this.#evicted++;
    }
    this.#bytes = bytes;
    this.#files = left;
  }

  async #removeUnfinished(): Promise<void> {
    const folder = join(this.#options.folder, 'tmp');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (await this.#isAbandoned(path)) await unlink(path).catch(() => {});
    }
  }

  /** Reads names and sizes only, a shard at a time, so that a large folder does not fill the memory or the pool. */
  async #list(): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for (const shard of (await readdir(this.#options.folder)).filter((name) => IS_SHARD.test(name))) {
      const folder = join(this.#options.folder, shard);
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        const found = await statFile(path).catch(() => undefined);
        if (found?.isFile() !== true) continue;
        files.push({ path, bytes: Math.ceil(found.size / BLOCK) * BLOCK, usedMs: found.mtimeMs });
      }
    }
    return files;
  }
}
