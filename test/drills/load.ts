// The load of a drill: connections that ask again as soon as they were answered, and look at every answer.
//
// Not autocannon: it writes the next request on a connection whose last answer said `Connection: close`, so that a
// server that drains as it should looks as if it lost requests, and it does not tell which request a broken
// connection had held. Node's own agent keeps to the protocol.

import { Agent, request } from 'node:http';
import { pause } from '../support/pause.ts';
import { type History, ITEMS } from './history.ts';

export interface LoadReport {
  /** Reached the server, as far as the client can know: those refused at the door are not in it. */
  readonly sent: number;
  readonly answered: number;
  /** Of those answered: 5xx, which says so honestly. */
  readonly failed: number;
  /** Sent, and never answered. */
  readonly lost: number;
  /** Nobody listened. */
  readonly refused: number;
  /** Not what belongs there: another status, another page, or one older than the bound. */
  readonly wrong: number;
  /** Between two right answers, whoever got them; from the first request to the last. */
  readonly longestGapMs: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly history: History;
  /** Between an answer and the next request of the same connection. */
  readonly pauseMs?: number;
}

interface Asked {
  readonly path: string;
  readonly status: number;
  readonly isRight: (body: string, sentAt: number) => boolean;
}

const REFUSED_PAUSE_MS = 10;
const NEVER_MS = 15_000;
const UNTIL_MS = 40_000;

export class Load {
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #clients: Promise<void>[];
  readonly #counts = { sent: 0, answered: 0, failed: 0, lost: 0, refused: 0, wrong: 0 };
  readonly examples: string[] = [];
  #running = true;
  #turn = 0;
  #lastRightAt = performance.now();
  #longestGapMs = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
    this.#clients = Array.from({ length: options.connections }, () => this.#run());
  }

  get answered(): number {
    return this.#counts.answered - this.#counts.failed;
  }

  /** So far. */
  get counts(): Readonly<Omit<LoadReport, 'longestGapMs'>> {
    return this.#counts;
  }

  /** Resolves when so many more were answered well. */
  async until(more: number): Promise<void> {
    const goal = this.answered + more;
    const deadline = performance.now() + UNTIL_MS;
    while (this.answered < goal && this.#running) {
      if (performance.now() > deadline)
        throw new Error(`${more} right answers never came; some of the others:\n${this.examples.join('\n')}`);
      await pause(5);
    }
  }

  /** What is in flight is still waited for. */
  async stop(): Promise<LoadReport> {
    this.#running = false;
    await Promise.all(this.#clients);
    this.#agent.destroy();
    return { ...this.#counts, longestGapMs: Math.round(this.#longestGapMs) };
  }

  async #run(): Promise<void> {
    const { pauseMs = 0 } = this.#options;
    while (this.#running) {
      if (pauseMs > 0) await pause(pauseMs);
      const asked = this.#next();
      const sentAt = performance.now();
      this.#counts.sent++;
      try {
        const { status, body } = await this.#ask(asked.path);
        this.#take(asked, sentAt, status, body);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'ECONNREFUSED') {
          this.#counts.sent--;
          this.#counts.refused++;
          await pause(REFUSED_PAUSE_MS);
        } else {
          this.#counts.lost++;
          this.#note(`${asked.path}: ${String(code ?? error)}`);
        }
      }
    }
  }

  /** Mostly rows that are asked for often (some change), some that hardly ever are, some slow pages, some that are none. */
  #next(): Asked {
    const turn = this.#turn++;
    if (turn % 50 === 48) return { path: `/nowhere/${turn}`, status: 404, isRight: () => true };
    if (turn % 10 === 9) {
      const ms = 5 + (turn % 50);
      return { path: `/slow/${ms}`, status: 200, isRight: (body) => body.includes(`<p>slow ${ms}</p>`) };
    }
    const id = turn % 10 === 8 ? 1 + ((turn * 7) % ITEMS) : 1 + (turn % 40);
    return {
      path: `/items/${id}`,
      status: 200,
      isRight: (body, sentAt) => {
        const [, shown, version] = /<p>item (\d+) v(\d+)<\/p>/.exec(body) ?? [];
        return Number(shown) === id && this.#options.history.mayShow(id, Number(version), sentAt);
      },
    };
  }

  #take(asked: Asked, sentAt: number, status: number, body: string): void {
    const { path } = asked;
    this.#counts.answered++;
    if (status >= 500) {
      this.#counts.failed++;
      this.#note(`${path}: ${status}`);
      return;
    }
    if (status !== asked.status || !asked.isRight(body, sentAt)) {
      this.#counts.wrong++;
      this.#note(`${path}: ${status} ${body.slice(0, 300)}`);
      return;
    }
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastRightAt);
    this.#lastRightAt = now;
  }

  #ask(path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const { port } = this.#options;
      const asking = request({ agent: this.#agent, host: '127.0.0.1', port, path }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      });
      asking.setTimeout(NEVER_MS, () => asking.destroy(new Error('no answer in time')));
      asking.on('error', reject);
      asking.end();
    });
  }

  #note(text: string): void {
    if (this.examples.length < 10) this.examples.push(text);
  }
}
