// A prepared statement as one write and, once its columns are known, without asking for them again.
//
//   [Parse]   where the connection has not prepared the name
//   Close     of a portal that is not there, and Flush: the server answers it at once, before it plans, waits for locks and runs
//   Bind, [Describe], Execute, Sync
//
// The columns of a prepared statement cannot change: where the schema has changed so that they would, Postgres refuses to run it
// ("cached plan must not change result type"), and it is prepared anew by another name.
import pg from 'pg';
import type { Result } from '../observer.ts';
import { type Parameter, typeParsers } from './values.ts';
import type { Wire } from './wire.ts';

export interface ReadQuery {
  readonly name: string;
  readonly text: string;
  readonly values: readonly Parameter[];
}

/** The columns that a prepared statement gives, and how each of them is read. */
export class Columns {
  readonly fields: readonly pg.FieldDef[];
  readonly #parsers: readonly ((text: string) => unknown)[];
  /** So that all rows have one hidden class. */
  readonly #empty: Readonly<Record<string, unknown>>;

  constructor(fields: readonly pg.FieldDef[]) {
    this.fields = fields;
    this.#parsers = fields.map(({ dataTypeID }) => typeParsers.getTypeParser(dataTypeID, 'text'));
    const empty: Record<string, unknown> = Object.create(null);
    for (const { name } of fields) empty[name] = null;
    this.#empty = { ...empty };
  }

  row(texts: readonly (string | null)[]): Record<string, unknown> {
    const row: Record<string, unknown> = { ...this.#empty };
    for (let i = 0; i < texts.length; i++) {
      const [text, field, parse] = [texts[i], this.fields[i], this.#parsers[i]];
      if (field !== undefined && parse !== undefined)
        row[field.name] = text === null || text === undefined ? null : parse(text);
    }
    return row;
  }
}

const NO_COLUMNS = new Columns([]);

type Done = (error: Error | null, result: Result | undefined) => void;

/** Of a connection: the statements that it has prepared, with their columns where they are known. */
export type Prepared = Map<string, Columns | undefined>;

export class PlainQuery extends pg.Query {
  readonly name: string;
  readonly #query: ReadQuery;
  readonly #prepared: Prepared;
  readonly #done: Done;
  readonly #rows: Record<string, unknown>[] = [];
  #columns: Columns | undefined;
  #command = '';
  #rowCount: number | null = null;
  #unreadable: Error | undefined;

  constructor(query: ReadQuery, prepared: Prepared, done: Done) {
    super(query.text);
    this.name = query.name;
    this.#query = query;
    this.#prepared = prepared;
    this.#done = done;
    this.#columns = prepared.get(query.name);
  }

  /** Called by the driver when it is this statement's turn. */
  prepare(wire: Wire): void {
    const { name } = this.#query;
    const isNew = wire.parsedStatements[name] === undefined;
    if (isNew) this.#columns = undefined;
    this.#prepared.set(name, this.#columns);
    if (wire.stream.writable) wire.stream.write(messageOf(this.#query, isNew, this.#columns === undefined));
  }

  handleRowDescription({ fields }: { readonly fields: readonly pg.FieldDef[] }): void {
    this.#columns = new Columns(fields);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#unreadable !== undefined) return;
    try {
      this.#rows.push((this.#columns ?? NO_COLUMNS).row(fields));
    } catch (error) {
      this.#unreadable = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** `SELECT 12`: what was done, and to how many rows. */
  handleCommandComplete({ text }: { readonly text: string }): void {
    const space = text.indexOf(' ');
    const count = space < 0 ? Number.NaN : Number(text.slice(text.lastIndexOf(' ') + 1));
    this.#command = space < 0 ? text : text.slice(0, space);
    this.#rowCount = Number.isInteger(count) ? count : null;
  }

  handleError(error: Error): void {
    this.#done(this.#unreadable ?? error, undefined);
  }

  handleReadyForQuery(): void {
    if (this.#unreadable !== undefined) {
      this.#done(this.#unreadable, undefined);
      return;
    }
    const columns = this.#columns ?? NO_COLUMNS;
    this.#prepared.set(this.name, columns);
    const { fields } = columns;
    this.#done(null, { rows: this.#rows, rowCount: this.#rowCount, command: this.#command, fields });
  }
}

const CLOSE_AND_FLUSH = Buffer.from('C\0\0\0\x06P\0H\0\0\0\x04', 'latin1');
const DESCRIBE = Buffer.from('D\0\0\0\x06P\0', 'latin1');
const EXECUTE_AND_SYNC = Buffer.from('E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04', 'latin1');

function messageOf({ name, text, values }: ReadQuery, parses: boolean, describes: boolean): Buffer {
  const nameBytes = Buffer.byteLength(name);
  const textBytes = parses ? Buffer.byteLength(text) : 0;
  const parseBytes = 4 + nameBytes + 1 + textBytes + 1 + 2;
  // The unnamed portal, the statement, a format for each value, the values, and all results as text.
  let bindBytes = 4 + 1 + nameBytes + 1 + 2 + 2 * values.length + 2 + 2;
  const lengths: number[] = [];
  for (const value of values) {
    const length = value === null ? 0 : Buffer.byteLength(value);
    lengths.push(length);
    bindBytes += 4 + length;
  }
  const message = Buffer.allocUnsafe(
    CLOSE_AND_FLUSH.length +
      (parses ? 1 + parseBytes : 0) +
      (1 + bindBytes) +
      (describes ? DESCRIBE.length : 0) +
      EXECUTE_AND_SYNC.length,
  );
  let at = CLOSE_AND_FLUSH.copy(message);
  if (parses) {
    at = head(message, at, 'P', parseBytes);
    at = cstring(message, at, name);
    at = cstring(message, at, text);
    at = message.writeInt16BE(0, at);
  }
  at = head(message, at, 'B', bindBytes);
  at = message.writeUInt8(0, at);
  at = cstring(message, at, name);
  at = message.writeUInt16BE(values.length, at);
  for (const value of values) at = message.writeInt16BE(Buffer.isBuffer(value) ? 1 : 0, at);
  at = message.writeUInt16BE(values.length, at);
  for (const [index, value] of values.entries()) {
    if (value === null) {
      at = message.writeInt32BE(-1, at);
      continue;
    }
    at = message.writeInt32BE(lengths[index] ?? 0, at);
    at += typeof value === 'string' ? message.write(value, at) : value.copy(message, at);
  }
  at = message.writeInt16BE(0, at);
  if (describes) at += DESCRIBE.copy(message, at);
  EXECUTE_AND_SYNC.copy(message, at);
  return message;
}

function head(message: Buffer, at: number, code: string, length: number): number {
  return message.writeInt32BE(length, message.writeUInt8(code.charCodeAt(0), at));
}

function cstring(message: Buffer, at: number, text: string): number {
  return message.writeUInt8(0, at + message.write(text, at));
}
