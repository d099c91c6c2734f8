// Everybody who reads: each on one connection, which one worker answers for as long as it stands. Several requests go out
// at once, one behind the other, and each answer is a read of its own: judged by when all of them were sent, which is no
// later than when its own was.
import { Client } from 'undici';
import type { Milliseconds } from '../../src/core/units.ts';
import { pause } from '../support/pause.ts';
import type { History } from './history.ts';
import { NonsenseError, type PageUnderTest, readShown, type Shown, SLUGGISH_PAGES } from './pages.ts';
import { type Random, skewed } from './random.ts';
import type { Tally } from './tally.ts';

export interface ReaderOptions {
  readonly port: number;
  readonly history: History;
  readonly pages: readonly PageUnderTest[];
  readonly random: Random;
  readonly boundMs: Milliseconds;
  readonly meanPauseMs: Milliseconds;
  /** Requests that go out together. */
  readonly atOnce: number;
  /** Where a read that is sent now is counted. */
  readonly tally: () => Tally;
  readonly onViolation: (line: string) => void;
}

/** A worker that was stopped answers later; a request that a dead one took along is never answered. */
const GIVE_UP_MS: Milliseconds = 20_000;
const READS_A_CONNECTION = 400;

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly cacheStatus: string;
  readonly body: string;
}

export class Reader {
  readonly #options: ReaderOptions;
  /** What it would keep as a browser: asked for again with its tag, some of the time. */
  readonly #known = new Map<string, { readonly etag: string; readonly shown: Shown }>();
  #client: Client;
  #left = 0;
  #worker = 0;
  #toSweep: PageUnderTest[] = [];
  #onSwept: () => void = () => {};
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#client = newClient(options);
  }

  /** Its pages take their time, and nobody waits for it. */
  get isPatient(): boolean {
    return this.#options.pages === SLUGGISH_PAGES;
  }

  start(): void {
    this.#stopping = false;
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#onSwept();
    await this.#running;
    this.#running = undefined;
    await this.#client.destroy();
  }

  /** Reads pages in turn, whether anybody likes them or not: about half of its own, so that a few readers see all. */
  sweep(): Promise<void> {
    this.#toSweep = this.#options.pages.filter(() => this.#options.random() < 0.5);
    return new Promise((resolve) => {
      this.#onSwept = resolve;
    });
  }

  async #run(): Promise<void> {
    const { pages, random, meanPauseMs, atOnce } = this.#options;
    while (!this.#stopping) {
      const chosen = Array.from(
        { length: atOnce },
        () => this.#toSweep.pop() ?? pages[skewed(random, pages.length)],
      );
      if (this.#left <= 0 && !(await this.#connectAnew())) continue;
      const sentAt = performance.now();
      await Promise.all(chosen.map((page) => this.#read(page, sentAt)));
      if (this.#toSweep.length === 0) this.#onSwept();
      const pauseMs = random() * 2 * meanPauseMs;
      if (pauseMs >= 1) await pause(pauseMs);
    }
  }

  async #read(page: PageUnderTest | undefined, sentAt: Milliseconds): Promise<void> {
    if (page === undefined) return;
    const tally = this.#options.tally();
    this.#left--;
    try {
      const known = this.#options.random() < 0.2 ? this.#known.get(page.path) : undefined;
      const answer = await ask(this.#client, page.path, known?.etag);
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - sentAt);
      this.#take(page, answer, known?.shown, sentAt, tally);
    } catch (error) {
      if (error instanceof NonsenseError) this.#report(tally, `${page.path}: ${error.message}`);
      else tally.unanswered++;
      this.#left = 0;
    }
  }

  /** Spreads readers over the workers again after some have been replaced. False: nobody is there now. */
  async #connectAnew(): Promise<boolean> {
    await this.#client.destroy();
    this.#client = newClient(this.#options);
    try {
      const { body } = await ask(this.#client, '/whoami', undefined);
      this.#worker = Number(/pid=(\d+)/.exec(body)?.[1] ?? 0);
      this.#left = READS_A_CONNECTION * (0.5 + this.#options.random());
      return true;
    } catch {
      this.#options.tally().unanswered++;
      await pause(50);
      return false;
    }
  }

  #take(
    page: PageUnderTest,
    answer: Answer,
    known: Shown | undefined,
    sentAt: Milliseconds,
    tally: Tally,
  ): void {
    const { status, cacheStatus } = answer;
    if (status >= 500) {
      tally.errors++;
      return;
    }
    if (status === 304 && known === undefined) throw new NonsenseError('304 without a condition');
    const shown = status === 304 && known !== undefined ? known : readShown(status, answer.body);
    if (status === 200 && answer.etag !== undefined) this.#known.set(page.path, { etag: answer.etag, shown });
    if (status !== 200 && status !== 304 && status !== 404) throw new NonsenseError(`status ${status}`);
    const { rows, stalenessMs, what } = page.judge(shown, this.#options.history, sentAt);
    if (page.prefersAvailability === true && cacheStatus.includes('STALE-IF-ERROR')) {
      tally.staleIfError++;
      return;
    }
    if (tally.add(this.#worker, rows, stalenessMs, cacheStatus) && stalenessMs > this.#options.boundMs) {
      const now = (performance.now() / 1000).toFixed(3);
      this.#report(
        tally,
        `${now} s, port ${this.#options.port}, worker ${this.#worker}, ${page.path} (${status}, ${cacheStatus}): ${what}, ${stalenessMs.toFixed(0)} ms too late`,
      );
    }
  }

  #report(tally: Tally, line: string): void {
    tally.violations++;
    this.#options.onViolation(line);
  }
}

function newClient({ port, atOnce }: ReaderOptions): Client {
  const timeouts = { headersTimeout: GIVE_UP_MS, bodyTimeout: GIVE_UP_MS };
  return new Client(`http://127.0.0.1:${port}`, { pipelining: atOnce, ...timeouts });
}

async function ask(client: Client, path: string, etag: string | undefined): Promise<Answer> {
  const headers = etag === undefined ? {} : { 'if-none-match': etag };
  const response = await client.request({ method: 'GET', path, headers });
  const header = response.headers['cache-status'];
  const tag = response.headers.etag;
  return {
    status: response.statusCode,
    etag: typeof tag === 'string' ? tag : undefined,
    cacheStatus: typeof header === 'string' ? header : '',
    body: await response.body.text(),
  };
}
