import type { Clock } from '../core/clock.ts';
import type { Bytes, Milliseconds } from '../core/units.ts';
import type { Codec } from './codec.ts';
import type { Cached } from './entry.ts';
import { type Flaw, open, seal } from './envelope.ts';
import { usableUntilMs } from './held.ts';
import type { CacheKey } from './stack-contract.ts';
import type { Tier } from './tier.ts';

export interface StoredBytes {
  readonly bytes: Buffer;
  /** What is left of the time to live they were written with. */
  readonly remainingMs: Milliseconds;
}

/** Where a tier's bytes lie: Redis or the disk. Rejects when it fails. */
export interface ByteStore {
  readonly usable: boolean;
  read(key: CacheKey): Promise<StoredBytes | undefined>;
  write(key: CacheKey, bytes: Buffer, ttlMs: Milliseconds): Promise<void>;
  remove(key: CacheKey): Promise<void>;
  clear(): Promise<void>;
  stats(): Readonly<Record<string, number | string>>;
  close(): Promise<void>;
}

export interface EnvelopeTierOptions<V extends Cached> {
  readonly name: 'l2' | 'l3';
  readonly clock: Clock;
  readonly codec: Codec<V>;
  readonly store: ByteStore;
  /** A larger entry stays out. */
  readonly maxEntryBytes?: Bytes;
  /** An entry without end is dropped after this. */
  readonly maxTtlMs?: Milliseconds;
}

const DAY_MS: Milliseconds = 24 * 60 * 60 * 1000;

/** A tier of sealed envelopes. What cannot be opened is a miss, counted, and removed. */
export class EnvelopeTier<V extends Cached> implements Tier<V> {
  readonly name: 'l2' | 'l3';
  readonly #clock: Clock;
  readonly #codec: Codec<V>;
  readonly #store: ByteStore;
  readonly #maxEntryBytes: Bytes;
  readonly #maxTtlMs: Milliseconds;
  readonly #flaws: Record<Flaw, number> = {
    foreign: 0,
    version: 0,
    truncated: 0,
    checksum: 0,
    key: 0,
    malformed: 0,
    ageless: 0,
  };
  #tooLarge = 0;
  #bytesRead: Bytes = 0;
  #bytesWritten: Bytes = 0;

  constructor(options: EnvelopeTierOptions<V>) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#codec = options.codec;
    this.#store = options.store;
    this.#maxEntryBytes = options.maxEntryBytes ?? 8 * 2 ** 20;
    this.#maxTtlMs = options.maxTtlMs ?? 7 * DAY_MS;
  }

  get usable(): boolean {
    return this.#store.usable;
  }

  async get(key: CacheKey): Promise<V | undefined> {
    const stored = await this.#store.read(key);
    if (stored === undefined || stored.remainingMs <= 0) return undefined;
    this.#bytesRead += stored.bytes.length;
    const opened = open(this.#codec, key, stored.bytes, this.#clock.now(), stored.remainingMs);
    if ('value' in opened) return opened.value;
    this.#flaws[opened.flaw]++;
    // Not waited for, and if it fails the next reader finds the flaw again.
    this.#store.remove(key).catch(() => {});
    return undefined;
  }

  async set(key: CacheKey, value: V): Promise<void> {
    const nowMs = this.#clock.now();
    const ttlMs = Math.min(Math.ceil(usableUntilMs(value) - nowMs), this.#maxTtlMs);
    if (ttlMs <= 0) return;
    const bytes = seal(this.#codec, key, value, nowMs, ttlMs);
    if (bytes.length > this.#maxEntryBytes) {
      this.#tooLarge++;
      return;
    }
    this.#bytesWritten += bytes.length;
    await this.#store.write(key, bytes, ttlMs);
  }

  delete(key: CacheKey): Promise<void> {
    return this.#store.remove(key);
  }

  clear(): Promise<void> {
    return this.#store.clear();
  }

  stats(): Readonly<Record<string, number | string>> {
    const flaws = Object.fromEntries(
      Object.entries(this.#flaws).map(([flaw, count]) => [`flaw_${flaw}`, count]),
    );
    return {
      ...this.#store.stats(),
      ...flaws,
      tooLarge: this.#tooLarge,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
    };
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
