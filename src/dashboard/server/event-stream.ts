// Server-sent events to the browsers that look at the dashboard. One message a second is made for all of them, and
// none while nobody looks. A reader that does not keep up is dropped, not buffered for, and so is the oldest when all
// places are taken: browsers connect again by themselves.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';

export const MAX_WATCHERS = 16;
const EVERY_MS: Milliseconds = 1000;
/** What may wait in this process for one reader: some seconds of messages. */
export const MAX_BEHIND: Bytes = 512 * 1024;

export interface EventStreamOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What there is to tell now; asked once a second while somebody looks. */
  readonly message: () => Promise<unknown>;
  /** What a newcomer is told first. */
  readonly greeting: () => unknown;
}

interface Watcher {
  readonly response: ServerResponse;
  /** False: no longer allowed to look. */
  readonly mayLook: () => boolean;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #watchers = new Set<Watcher>();
  #timer: Timer | undefined;
  #isTelling = false;
  #closed = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** From now on this response, whose head is written, is told everything, until it ends. */
  add(response: ServerResponse, mayLook: () => boolean): void {
    if (this.#closed) {
      response.destroy();
      return;
    }
    // A browser that is still there connects again. One that has left without a word would hold its place for minutes.
    const [oldest] = this.#watchers;
    if (oldest !== undefined && this.#watchers.size >= MAX_WATCHERS) this.#drop(oldest);
    const watcher = { response, mayLook };
    this.#watchers.add(watcher);
    response.once('close', () => this.#watchers.delete(watcher));
    response.on('error', () => {});
    response.write(`retry: 2000\n${event('greeting', this.#options.greeting())}`);
    if (this.#timer === undefined && !this.#isTelling) void this.#tell();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  async #tell(): Promise<void> {
    this.#timer = undefined;
    this.#isTelling = true;
    const startedMs = this.#options.clock.monotonic();
    // A comment keeps the connection from looking dead where there is nothing to say.
    let text = ': nothing\n\n';
    try {
      text = event('frame', await this.#options.message());
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the figures for the dashboard could not be put together');
    }
    this.#isTelling = false;
    for (const watcher of this.#watchers) this.#write(watcher, text);
    if (this.#closed || this.#watchers.size === 0) return;
    const delayMs = Math.max(0, EVERY_MS - (this.#options.clock.monotonic() - startedMs));
    this.#timer = this.#options.clock.after(delayMs, () => void this.#tell());
  }

  #drop(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    watcher.response.destroy();
  }

  #write(watcher: Watcher, text: string): void {
    const { response, mayLook } = watcher;
    if (!mayLook()) {
      this.#watchers.delete(watcher);
      response.end();
    } else if (response.writableLength > MAX_BEHIND) this.#drop(watcher);
    else response.write(text);
  }
}

/** JSON has no line breaks of its own, so one line of data carries it whole. */
function event(name: string, body: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(body)}\n\n`;
}
