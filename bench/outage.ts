// Redis dead under load: how old what readers see becomes, and how much of their load the database gets.
//
// Hot pages are asked for on every worker of two hosts while a writer goes on committing. Redis is killed, and later stopped
// (it accepts and says nothing). The writer, the readers and the pages note times by one clock.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { Client } from 'undici';
import { nowUs } from './machine.ts';
import type { Table } from './table.ts';
import { BOXES, TwoBoxes, WORKERS } from './two-hosts.ts';

const PAGES = 10;
/** Each page changes twice a second. */
const COMMIT_EVERY_MS = 50;
const CONNECTIONS_A_HOST = 8;
/** Of one connection: a page is asked for some ten times a second on each worker. */
const ASK_EVERY_MS = 40;
const CALM_MS = 7_000;
const OUTAGE_MS = 9_000;
const BOUND_MS = 2_000;

interface Phase {
  readonly name: string;
  readonly isOutage: boolean;
  readonly beganUs: number;
  endedUs: number;
  reads: number;
  failed: number;
  slowestUs: number;
  /** Since the writer had read the answer to the COMMIT that overtook what was shown. */
  stalestUs: number;
  /** Since it had sent it. */
  stalestOfSentUs: number;
}

interface Load {
  readonly pid: string;
  readonly page: string;
  readonly us: number;
}

export async function outage(): Promise<Table[]> {
  await using boxes = await TwoBoxes.start({
    schema: `CREATE TABLE stock (id int PRIMARY KEY, version int NOT NULL);
      INSERT INTO stock SELECT id, 0 FROM generate_series(1, ${PAGES}) id; ANALYZE;`,
    env: (folder) => ({ BENCH_LOADS: loadsIn(folder), COHERENCE_BOUND_MS: String(BOUND_MS) }),
  });
  const history = new History();
  const phases: Phase[] = [];
  const stop = new AbortController();
  const readers = boxes.origins.flatMap((origin) =>
    Array.from({ length: CONNECTIONS_A_HOST }, (_, n) =>
      read(origin, n, history, () => phases.at(-1), stop.signal),
    ),
  );
  const writer = write(boxes.url, history, stop.signal);
  const during = async (name: string, ms: number, isOutage: boolean) => {
    const phase = newPhase(name, isOutage);
    phases.push(phase);
    await pause(ms);
    phase.endedUs = nowUs();
  };
  await during('warm-up', 5_000, false);
  await during('before', CALM_MS, false);
  await boxes.redis.kill();
  await during('killed', OUTAGE_MS, true);
  await boxes.redis.end();
  await boxes.redis.startAgain();
  await during('back', CALM_MS, false);
  const pid = await boxes.redis.pid();
  process.kill(pid, 'SIGSTOP');
  await during('stopped: accepts, says nothing', OUTAGE_MS, true);
  process.kill(pid, 'SIGCONT');
  await during('back', CALM_MS, false);
  stop.abort();
  await Promise.all([...readers, writer]);
  const loads = readLoads(boxes.folder);
  const workers = new Set(loads.map(({ pid }) => pid)).size;
  if (workers !== BOXES * WORKERS) throw new Error(`Only ${workers} workers have rendered anything`);
  return [
    {
      title: 'Redis is dead',
      notes: [
        `${PAGES} pages of one row each, on ${WORKERS} workers of ${BOXES} hosts, each page asked for up to 10 times a second on each worker while its row changes twice a second.`,
        `\`staleness\`: the longest for which a page had been out of date when a reader asked for it and got it all the same, in ms; of all reads, with COHERENCE_BOUND_MS=${BOUND_MS}. Since`,
        'the writer had read the answer to COMMIT, and in brackets since it had sent the statement: the truth lies between. `renders`: of one page by one worker, each of which reads the',
        'database once, in a second: on the average, and of the page and worker that had most. `apart`: the least time between two of them, in ms. While Redis lives pages are rendered',
        'when their data changes, once in the fleet or nearly so; while it is dead they are made anew when they are a second old, however often they are read or change.',
        '`back` begins when Redis does, and with workers that do not know it yet.',
      ],
      columns: [
        'Redis',
        's',
        'reads',
        'failed',
        'slowest ms',
        'staleness ms',
        'goal',
        'renders/s',
        'most',
        'goal',
        'apart',
      ],
      rows: phases.slice(1).map((phase) => rowOf(phase, loads)),
    },
  ];
}

function rowOf(phase: Phase, loads: readonly Load[]): string[] {
  const { name, isOutage, beganUs, endedUs, reads, failed, slowestUs, stalestUs, stalestOfSentUs } = phase;
  const seconds = (endedUs - beganUs) / 1e6;
  const ms = (us: number) => (us / 1000).toFixed(0);
  const inPhase = loads.filter(({ us }) => us >= beganUs && us < endedUs);
  const ofEach = new Map<string, number[]>();
  for (const { pid, page, us } of inPhase)
    ofEach.set(`${pid} ${page}`, [...(ofEach.get(`${pid} ${page}`) ?? []), us]);
  const all = [...ofEach.values()];
  const most = Math.max(...all.map((times) => times.length)) / seconds;
  const apartUs = Math.min(...all.flatMap((times) => times.slice(1).map((us, n) => us - (times[n] ?? us))));
  return [
    name,
    seconds.toFixed(1),
    String(reads),
    String(failed),
    ms(slowestUs),
    `${ms(stalestUs)} (${ms(stalestOfSentUs)})`,
    isOutage ? `<= ${BOUND_MS}` : '',
    (inPhase.length / seconds / (PAGES * BOXES * WORKERS)).toFixed(2),
    most.toFixed(2),
    isOutage ? '<= 1' : '',
    ms(apartUs),
  ];
}

/** When each version of each page was written. */
class History {
  readonly #sentUs = Array.from({ length: PAGES + 1 }, (): number[] => []);
  readonly #returnedUs = Array.from({ length: PAGES + 1 }, (): number[] => []);

  sent(page: number, version: number): void {
    this.#note(this.#sentUs, page, version);
  }

  returned(page: number, version: number): void {
    this.#note(this.#returnedUs, page, version);
  }

  /** How long `version` had been out of date then; 0: it was not. */
  overtakenUs(
    page: number,
    version: number,
    us: number,
  ): { readonly sent: number; readonly returned: number } {
    const since = (times: readonly number[][]) => Math.max(0, us - (times[page]?.[version + 1] ?? us));
    return { sent: since(this.#sentUs), returned: since(this.#returnedUs) };
  }

  #note(times: readonly number[][], page: number, version: number): void {
    const ofPage = times[page];
    if (ofPage !== undefined) ofPage[version] = nowUs();
  }
}

async function write(url: string, history: History, stop: AbortSignal): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (let n = 0; !stop.aborted; n++) {
    const page = 1 + (n % PAGES);
    const version = 1 + Math.floor(n / PAGES);
    history.sent(page, version);
    await client.query('UPDATE stock SET version = $2 WHERE id = $1', [page, version]);
    history.returned(page, version);
    await pause(COMMIT_EVERY_MS);
  }
  await client.end();
}

/** On one connection, which one worker answers for. */
async function read(
  origin: string,
  first: number,
  history: History,
  phaseNow: () => Phase | undefined,
  stop: AbortSignal,
): Promise<void> {
  const client = new Client(origin);
  for (let n = first; !stop.aborted; n++) {
    const page = 1 + (n % PAGES);
    const phase = phaseNow();
    const sentUs = nowUs();
    const version = await shown(client, page);
    if (phase !== undefined) {
      phase.slowestUs = Math.max(phase.slowestUs, nowUs() - sentUs);
      phase.reads++;
      if (version === undefined) phase.failed++;
      else {
        const overtaken = history.overtakenUs(page, version, sentUs);
        phase.stalestUs = Math.max(phase.stalestUs, overtaken.returned);
        phase.stalestOfSentUs = Math.max(phase.stalestOfSentUs, overtaken.sent);
      }
    }
    await pause(ASK_EVERY_MS);
  }
  await client.close();
}

/** The version that a page shows; undefined where there was no page. */
async function shown(client: Client, page: number): Promise<number | undefined> {
  try {
    const { body } = await client.request({ method: 'GET', path: `/stock/${page}` });
    const [, version] = /version=(\d+)/.exec(await body.text()) ?? [];
    return version === undefined ? undefined : Number(version);
  } catch {
    return undefined;
  }
}

function newPhase(name: string, isOutage: boolean): Phase {
  const zero = { reads: 0, failed: 0, slowestUs: 0, stalestUs: 0, stalestOfSentUs: 0 };
  return { name, isOutage, beganUs: nowUs(), endedUs: 0, ...zero };
}

function loadsIn(folder: string): string {
  return path.join(folder, 'loads');
}

function readLoads(folder: string): readonly Load[] {
  const lines = readFileSync(loadsIn(folder), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [pid = '', page = '', us = ''] = line.split(' ');
    return { pid, page, us: Number(us) };
  });
}
