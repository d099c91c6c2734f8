// One run of the coherence check: a fleet, writers, readers, faults one after the other, and a count of every page
// that was older than the bound allows.
//
// A fault's part of the run:
//   before     writes and reads go on undisturbed
//   during     the fault is done and undone (faults.ts)
//   after      until every host is ready, and for the bound and a little more
//   at rest    no more writes; the bound passes; every page must now show the newest of everything, on every worker
import { pause } from '../support/pause.ts';
import { FAULTS } from './faults.ts';
import { Fleet } from './fleet.ts';
import { History } from './history.ts';
import { PAGES, SLUGGISH_PAGES } from './pages.ts';
import { seeded } from './random.ts';
import { Reader } from './readers.ts';
import { Tally } from './tally.ts';
import { WRITERS, Writer } from './writers.ts';

export interface CheckOptions {
  /** Holds the built server in `package/`. */
  readonly build: string;
  readonly seed: number;
  readonly boundMs: number;
  /** Names of FAULTS; two that are joined by ` + ` are done at once. */
  readonly faults: readonly string[];
  readonly lastMs: number;
  readonly say: (line: string) => void;
  /** Asked after each fault. */
  readonly enough?: (tallies: readonly Tally[]) => boolean;
  readonly readers?: number;
  /** One host, without Redis. */
  readonly alone?: boolean;
  /** Pages go through pgbouncer. */
  readonly pooler?: boolean;
}

export interface CheckResult {
  /** One a fault, then one for what was read at rest, and the sum. */
  readonly tallies: readonly Tally[];
  readonly sum: Tally;
  readonly commits: number;
  readonly serverOutput: string;
}

/** The first few tell what went wrong. */
const SHOWN_A_FAULT = 6;
const BEFORE_MS = 500;
const SLACK_MS = 700;
const READERS_A_HOST = 6;
/** Of pages whose render takes longer than the bound. */
const PATIENT_READERS_A_HOST = 10;
/** So that they do not all come at the same time. */
const PATIENT_PAUSE_MS = 3500;
const READ_PAUSE_MS = 2;
/** Requests of a reader that go out together, each of them a read. */
const AT_ONCE = 8;
const WRITE_PAUSE_MS = 60;

export async function check(options: CheckOptions): Promise<CheckResult> {
  const { build, seed, boundMs, say } = options;
  const random = seeded(seed);
  const tallies = new Map<string, Tally>();
  const tallyOf = (name: string) => {
    const known = tallies.get(name) ?? new Tally(name);
    tallies.set(name, known);
    return known;
  };
  const fleet = await Fleet.start({
    build,
    boundMs,
    alone: options.alone ?? false,
    pooler: options.pooler ?? false,
  });
  const history = new History();
  const writers = Array.from(
    { length: WRITERS },
    (_, index) => new Writer(fleet.database.url, history, index, seeded(seed + 1 + index), WRITE_PAUSE_MS),
  );
  /** Nobody writes while `work` is done. */
  const still = async <T>(work: () => Promise<T>): Promise<T> => {
    await Promise.all(writers.map((writer) => writer.pause()));
    try {
      return await work();
    } finally {
      for (const writer of writers) writer.start();
    }
  };
  let tally = tallyOf('at rest');
  const readers = fleet.boxes.flatMap((box, at) =>
    Array.from(
      { length: (options.readers ?? READERS_A_HOST) + PATIENT_READERS_A_HOST },
      (_, index) =>
        new Reader({
          port: box.port,
          history,
          pages: index < PATIENT_READERS_A_HOST ? SLUGGISH_PAGES : PAGES,
          random: seeded(seed + 100 * (at + 1) + index),
          boundMs,
          meanPauseMs: index < PATIENT_READERS_A_HOST ? PATIENT_PAUSE_MS : READ_PAUSE_MS,
          atOnce: index < PATIENT_READERS_A_HOST ? 1 : AT_ONCE,
          tally: () => tally,
          onViolation: (line) => {
            if (tally.violations <= SHOWN_A_FAULT) say(`  VIOLATION ${line}`);
          },
        }),
    ),
  );
  try {
    for (const reader of readers) reader.start();
    for (const name of options.faults) {
      tally = tallyOf(name);
      for (const writer of writers) writer.start();
      await pause(BEFORE_MS);
      const doneFaults = name.split(' + ').map((part) => {
        const fault = FAULTS[part];
        if (fault === undefined)
          throw new Error(`There is no fault '${part}'. Known: ${Object.keys(FAULTS).join(', ')}`);
        return fault({ fleet, random, lastMs: options.lastMs, still });
      });
      await Promise.all(doneFaults);
      await Promise.all(fleet.boxes.map((box) => box.ready()));
      await pause(boundMs + SLACK_MS);
      await Promise.all(writers.map((writer) => writer.pause()));
      await pause(boundMs);
      const { reads, violations } = tally;
      tally = tallyOf('at rest');
      await Promise.all(readers.filter(({ isPatient }) => !isPatient).map((reader) => reader.sweep()));
      say(`  ${name}: ${reads} reads, ${violations} violations`);
      if (options.enough?.([...tallies.values()]) === true) break;
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.stop()));
    await Promise.all(writers.map((writer) => writer.close()));
    await fleet.close();
  }
  const sum = new Tally('all');
  for (const each of tallies.values()) sum.include(each);
  const ordered = [...tallies.values()].sort(
    (a, b) => Number(a.name === 'at rest') - Number(b.name === 'at rest'),
  );
  return {
    tallies: ordered,
    sum,
    commits: writers.reduce((all, writer) => all + writer.commits, 0),
    serverOutput: fleet.boxes.map((box) => box.output()).join('\n'),
  };
}
