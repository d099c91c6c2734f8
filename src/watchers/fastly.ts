// CDN_PURGE=fastly: purges by surrogate key, as Fastly documents it (POST /service/<id>/purge with a Surrogate-Key header of
// at most 256 keys; POST /service/<id>/purge_all). Tested against a server of our own that speaks so, not against Fastly.

import type { Clock } from '../core/clock.ts';
import { surrogateKey } from '../core/surrogate-key.ts';
import type { Bytes } from '../core/units.ts';
import { HttpCaller } from './http-target.ts';
import type { Batch, Target } from './target.ts';

const MAX_KEYS = 256;
/** Of one key; a longer one is not kept by the CDN, so no purge of it would reach a page. */
const MAX_KEY_BYTES: Bytes = 1024;
const MAX_HEADER_BYTES: Bytes = 8 * 1024;

export interface FastlyOptions {
  /** `https://api.fastly.com/service/<id>`, without a slash. */
  readonly url: string;
  readonly token: string;
  readonly clock: Clock;
}

export class Fastly implements Target {
  readonly name = 'cdn:fastly';
  readonly pattern = '*';
  readonly #options: FastlyOptions;
  readonly #caller: HttpCaller;

  constructor(options: FastlyOptions) {
    this.#options = options;
    this.#caller = new HttpCaller('CDN_PURGE_URL', options.clock);
  }

  async tell({ id, keys }: Batch, signal: AbortSignal): Promise<void> {
    const names = keys?.map(surrogateKey);
    if (names === undefined || names.some((name) => name.length > MAX_KEY_BYTES)) {
      await this.#post('purge_all', id, {}, signal);
      return;
    }
    for (const [at, part] of inParts(names).entries()) {
      await this.#post('purge', `${id}/${at}`, { 'surrogate-key': part.join(' ') }, signal);
    }
  }

  close(): Promise<void> {
    return this.#caller.close();
  }

  #post(path: string, id: string, headers: Record<string, string>, signal: AbortSignal): Promise<void> {
    const { url, token } = this.#options;
    const common = { 'fastly-key': token, 'idempotency-key': id, accept: 'application/json' };
    return this.#caller.post({ url: `${url}/${path}`, headers: { ...common, ...headers }, body: '' }, signal);
  }
}

function inParts(names: readonly string[]): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let bytes = 0;
  for (const name of names) {
    if (part.length === MAX_KEYS || bytes + name.length + 1 > MAX_HEADER_BYTES) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(name);
    bytes += name.length + 1;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
