// L3: one file an entry, shared by the workers of a host, surviving a restart.
//
//   folder/ab/<sha256 of the key>     12 bytes: the wall-clock moment of its end and its crc32; then the envelope
//   folder/tmp/<pid>-<n>-<random>     being written; renamed into place when whole
//   folder/sweep.lock                 held by the worker that evicts
//
// A reader sees a whole file or none: rename is atomic, also when its process is killed. Nothing is flushed to the
// platter on purpose: after a power cut a file may be short or empty, which the envelope's checksum finds out.
// A full or read-only disk turns the tier off; it looks again by itself.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';
import { DiskUnavailableError } from '../errors.ts';
import { Breaker } from '../shared/breaker.ts';
import type { ByteStore, StoredBytes } from '../shared/envelope-tier.ts';
import { codeOf, mkdir, readWhole, rename, unlink, writeWhole } from './disk-files.ts';
import { Sweeper } from './disk-sweep.ts';

export interface DiskStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** The files of all workers together stay below this. */
  readonly maxBytes: Bytes;
  /** How many workers write to the folder; each may add a share before it looks after the whole. */
  readonly writers: number;
  /** Names this process in the names of unfinished files. */
  readonly pid: number;
  readonly firstPauseMs?: Milliseconds;
}

const END_BYTES = 12;
/** A read makes a file young again, but not with every read. */
const TOUCH_AFTER_MS: Milliseconds = 10 * 60 * 1000;
/** Files occupy whole blocks. */
const BLOCK: Bytes = 4096;
const TEMPORARY = 'tmp';

export class DiskStore implements ByteStore {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #pid: number;
  readonly #breaker: Breaker;
  readonly #sweeper: Sweeper;
  #serial = 0;
  #errors = 0;
  #lastError = '';

  constructor(options: DiskStoreOptions) {
    const { folder, clock, log, random, maxBytes, writers, firstPauseMs = 1000 } = options;
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
    this.#pid = options.pid;
    this.#sweeper = new Sweeper({ folder, clock, log, maxBytes, writers });
    this.#breaker = new Breaker({
      clock,
      random,
      firstPauseMs,
      maxPauseMs: 60_000,
      probe: () => this.#probe(),
      onChange: (state) => {
        if (state === 'closed') log.info({ tier: 'l3', folder }, 'the disk takes cached pages again');
      },
    });
    try {
      mkdirSync(join(folder, TEMPORARY), { recursive: true, mode: 0o700 });
    } catch (error) {
      this.#failed(error);
    }
  }

  get usable(): boolean {
    return this.#breaker.state === 'closed';
  }

  async read(key: CacheKey): Promise<StoredBytes | undefined> {
    const nowMs = this.#clock.now();
    const file = await this.#watched(() => readWhole(this.#path(key), nowMs - TOUCH_AFTER_MS, nowMs));
    if (file === undefined) return undefined;
    const { bytes } = file;
    // A wreck is handed on as no bytes at all, so that it is counted and removed like any other.
    if (bytes.length < END_BYTES || bytes.readUInt32BE(8) !== crc32(bytes.subarray(0, 8))) {
      return { bytes: Buffer.alloc(0), remainingMs: Number.POSITIVE_INFINITY };
    }
    return { bytes: bytes.subarray(END_BYTES), remainingMs: bytes.readDoubleBE(0) - nowMs };
  }

  async write(key: CacheKey, bytes: Buffer, ttlMs: Milliseconds): Promise<void> {
    const end = Buffer.allocUnsafe(END_BYTES);
    end.writeDoubleBE(this.#clock.now() + ttlMs);
    end.writeUInt32BE(crc32(end.subarray(0, 8)), 8);
    await this.#watched(() => this.#place(this.#path(key), [end, bytes]));
    this.#sweeper.wrote(Math.ceil((bytes.length + END_BYTES) / BLOCK) * BLOCK);
  }

  async remove(key: CacheKey): Promise<void> {
    await this.#watched(() => unlink(this.#path(key)).catch(unlessGone));
  }

  clear(): Promise<void> {
    return this.#sweeper.empty();
  }

  /** Resolves when no sweep is under way. */
  swept(): Promise<void> {
    return this.#sweeper.idle();
  }

  stats() {
    return {
      disk: this.#breaker.state === 'closed' ? 'on' : 'off',
      diskOff: this.#breaker.opened,
      diskErrors: this.#errors,
      diskLastError: this.#lastError,
      ...this.#sweeper.stats(),
    };
  }

  async close(): Promise<void> {
    this.#breaker.close();
    await this.#sweeper.idle();
  }

  #path(key: CacheKey): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#folder, name.slice(0, 2), name);
  }

  async #place(path: string, parts: readonly Buffer[]): Promise<void> {
    const unfinished = join(this.#folder, TEMPORARY, this.#unique());
    try {
      await writeWhole(unfinished, parts);
      await rename(unfinished, path).catch(async (error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
        await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
        await rename(unfinished, path);
      });
    } catch (error) {
      await unlink(unfinished).catch(() => {});
      throw error;
    }
  }

  #unique(): string {
    return `${this.#pid}-${this.#serial++}-${this.#random().toString(36).slice(2, 10)}`;
  }

  /** Can a block be written? What a full disk refuses is data, not names. */
  async #probe(): Promise<void> {
    await mkdir(join(this.#folder, TEMPORARY), { recursive: true, mode: 0o700 });
    const file = join(this.#folder, TEMPORARY, this.#unique());
    try {
      await writeWhole(file, [Buffer.alloc(BLOCK, 1)]);
    } finally {
      await unlink(file).catch(() => {});
    }
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    if (!this.usable) throw new DiskUnavailableError(this.#folder, this.#lastError);
    try {
      return await work();
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    this.#errors++;
    this.#lastError = codeOf(error) ?? String(error);
    // Too many open files pass by themselves and are no fault of the disk.
    if (this.#lastError === 'EMFILE' || this.#lastError === 'ENFILE') return;
    if (this.usable) {
      const fields = { tier: 'l3', folder: this.#folder, code: this.#lastError };
      this.#log.error(fields, 'the disk refuses cached pages: that tier is off until it takes them again');
    }
    this.#breaker.failed();
  }
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
