// Decodes pgoutput (protocol 1, also inside a streamed transaction's data when `streamed`) into row changes.
// Values stay the text that the server sent: a type parser on the way (a Date holds milliseconds, the log
// microseconds) would make a change look like none.
import type { LoggedTable, RowChange, Tuple } from './change-keys.ts';
import { MalformedLogError } from './change-keys-errors.ts';

export type LogMessage =
  | { readonly tag: 'begin'; readonly finalLsn: bigint; readonly commitMicros: bigint; readonly xid: number }
  | { readonly tag: 'commit'; readonly lsn: bigint; readonly endLsn: bigint; readonly commitMicros: bigint }
  | { readonly tag: 'change'; readonly change: RowChange }
  | {
      readonly tag: 'message';
      readonly transactional: boolean;
      readonly prefix: string;
      readonly content: Buffer;
    }
  | { readonly tag: 'relation'; readonly table: LoggedTable }
  | { readonly tag: 'other'; readonly type: string };

const identities = new Map<string, LoggedTable['identity']>([
  ['d', 'default'],
  ['n', 'nothing'],
  ['f', 'full'],
  ['i', 'index'],
]);

/** Holds the tables that the log has described so far; one decoder a connection, since each connection is told anew. */
export class PgoutputDecoder {
  private readonly tables = new Map<number, LoggedTable>();

  /** Throws `E_LOG_MALFORMED` on bytes that are not pgoutput. */
  decode(bytes: Buffer): LogMessage {
    const reader = new Reader(bytes);
    const type = reader.letter();
    switch (type) {
      case 'B':
        return {
          tag: 'begin',
          finalLsn: reader.int64(),
          commitMicros: reader.int64(),
          xid: reader.int32() >>> 0,
        };
      case 'C':
        reader.int8();
        return { tag: 'commit', lsn: reader.int64(), endLsn: reader.int64(), commitMicros: reader.int64() };
      case 'R':
        return { tag: 'relation', table: this.relation(reader) };
      case 'I': {
        const table = this.table(reader);
        reader.letter();
        return { tag: 'change', change: { kind: 'insert', table, new: tuple(reader, table) } };
      }
      case 'U':
        return { tag: 'change', change: this.update(reader) };
      case 'D': {
        const table = this.table(reader);
        reader.letter();
        return { tag: 'change', change: { kind: 'delete', table, old: tuple(reader, table) } };
      }
      case 'T': {
        const count = reader.int32();
        reader.int8();
        const tables = Array.from({ length: count }, () => this.table(reader));
        return { tag: 'change', change: { kind: 'truncate', tables } };
      }
      case 'M': {
        const transactional = (reader.int8() & 1) === 1;
        reader.int64();
        return {
          tag: 'message',
          transactional,
          prefix: reader.string(),
          content: reader.bytes(reader.int32()),
        };
      }
      default:
        return { tag: 'other', type };
    }
  }

  private update(reader: Reader): RowChange {
    const table = this.table(reader);
    let part = reader.letter();
    let old: Tuple | null = null;
    if (part === 'K' || part === 'O') {
      old = tuple(reader, table);
      part = reader.letter();
    }
    if (part !== 'N') throw new MalformedLogError(`an update's new row begins with "${part}"`);
    return { kind: 'update', table, old, new: tuple(reader, table) };
  }

  private relation(reader: Reader): LoggedTable {
    const oid = reader.int32();
    const schema = reader.string();
    const name = reader.string();
    const identity = identities.get(reader.letter()) ?? 'nothing';
    const columns: string[] = [];
    const keyColumns: string[] = [];
    const count = reader.int16();
    for (let i = 0; i < count; i++) {
      const inKey = (reader.int8() & 1) === 1;
      const column = reader.string();
      reader.int32();
      reader.int32();
      columns.push(column);
      if (inKey) keyColumns.push(column);
    }
    const table = { schema: schema === '' ? 'pg_catalog' : schema, name, identity, columns, keyColumns };
    this.tables.set(oid, table);
    return table;
  }

  private table(reader: Reader): LoggedTable {
    const oid = reader.int32();
    const table = this.tables.get(oid);
    if (table === undefined)
      throw new MalformedLogError(`a change names table ${oid >>> 0}, which was not described`);
    return table;
  }
}

function tuple(reader: Reader, table: LoggedTable): Tuple {
  const count = reader.int16();
  const row: Record<string, string | null | undefined> = Object.create(null);
  for (let i = 0; i < count; i++) {
    const column = table.columns[i];
    if (column === undefined) throw new MalformedLogError(`${table.name} has more values than columns`);
    const kind = reader.letter();
    if (kind === 'n') row[column] = null;
    else if (kind === 'u') row[column] = undefined;
    else row[column] = reader.bytes(reader.int32()).toString('utf8');
  }
  return row;
}

class Reader {
  private at = 0;
  private readonly from: Buffer;

  constructor(from: Buffer) {
    this.from = from;
  }

  int8(): number {
    return this.read(1, (at) => this.from.readUInt8(at));
  }

  int16(): number {
    return this.read(2, (at) => this.from.readInt16BE(at));
  }

  int32(): number {
    return this.read(4, (at) => this.from.readInt32BE(at));
  }

  int64(): bigint {
    return this.read(8, (at) => this.from.readBigInt64BE(at));
  }

  letter(): string {
    return String.fromCharCode(this.int8());
  }

  string(): string {
    const end = this.from.indexOf(0, this.at);
    if (end < 0) throw new MalformedLogError('a name does not end');
    const text = this.from.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  bytes(length: number): Buffer {
    return this.read(length, (at) => this.from.subarray(at, at + length));
  }

  private read<T>(length: number, take: (at: number) => T): T {
    const at = this.at;
    if (length < 0 || at + length > this.from.length) throw new MalformedLogError('a message is cut off');
    this.at = at + length;
    return take(at);
  }
}
