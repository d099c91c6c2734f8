// L2: Redis, shared by all hosts. One round trip a read; a Redis that hangs costs one request the command timeout, then
// the breaker keeps requests away from it until a probe of its own is answered.
import { ownBytes } from '../../core/own-bytes.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';
import type { ByteStore, StoredBytes } from '../shared/envelope-tier.ts';
import type { RedisCapacity } from './redis-capacity.ts';
import type { RedisCommands } from './redis-commands.ts';

export interface RedisStoreOptions {
  readonly commands: RedisCommands;
  /** Before every key of ours. What does not begin with it is never touched. */
  readonly prefix: string;
  readonly room: RedisCapacity;
}

const SCAN_COUNT = 500;

export class RedisStore implements ByteStore {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #room: RedisCapacity;

  constructor({ commands, prefix, room }: RedisStoreOptions) {
    this.#commands = commands;
    this.#room = room;
    this.#prefix = prefix;
  }

  get usable(): boolean {
    return this.#commands.usable;
  }

  async read(key: CacheKey): Promise<StoredBytes | undefined> {
    const name = this.#prefix + key;
    // In one trip. Not a transaction, for a full Redis refuses to queue one; and in this order: where a write comes
    // between, its bytes are taken for older than they are, never for younger.
    const replies = await this.#commands.run(async (client) => {
      const replies = await client.pipeline().pttl(name).getBuffer(name).exec();
      for (const [error] of replies ?? []) if (error !== null) throw error;
      return replies;
    });
    const remainingMs = replies?.[0]?.[1];
    const bytes = replies?.[1]?.[1];
    if (!Buffer.isBuffer(bytes) || typeof remainingMs !== 'number') return undefined;
    // The client gives a view of all that the socket read with it.
    return { bytes: ownBytes(bytes), remainingMs };
  }

  async write(key: CacheKey, bytes: Buffer, ttlMs: Milliseconds): Promise<void> {
    if (!this.#room.hasRoom()) return;
    const name = this.#prefix + key;
    try {
      await this.#commands.run((client) => client.set(name, bytes, 'PX', Math.max(1, Math.floor(ttlMs))));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('OOM')) this.#room.isFull();
      throw error;
    }
  }

  async remove(key: CacheKey): Promise<void> {
    await this.#commands.run((client) => client.unlink(this.#prefix + key));
  }

  /** Looks through the keys in steps, so that a large Redis goes on answering others meanwhile. */
  async clear(beginning: string): Promise<void> {
    const pattern = `${(this.#prefix + beginning).replace(/[\\*?[\]]/g, '\\$&')}*`;
    await this.#commands.run(async (client) => {
      for (const node of 'nodes' in client ? client.nodes('master') : [client]) {
        let cursor = '0';
        do {
          const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
          // One by one: in a cluster the keys of one command must share a slot.
          await Promise.all(keys.map((key) => node.unlink(key)));
          cursor = next;
        } while (cursor !== '0');
      }
    });
  }

  stats() {
    return { ...this.#commands.stats(), ...this.#room.stats() };
  }

  /** The connection to Redis belongs to its creator. */
  async close(): Promise<void> {}
}
