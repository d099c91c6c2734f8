// Keeps the files of L3 within their bytes. Each worker counts what it wrote; after its share of the reserve it looks
// after the whole folder, one worker at a time: whatever was not read longest goes, until four
// fifths are left. The reserve of one fifth is what all workers together may write between two sweeps. It walks over the
// files twice, first for how old they are and then for those that go, and never has all of them in hand: a folder of
// 250,000 files stops no request that is served meanwhile.
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
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
/** Files that are looked at together: a turn of the event loop for each would cost more than the look. */
const AT_ONCE = 16;
const MINUTE_MS: Milliseconds = 60_000;
/** Of a worker's time a sweep takes a fifth. */
const REST = 4;
const SHORTEST_REST_MS: Milliseconds = 2;
const LONGEST_REST_MS: Milliseconds = 500;
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
    await this.#walk(({ path }) => unlink(path).catch(() => {}));
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
    const ages = new AgesOfFiles();
    await this.#walk((file) => ages.add(file));
    this.#bytes = ages.bytes;
    this.#files = ages.files;
    const keepBytes = this.#options.maxBytes * KEPT_SHARE;
    const cutMinute = ages.minuteToCut(keepBytes);
    if (cutMinute === undefined) return;
    /** Of the minute in which it is decided, by the second. */
    const undecided = Array.from({ length: 60 }, (): StoredFile[] => []);
    await this.#walk(async (file) => {
      const minute = Math.floor(file.usedMs / MINUTE_MS);
      if (minute < cutMinute) await this.#remove(file);
      else if (minute === cutMinute) undecided[Math.floor((file.usedMs % MINUTE_MS) / 1000)]?.push(file);
    });
    for (const files of undecided) {
      files.sort((a, b) => a.usedMs - b.usedMs);
      for (const file of files) {
        if (this.#bytes <= keepBytes) return;
        await this.#remove(file);
      }
    }
  }

  async #remove({ path, bytes }: StoredFile): Promise<void> {
    await unlink(path).catch(() => {});
    this.#bytes -= bytes;
    this.#files--;
    this.#evicted++;
  }

  async #removeUnfinished(): Promise<void> {
    const folder = join(this.#options.folder, 'tmp');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (await this.#isAbandoned(path)) await unlink(path).catch(() => {});
    }
  }

  /**
   * Every file, a shard at a time: names and sizes only, so that a large folder fills neither the memory nor the pool of
   * threads. This process serves pages meanwhile: after each shard it rests for longer than that took.
   */
  async #walk(visit: (file: StoredFile) => Promise<void> | void): Promise<void> {
    const { clock } = this.#options;
    for (const shard of (await readdir(this.#options.folder)).filter((name) => IS_SHARD.test(name))) {
      const startedAt = clock.monotonic();
      const folder = join(this.#options.folder, shard);
      const names = await readdir(folder);
      for (let from = 0; from < names.length; from += AT_ONCE) {
        const files = names.slice(from, from + AT_ONCE).map((name) => storedFile(join(folder, name)));
        for (const file of await Promise.all(files)) if (file !== undefined) await visit(file);
      }
      await this.#rest(REST * (clock.monotonic() - startedAt));
    }
  }

  #rest(ms: Milliseconds): Promise<void> {
    if (ms < SHORTEST_REST_MS) return Promise.resolve();
    // By the machine's own timers: an injected clock may stand still.
    return new Promise((resolve) => {
      setTimeout(resolve, Math.min(ms, LONGEST_REST_MS)).unref();
    });
  }
}

async function storedFile(path: string): Promise<StoredFile | undefined> {
  const found = await statFile(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  return { path, bytes: Math.ceil(found.size / BLOCK) * BLOCK, usedMs: found.mtimeMs };
}

/** How many bytes were used last in which minute: small, and quickly put in order, however many files there are. */
class AgesOfFiles {
  readonly #bytesIn = new Map<number, Bytes>();
  bytes: Bytes = 0;
  files = 0;

  add({ bytes, usedMs }: StoredFile): void {
    const minute = Math.floor(usedMs / MINUTE_MS);
    this.#bytesIn.set(minute, (this.#bytesIn.get(minute) ?? 0) + bytes);
    this.bytes += bytes;
    this.files++;
  }

  /** All of the minutes before it have to go, and some of it; undefined where nothing has to. */
  minuteToCut(keepBytes: Bytes): number | undefined {
    let left = this.bytes;
    for (const [minute, bytes] of [...this.#bytesIn].sort(([a], [b]) => a - b)) {
      if (left <= keepBytes) return undefined;
      left -= bytes;
      if (left <= keepBytes) return minute;
    }
    return undefined;
  }
}
