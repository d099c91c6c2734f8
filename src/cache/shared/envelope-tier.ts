import type { Clock } from '../../core/clock.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';
import type { Cached } from '../entry.ts';
import { NotOwnedError } from '../errors.ts';
import { usableUntilMs } from '../memory/cached-entry.ts';
import type { Codec } from './codec.ts';
import { type Flaw, open, seal } from './envelope.ts';
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
  /** All whose keys begin so; or more, where no keys of others lie there. */
  clear(beginning: string): Promise<void>;
  stats(): Readonly<Record<string, number | string>>;
  close(): Promise<void>;
}

export interface EnvelopeTierOptions<V extends Cached> {
  readonly name: 'l2' | 'l3';
  readonly clock: Clock;
  readonly codec: Codec<V>;
  readonly store: ByteStore;
  /** As of the caches. */
  readonly owner?: (() => string | undefined) | undefined;
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
  readonly #owner: (() => string | undefined) | undefined;
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
    this.#owner = options.owner;
    this.#maxEntryBytes = options.maxEntryBytes ?? 8 * 2 ** 20;
    this.#maxTtlMs = options.maxTtlMs ?? 7 * DAY_MS;
  }

  get usable(): boolean {
    return this.#store.usable && this.#ownersKeys() !== undefined;
  }

  async get(ofStack: CacheKey): Promise<V | undefined> {
    const key = this.#keyOf(ofStack);
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

  async set(ofStack: CacheKey, value: V): Promise<void> {
    const key = this.#keyOf(ofStack);
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

  async delete(key: CacheKey): Promise<void> {
    return this.#store.remove(this.#keyOf(key));
  }

  async clear(): Promise<void> {
    return this.#store.clear(this.#keyOf(''));
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

  /** How the keys of the one whose entries these are begin; undefined while it is not known. */
  #ownersKeys(): string | undefined {
    if (this.#owner === undefined) return '';
    const owner = this.#owner();
    return owner === undefined ? undefined : `${owner}:`;
  }

  /** Errors: `E_CACHE_NOT_OWNED`. */
  #keyOf(key: CacheKey): string {
    const beginning = this.#ownersKeys();
    if (beginning === undefined) throw new NotOwnedError();
    return beginning + key;
  }
}
