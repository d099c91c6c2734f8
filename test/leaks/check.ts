// The leak property. Random applications, each on two workers that share an L2 and an L3; visitors who bring marks in all that a
// browser can send; requests side by side, forms, sessions, purges, visitors who leave. No byte of one visitor's marks in the answer
// to another, in any tier, in the warm list, or in a line of the log.

import { pageCodec } from '../../src/cache/shared/codec.ts';
import { EnvelopeTier, type StoredBytes } from '../../src/cache/shared/envelope-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Writing } from '../../src/page/request/actions.ts';
import { type Random, seeded } from '../coherence/random.ts';
import { type Site, startSite } from '../support/site.ts';
import { HOSTS, makeApplication, PURGED, visitors as sessions, TARGETS } from './application.ts';
import { type Answer, Connection } from './connection.ts';
import { headersOf, type MarkedVisitor, makeVisitor } from './visitor.ts';

interface LeakOptions {
  readonly histories: number;
  readonly seed: number;
  /** Of each application, before the next is drawn. */
  readonly perApplication?: number;
  readonly onProgress?: (done: number) => void;
}

interface LeakReport {
  readonly histories: number;
  readonly answers: number;
  readonly fastPath: number;
  readonly filled: number;
  readonly personal: number;
  readonly signedIn: number;
  readonly hits: number;
  readonly stored: number;
  /** Empty where nothing leaked. The first few. */
  readonly leaks: readonly string[];
}

const refuse = () => Promise.reject(new Error('Here is no database.'));
const noDatabase: Writing = {
  writeScope: () => ({
    ...{ query: refuse, one: refuse, many: refuse, byId: refuse, paginate: refuse, transaction: refuse },
    stream: () => {
      throw new Error('Here is no database.');
    },
  }),
  visible: refuse,
};

const STEPS = 3;
const MAX_LEAKS = 5;
const ANY_MARK = /Mark[0-9a-z]+x[0-9a-z]+Kram/g;

export async function checkLeaks(options: LeakOptions): Promise<LeakReport> {
  const { histories, seed, perApplication = 250, onProgress } = options;
  const report = {
    histories: 0,
    answers: 0,
    fastPath: 0,
    filled: 0,
    personal: 0,
    signedIn: 0,
    hits: 0,
    stored: 0,
  };
  const leaks: string[] = [];
  for (let at = 0; report.histories < histories && leaks.length < MAX_LEAKS; at++) {
    const random = seeded(seed + at);
    const world = await World.start(random, (what) => {
      if (leaks.length < MAX_LEAKS) leaks.push(`application of seed ${seed + at}: ${what}`);
    });
    try {
      const many = Math.min(perApplication, histories - report.histories);
      for (let history = 0; history < many && leaks.length === 0; history++) await world.history();
      await world.lookEverywhere();
      report.histories += many;
      for (const key of ['answers', 'filled', 'personal', 'signedIn', 'hits', 'stored'] as const)
        report[key] += world.counts[key];
      report.fastPath += world.fastPath;
    } finally {
      await world.close();
    }
    onProgress?.(report.histories);
  }
  return { ...report, leaks };
}

/** What two workers share: bytes by key, all that was ever written looked at. */
class LookedAt {
  readonly usable = true;
  readonly #kept = new Map<string, StoredBytes>();
  readonly #look: (bytes: Buffer, key: string) => void;

  constructor(look: (bytes: Buffer, key: string) => void) {
    this.#look = look;
  }

  async read(key: string): Promise<StoredBytes | undefined> {
    return this.#kept.get(key);
  }

  async write(key: string, bytes: Buffer, remainingMs: number): Promise<void> {
    this.#look(bytes, key);
    this.#kept.set(key, { bytes, remainingMs });
  }

  async remove(key: string): Promise<void> {
    this.#kept.delete(key);
  }

  async clear(): Promise<void> {
    this.#kept.clear();
  }

  stats() {
    return {};
  }

  async close(): Promise<void> {}
}

class World {
  readonly counts = { answers: 0, filled: 0, personal: 0, signedIn: 0, hits: 0, stored: 0 };
  readonly #random: Random;
  readonly #leaked: (what: string) => void;
  readonly #workers: Site[] = [];
  readonly #connections = new Map<string, Connection>();
  #linesSeen: number[] = [];

  private constructor(random: Random, leaked: (what: string) => void) {
    this.#random = random;
    this.#leaked = leaked;
  }

  static async start(random: Random, leaked: (what: string) => void): Promise<World> {
    const world = new World(random, leaked);
    const application = makeApplication(random);
    const tiers = (['l2', 'l3'] as const).map((name) => {
      const store = new LookedAt((bytes, key) => world.#kept(`${name} under ${key}`, bytes));
      return new EnvelopeTier({ name, clock: systemClock, codec: pageCodec, store });
    });
    for (let worker = 0; worker < 2; worker++) {
      world.#workers.push(
        await startSite({
          ...application,
          session: sessions,
          sessionSecret: 'one secret of both workers, which no other has',
          writing: noDatabase,
          shared: tiers,
          fragmentCache: true,
          surrogateKeys: true,
          accessLog: { mode: 'all', share: 1, random },
        }),
      );
    }
    world.#linesSeen = world.#workers.map(() => 0);
    return world;
  }

  get fastPath(): number {
    return this.#workers.reduce((sum, { hits }) => sum + hits.stats().answers, 0);
  }

  /** Two or three visitors who have never met, a few steps each, side by side. */
  async history(): Promise<void> {
    const many = this.#random() < 0.7 ? 2 : 3;
    const visitors = Array.from({ length: many }, () => makeVisitor(this.#random, HOSTS));
    // They ask for the same few things, or they would not meet in the cache.
    const targets = [this.#pick(TARGETS), this.#pick(TARGETS)];
    for (let step = 0; step < STEPS; step++) {
      if (this.#random() < 0.1) this.#purge();
      await Promise.all(
        visitors.map((visitor, at) => this.#step(visitor, at, this.#pick(targets), step === 0)),
      );
    }
    this.#lookAtLogs();
  }

  async #step(visitor: MarkedVisitor, at: number, target: string, isFirst: boolean): Promise<void> {
    const worker = Math.floor(this.#random() * this.#workers.length);
    const drawn = this.#random();
    if (drawn < 0.05) {
      new Connection(this.#workers[worker]?.port ?? 0).leave(
        `GET ${target} HTTP/1.1\r\n${headersOf(visitor, this.#random)}\r\n\r\n`,
      );
      return;
    }
    const connection = this.#connection(worker, at);
    // Half of them sign in first.
    const isPost = drawn < (isFirst ? 0.5 : 0.2);
    const isHead = drawn > 0.95;
    const undeclared = this.#random() < 0.3 ? `${target.includes('?') ? '&' : '?'}utm=${visitor.mark}` : '';
    const request = isPost
      ? this.#form(visitor)
      : `${isHead ? 'HEAD' : 'GET'} ${target}${undeclared} HTTP/1.1\r\n${headersOf(visitor, this.#random)}\r\n\r\n`;
    const answer = await connection.ask(request, isHead);
    if (answer === undefined) return;
    this.#look(visitor, `${request.slice(0, request.indexOf(' HTTP'))}`, answer);
    const cookie = /\r\nset-cookie: (session=[^;]+)/i.exec(answer.head)?.[1];
    if (cookie !== undefined) visitor.session = cookie === 'session=' ? undefined : cookie;
  }

  #form(visitor: MarkedVisitor): string {
    const what = this.#pick(['in', 'in', 'in', 'bad', 'out', 'throws', 'say'] as const);
    const body = `say=${what}+${visitor.mark}`;
    return (
      `POST /form HTTP/1.1\r\n${headersOf(visitor, this.#random)}\r\nOrigin: http://${visitor.host}\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    );
  }

  #look(visitor: MarkedVisitor, asked: string, { status, head, body }: Answer): void {
    this.counts.answers++;
    const text = body.toString('utf8');
    if (/cache-status: coherent; hit/.test(head)) this.counts.hits++;
    if (text.includes(`hello ${visitor.mark}`) || text.includes(`seen ${visitor.mark} at`))
      this.counts.filled++;
    if (text.includes(`hello ${visitor.mark}`)) this.counts.signedIn++;
    if (text.includes(`yours ${visitor.mark}`)) this.counts.personal++;
    for (const [mark] of `${head}\n${text}`.matchAll(ANY_MARK))
      if (mark !== visitor.mark)
        this.#leaked(
          `${visitor.mark} asked ${asked} and was told ${mark} (${status}): ${near(`${head}\n${text}`, mark)}`,
        );
    if (text.includes('<!--hole')) this.#leaked(`${asked} was answered with the mark of a hole`);
    // What is one visitor's may be kept by nobody, and what may be kept holds nothing of anybody.
    if (text.includes(visitor.mark) && !/\r\ncache-control: (private, )?no-store/.test(head))
      this.#leaked(
        `${asked} was answered with what is ${visitor.mark}'s, and may be kept: ${near(text, visitor.mark)}`,
      );
  }

  #kept(where: string, bytes: Buffer): void {
    this.counts.stored++;
    const mark = markIn(bytes.toString('latin1'));
    if (mark !== undefined) this.#leaked(`${where} holds ${near(bytes.toString('latin1'), mark)}`);
  }

  /** Memory, the warm list, what metrics would say. */
  async lookEverywhere(): Promise<void> {
    for (const { cache, fragmentCache, pipeline, holes } of this.#workers) {
      const keys = cache.recentKeys(10_000);
      for (const key of keys) {
        const entry = cache.served(key);
        if (entry === undefined) continue;
        this.#kept(
          `L1 under ${key}`,
          Buffer.from(JSON.stringify([key, entry.headers, entry.holes, entry.keys, entry.tag])),
        );
        this.#kept(`L1 under ${key}`, entry.identity);
      }
      for (const key of fragmentCache?.recentKeys(10_000) ?? [])
        this.#kept(`fragments under ${key}`, Buffer.from(`${key} ${fragmentCache?.served(key)?.html}`));
      this.#kept('the warm list', Buffer.from(JSON.stringify(await pipeline.addressesOf(keys))));
      this.#kept(
        'figures',
        Buffer.from(JSON.stringify([cache.stats(), cache.cachedByGroup(), holes.stats()])),
      );
    }
  }

  #lookAtLogs(): void {
    for (const [at, { log }] of this.#workers.entries()) {
      for (const line of log.lines.slice(this.#linesSeen[at])) {
        const text = `${JSON.stringify(line)} ${wordsOf(line.fields.err)}`;
        const mark = markIn(text);
        if (mark !== undefined) this.#leaked(`a line of the log: ${near(text, mark)}`);
      }
      // So that memory does not grow with the histories.
      log.lines.length = 0;
      this.#linesSeen[at] = 0;
    }
  }

  #purge(): void {
    const key = this.#pick(PURGED);
    for (const worker of this.#workers) worker.purge(key);
  }

  #connection(worker: number, visitor: number): Connection {
    const name = `${worker} ${visitor}`;
    const known = this.#connections.get(name);
    if (known !== undefined && !known.isOver) return known;
    const made = new Connection(this.#workers[worker]?.port ?? 0);
    this.#connections.set(name, made);
    return made;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.#random() * from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    for (const worker of this.#workers) await worker.close();
  }
}

function markIn(text: string): string | undefined {
  return text.match(ANY_MARK)?.[0];
}

function near(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return JSON.stringify(text.slice(Math.max(0, at - 80), at + mark.length + 20));
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.stack} ${wordsOf(error.cause)}` : '';
}
