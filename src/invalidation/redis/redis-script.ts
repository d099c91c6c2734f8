import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** One Lua script over fixed keys: sent by its hash, and whole when the server does not know it (any more). */
export class RedisScript {
  readonly #client: Redis | Cluster;
  readonly #source: string;
  readonly #hash: string;
  readonly #keys: readonly string[];

  constructor(client: Redis | Cluster, source: string, keys: readonly string[]) {
    this.#client = client;
    this.#source = source;
    this.#hash = createHash('sha1').update(source).digest('hex');
    this.#keys = keys;
  }

  /** Bulk replies come as Buffers. Rejects with the client's error. */
  async run(args: readonly (string | Buffer)[]): Promise<readonly unknown[]> {
    const rest = [this.#keys.length, ...this.#keys, ...args] as const;
    try {
      return list(await this.#client.callBuffer('EVALSHA', this.#hash, ...rest));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return list(await this.#client.callBuffer('EVAL', this.#source, ...rest));
    }
  }
}

function list(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new TypeError('The script answered with something else than a list');
  return reply;
}
