// The process of the change feed (workers/feed.ts), one a host.
//
//   starting    forked before the render workers, which want to know whether there is a feed
//   running     it says how it is: leading, standby (another host leads), connecting, or unavailable and why
//   restarting  it died: a new one after a backoff, which begins anew once one was fit. One that is stopped by a
//               signal or says nothing for HEARTBEAT_TIMEOUT_MS is killed first (heartbeat.ts)
//   closed      SIGTERM; SIGKILL after CLOSE_WITHIN_MS. Nothing is lost either way: it reads the log from where it
//               had published
//
// The verdict: with FEED=auto a feed that cannot work here (wal_level, rights) is off, and pages live by their TTL
// and explicit purges. One that was ever fit stays on: if it fails later, workers wait for it in degraded mode, which
// keeps the bound on staleness.
import type { ChildProcess } from 'node:child_process';
import type { Config } from '../../../config/config.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { Heartbeat, WHY_KILLED } from '../../host-link/heartbeat.ts';
import { type ChannelMessage, type FromFeed, readFromFeed } from '../../host-link/messages.ts';
import { backoffMs } from '../slots/backoff.ts';
import { tryFork } from '../slots/fork.ts';

const CLOSE_WITHIN_MS: Milliseconds = 5_000;
/** A database that is down at the start must not hold up the start; the feed then counts as on. */
const VERDICT_WITHIN_MS: Milliseconds = 5_000;

export interface FeedVerdict {
  readonly isOn: boolean;
  /** For the banner: why it is off, and how to turn it on. */
  readonly note: string | undefined;
}

export interface FeedEvents {
  /** The verdict is another one than before. */
  onVerdict(verdict: FeedVerdict): void;
  onChannelMessage(feed: FeedLine, channel: string, body: unknown): void;
  onExit(feed: FeedLine): void;
}

/** One process of the feed, to answer it. */
export interface FeedLine {
  send(message: ChannelMessage): void;
}

export interface FeedOptions {
  /** The file to fork. */
  readonly file: string;
  /** Read at every start: services that came back elsewhere change the addresses in it. */
  readonly config: () => Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly stateOf: (pid: number) => string | undefined;
  readonly events: FeedEvents;
}

type FeedState = Extract<FromFeed, { type: 'feed' }>['state'] | 'down';

export interface FeedSnapshot {
  readonly state: FeedState;
  readonly pid: number | undefined;
  readonly deaths: number;
  readonly stats: Readonly<Record<string, number>>;
}

export class Feed {
  #child: ChildProcess | undefined;
  #heartbeat: Heartbeat | undefined;
  #retry: Timer | undefined;
  #state: FeedState = 'down';
  #stats: Readonly<Record<string, number>> = {};
  #deaths = 0;
  #deathsInRow = 0;
  #wasFit = false;
  #closed = false;
  #verdict: FeedVerdict | undefined;
  #firstVerdict: (verdict: FeedVerdict) => void = () => {};
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Resolves as soon as it is known whether the feed can work here. */
  async start(): Promise<FeedVerdict> {
    const verdict = new Promise<FeedVerdict>((resolve) => {
      this.#firstVerdict = resolve;
    });
    const timer = this.#options.clock.after(VERDICT_WITHIN_MS, () =>
      this.#judge({ isOn: true, note: undefined }),
    );
    this.#launch();
    const first = await verdict;
    timer.cancel();
    return first;
  }

  snapshot(): FeedSnapshot {
    return { state: this.#state, pid: this.#child?.pid, deaths: this.#deaths, stats: this.#stats };
  }

  /** The addresses have changed. */
  restart(): void {
    if (this.#child !== undefined) this.#end(this.#child);
  }

  /** Called every second. */
  checkBeat(): void {
    const found = this.#heartbeat?.look() ?? 'well';
    if (found === 'well') return;
    this.#options.logger.error({}, `the change feed ${WHY_KILLED[found]}: killed`);
    this.kill();
  }

  /** The primary itself was held up, so silence proves nothing. */
  pardon(): void {
    this.#heartbeat?.pardon();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#judge({ isOn: false, note: undefined }); // For those that wait for the first one.
    const child = this.#child;
    if (child === undefined) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      this.#end(child);
    });
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  #end(child: ChildProcess): void {
    child.kill('SIGTERM');
    const timer = this.#options.clock.after(CLOSE_WITHIN_MS, () => child.kill('SIGKILL'));
    child.once('exit', () => timer.cancel());
  }

  #launch(): void {
    const { file, config, events, clock, stateOf } = this.#options;
    const child = tryFork(file, { serialization: 'json' }, this.#options.logger);
    if (child === undefined) {
      this.#died(child, null, 'could not be forked');
      return;
    }
    const { heartbeatTimeoutMs: timeoutMs, bootTimeoutMs } = config();
    const heartbeat = new Heartbeat({ pid: child.pid, timeoutMs, bootTimeoutMs, clock, stateOf });
    this.#heartbeat = heartbeat;
    const line: FeedLine = {
      send: (message) => {
        if (child.connected) child.send(message, undefined, undefined, () => {});
      },
    };
    this.#child = child;
    let hasEnded = false;
    const ended = (code: number | null, signal: string | null) => {
      if (hasEnded) return;
      hasEnded = true;
      events.onExit(line);
      this.#died(child, code, signal);
    };
    child.once('exit', ended);
    child.on('error', (error) => {
      this.#options.logger.error({ err: error }, 'feed process');
      if (child.pid === undefined) ended(null, 'could not be forked');
    });
    child.on('message', (raw) => {
      heartbeat.heard();
      heartbeat.isBooting = false;
      const message = readFromFeed(raw);
      if (message === undefined) {
        this.#options.logger.warn({}, 'dropped a message from the feed that is not in the protocol');
      } else if (message.type === 'channel') events.onChannelMessage(line, message.channel, message.body);
      else if (message.type === 'beat') heartbeat.isInspected = message.inspected === true;
      else if (message.type === 'stats') this.#stats = message.stats;
      else this.#heard(message);
    });
    child.send({ type: 'start', config: config() }, () => {});
  }

  #heard({ state, note }: Extract<FromFeed, { type: 'feed' }>): void {
    this.#state = state;
    if (state === 'leading' || state === 'standby') {
      this.#wasFit = true;
      this.#deathsInRow = 0;
      this.#judge({ isOn: true, note: undefined });
    } else if (state === 'unavailable') {
      this.#judge({ isOn: this.#wasFit || this.#options.config().feedRequired, note });
    }
  }

  #judge(verdict: FeedVerdict): void {
    const before = this.#verdict;
    this.#verdict = verdict;
    if (before === undefined) this.#firstVerdict(verdict);
    else if (before.isOn !== verdict.isOn && !this.#closed) this.#options.events.onVerdict(verdict);
  }

  #died(child: ChildProcess | undefined, code: number | null, signal: string | null): void {
    if (this.#child === child) {
      this.#child = undefined;
      this.#heartbeat = undefined;
    }
    this.#state = 'down';
    if (this.#closed) return;
    const delayMs = backoffMs(this.#deathsInRow, this.#options.random);
    this.#deathsInRow += 1;
    this.#deaths += 1;
    // Ctrl+C goes to every process of the terminal, also to one that has just begun and does not heed it yet; the primary
    // hears it, too, and ends all in order.
    const write = signal === 'SIGINT' ? 'debug' : 'error';
    if (code !== 0)
      this.#options.logger[write]({ code, signal, delayMs }, 'the change feed died and is started again');
    this.#retry = this.#options.clock.after(delayMs, () => this.#launch());
  }
}
