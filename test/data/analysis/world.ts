// One random schema with data on a real server, a set of statements, and changes read from the real log.
import pg from 'pg';
import { systemClock } from '../../../src/core/clock.ts';
import { changeKeys, logSettings } from '../../../src/data/changes/change-keys.ts';
import { PgoutputDecoder } from '../../../src/data/changes/change-keys-pgoutput.ts';
import { typeParsers } from '../../../src/data/pool/values.ts';
import { Database } from '../../../src/data/read/database.ts';
import { DependencyRecorder } from '../../../src/data/record/recorder.ts';
import { type Catalog, fingerprint, loadCatalog } from '../../../src/data/schema/catalog.ts';
import { silent } from '../../support/silent.ts';
import { type Change, insert, randomChange } from './changes.ts';
import { OWNER } from './constructs.ts';
import { Random } from './random.ts';
import { preamble, randomSchema, type SchemaOptions, type SchemaSpec } from './schema.ts';
import { type Statement, Statements } from './statements.ts';

const timestamptz = 1184;

/** Times are compared to the microsecond. */
const exactTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary' = 'text') =>
    oid === timestamptz
      ? (text: string) => text
      : typeParsers.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export interface Held {
  readonly statement: Statement;
  /** `error: ...` where the statement fails. */
  result: string;
  keys: ReadonlySet<string>;
  untracked: readonly string[];
  /** After a change of definitions: what a worker notes of this result that still has the catalog snapshot of before. */
  outdated: ReadonlySet<string> | undefined;
}

export interface Failure {
  readonly seed: number;
  readonly options: SchemaOptions;
  readonly statement: Statement;
  readonly change: Change;
  readonly history: readonly Change[];
  readonly before: string;
  readonly after: string;
  readonly keys: readonly string[];
  readonly purged: readonly string[];
}

export class Tally {
  cases = 0;
  purged = 0;
  purgedAndChanged = 0;
  changed = 0;
  untrackedCases = 0;
  /** Of tracked results that did not change: all, and those rendered again, by changes of rows alone. */
  rowsUnaffected = 0;
  rowsNeedless = 0;
  /** The same by definitions that change no result. */
  idleUnaffected = 0;
  idleNeedless = 0;
  /** Statements that failed, as a page that catches the error sees them. */
  caught = 0;
  readonly changedByConstruct = new Map<string, number>();
  /** Results that were noted by the catalog snapshot of before a change of definitions. */
  outdated = 0;
  keys = 0;
  collectMs = 0;
  collections = 0;
  analysisMs = 0;
  analyses = 0;
  readonly constructs = new Map<string, number>();
  readonly changeKinds = new Map<string, number>();
  readonly untracked = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly needless = new Map<string, number>();
  /** By the statement's shape: results purged, and of those changed. */
  readonly purgedByShape = new Map<string, number>();
  readonly changedByShape = new Map<string, number>();

  add(counts: Map<string, number>, name: string, by = 1): void {
    counts.set(name, (counts.get(name) ?? 0) + by);
  }
}

export class World {
  readonly client: pg.Client;
  catalog!: Catalog;
  private recorder!: DependencyRecorder;
  private outdated: DependencyRecorder | undefined;
  private decoder = new PgoutputDecoder();
  private print = '';
  private readonly tally: Tally;
  private readonly alter: (keys: Set<string>) => void;
  private readonly pages: Database;

  private constructor(client: pg.Client, url: string, tally: Tally, alter: (keys: Set<string>) => void) {
    this.client = client;
    this.pages = new Database({ connectionString: url, logger: silent, clock: systemClock, max: 1 });
    this.tally = tally;
    this.alter = alter;
  }

  /** `alter` may take purged keys away: the way to see the property fail. */
  static async open(
    url: string,
    tally: Tally,
    alter: (keys: Set<string>) => void = () => {},
  ): Promise<World> {
    const client = new pg.Client({
      connectionString: url,
      types: exactTypes,
      options: `${logSettings} -c synchronous_commit=on -c plan_cache_mode=force_custom_plan -c jit=off -c max_parallel_workers_per_gather=0`,
    });
    await client.connect();
    client.on('error', () => {});
    return new World(client, url, tally, alter);
  }

  async close(): Promise<void> {
    await this.pages.close();
    await this.client.end();
  }

  async prepare(): Promise<void> {
    await this.client.query("select pg_create_logical_replication_slot('analysis', 'pgoutput')");
    await this.client.query('create publication analysis for all tables');
    await this.client.query(
      `do $$ begin if not exists (select from pg_roles where rolname = '${OWNER}') then create role ${OWNER}; end if; end $$`,
    );
  }

  async build(schema: SchemaSpec, random: Random): Promise<void> {
    await this.client.query(
      'reset search_path; drop schema if exists other cascade; drop schema public cascade; create schema public; set client_min_messages = error',
    );
    for (const sql of [...preamble, ...schema.ddl]) await this.client.query(sql);
    for (const table of schema.tables.filter((one) => one.writable)) {
      for (let i = random.pick([2, 4, 8, 14]); i > 0; i--)
        await this.client.query(insert(random, table, schema)).catch(() => {});
    }
    await this.readLog();
    await this.client.query(
      `set search_path = ${random.pick(['public', 'public', 'public, other', 'other, public'])}`,
    );
    await this.refresh();
  }

  private async refresh(): Promise<void> {
    this.catalog = await loadCatalog(this.client, 'analysis');
    this.recorder = new DependencyRecorder({ catalog: this.catalog });
    this.print = await fingerprint(this.client);
  }

  /** Undefined: Postgres refuses the statement, so nobody would hold its result. */
  async hold(statement: Statement): Promise<Held | undefined> {
    const held: Held = { statement, result: '', keys: new Set(), untracked: [], outdated: undefined };
    await this.render(held);
    return held.result.startsWith('error') ? undefined : held;
  }

  async run(statement: Statement): Promise<{ text: string; result: pg.QueryResult<object> | undefined }> {
    try {
      const result = await this.client.query<object>(statement.sql, [...statement.params]);
      const rows = result.rows.map((row) =>
        JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
      );
      return { text: (statement.ordered ? rows : rows.sort()).join('\n'), result };
    } catch (error) {
      return { text: `error: ${error instanceof Error ? error.message : String(error)}`, result: undefined };
    }
  }

  /** Whether a page that catches the statement's failure is known to be incomplete. */
  async isTold({ sql, params }: Statement): Promise<boolean> {
    let isTold = false;
    const keyRecorder = {
      add: () => {},
      untracked: () => {},
      reading: () => (error?: unknown) => {
        if (error !== undefined) isTold = true;
      },
    };
    const page = this.pages.readScope({ signal: new AbortController().signal, keyRecorder });
    // Bytes and texts only: what a page may give.
    return page.query(sql, params as readonly string[]).then(
      () => true,
      () => isTold,
    );
  }

  async render(held: Held): Promise<void> {
    const { text, result } = await this.run(held.statement);
    held.result = text;
    held.outdated = undefined;
    if (result === undefined) return;
    const keys = new Set<string>();
    const untracked: string[] = [];
    const { sql, params } = held.statement;
    const started = performance.now();
    this.recorder.check(sql);
    const analysed = performance.now();
    this.recorder.onStatement(sql, params, result, {
      add: (key) => void keys.add(key),
      untracked: (why) => void untracked.push(why),
    });
    this.tally.analysisMs += analysed - started;
    this.tally.analyses++;
    this.tally.collectMs += performance.now() - analysed;
    this.tally.collections++;
    this.tally.keys += keys.size;
    held.keys = keys;
    held.untracked = untracked;
    if (this.outdated === undefined) return;
    const outdated = new Set<string>();
    this.outdated.onStatement(sql, params, result, {
      add: (key) => void outdated.add(key),
      untracked: () => {},
    });
    held.outdated = outdated;
  }

  /** Commits the change and returns the keys that it purges, read from the log. */
  async apply(change: Change): Promise<Set<string>> {
    await this.client.query('begin');
    if (change.as !== undefined) await this.client.query(`set local role ${change.as}`);
    for (const step of change.steps) {
      if (/savepoint/.test(step)) {
        await this.client.query(step);
        continue;
      }
      await this.client.query('savepoint step');
      try {
        await this.client.query(step);
      } catch {
        await this.client.query('rollback to savepoint step');
      }
    }
    await this.client.query('commit').catch(() => this.client.query('rollback'));
    const keys = await this.readLog();
    this.outdated = undefined;
    if (change.ddl && (await fingerprint(this.client)) !== this.print) {
      const before = this.catalog;
      this.outdated = this.recorder;
      await this.refresh();
      for (const key of before.changesTo(this.catalog)) keys.add(key);
    }
    this.alter(keys);
    return keys;
  }

  private async readLog(): Promise<Set<string>> {
    const { rows } = await this.client.query<{ data: Buffer }>(
      "select data from pg_logical_slot_get_binary_changes('analysis', null, null, 'proto_version', '1', 'publication_names', 'analysis')",
    );
    const keys = new Set<string>();
    for (const { data } of rows) {
      const message = this.decoder.decode(data);
      if (message.tag === 'change' && this.catalog !== undefined)
        changeKeys(message.change, this.catalog, keys);
    }
    return keys;
  }
}

export interface Scale {
  readonly statements: number;
  readonly changes: number;
  readonly ddlShare: number;
  readonly full?: boolean;
}

/** Tells one seed's story. Returns the first failure, or null. */
export async function tell(world: World, seed: number, scale: Scale, tally: Tally): Promise<Failure | null> {
  const random = new Random(seed);
  const options = { full: scale.full ?? false };
  const schema = randomSchema(random, options);
  await world.build(schema, random);
  const statements = new Statements(random, schema);
  const all: Held[] = [];
  for (let tries = 0; all.length < scale.statements && tries < scale.statements * 3; tries++) {
    const statement = statements.next();
    const held = await world.hold(statement);
    if (held !== undefined) all.push(held);
    else if (random.chance(0.2)) {
      tally.caught++;
      if (!(await world.isTold(statement))) return { ...untold(statement), seed, options };
    }
  }
  const history: Change[] = [];
  for (let i = 0; i < scale.changes; i++) {
    const change = randomChange(random, schema, scale.ddlShare);
    const purged = await world.apply(change);
    for (const kind of change.kinds) tally.add(tally.changeKinds, kind);
    const failure = await judge(world, all, change, purged, tally);
    if (failure !== null) return { ...failure, seed, options, history };
    history.push(change);
  }
  return null;
}

const untold = (statement: Statement) => ({
  statement,
  change: { steps: [], kinds: ['a failure that is caught'], ddl: false },
  history: [],
  before: 'failed, and nobody was told',
  after: '',
  keys: [],
  purged: [],
});

async function judge(
  world: World,
  all: readonly Held[],
  change: Change,
  purged: ReadonlySet<string>,
  tally: Tally,
) {
  for (const held of all) {
    const before = held.result;
    const meets = [...held.keys].some((key) => purged.has(key));
    const { text: after } = await world.run(held.statement);
    tally.cases++;
    for (const construct of held.statement.constructs) tally.add(tally.constructs, construct);
    if (after !== before) tally.changed++;
    if (after !== before)
      for (const construct of held.statement.constructs) tally.add(tally.changedByConstruct, construct);
    if (after === before && held.untracked.length === 0) {
      if (!change.ddl) tally.rowsUnaffected++;
      if (!change.ddl && meets) tally.rowsNeedless++;
      if (change.kinds[0]?.startsWith('idle')) tally.idleUnaffected++;
      if (change.kinds[0]?.startsWith('idle') && meets) tally.idleNeedless++;
    }
    if (held.untracked.length > 0) {
      tally.untrackedCases++;
      for (const why of held.untracked) tally.add(tally.untracked, why.replace(/ \(in: [\s\S]*$/, ''));
    } else if (meets) {
      tally.purged++;
      const shape = held.statement.constructs[held.statement.constructs.length - 1] ?? '';
      tally.add(tally.purgedByShape, shape);
      if (after !== before) tally.add(tally.changedByShape, shape);
      if (after !== before) tally.purgedAndChanged++;
      else for (const key of held.keys) if (purged.has(key)) tally.add(tally.needless, shapeOf(key));
    } else if (after !== before) {
      const { statement, keys } = held;
      return { statement, change, before, after, keys: [...keys], purged: [...purged] };
    }
    if (after !== before || change.ddl) await world.render(held);
    const { outdated, statement, keys, untracked } = held;
    if (!change.ddl || outdated === undefined || untracked.length > 0) continue;
    tally.outdated++;
    // Either the change takes it away, or it will be taken away by whatever the new catalog snapshot would name.
    const isTaken =
      [...outdated].some((key) => purged.has(key)) || [...keys].every((key) => outdated.has(key));
    if (isTaken) continue;
    return {
      statement,
      change,
      before: 'by the catalog snapshot of before',
      after,
      keys: [...outdated],
      purged: [...purged],
    };
  }
  return null;
}

/** A key without its names and values, for the tally of needless purges. */
const shapeOf = (key: string): string =>
  key
    .replace(/=[^?].*$/, '=v')
    .replace(/#.*/, '#row')
    .replace(/\.[\w%]+/, '.col')
    .replace(/@(?!rows)[\w%]+/, '@col')
    .replace(/^[\w/%]+/, 't');
