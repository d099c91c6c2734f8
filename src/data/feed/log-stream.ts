// The stream of one replication slot, over the protocol's CopyBoth mode (Postgres manual, "Streaming Replication
// Protocol"). A thin layer on pg's own connection:
//
//   server -> 'w' data       a decoded message, for the decoder
//             'k' keepalive  the position up to which everything has been sent
//   us     -> 'r' status     the position up to which everything has been published; asks for a keepalive
//
// What holds
// - frames are handed on in the order in which the server sent them, keepalives among them: a position that is
//   reported has nothing before it still under way
// - while held, nothing is handed on and the socket is not read, so what waits is at most one chunk of the socket
// - a status goes out at least every STATUS_MS, held or not, so the server keeps us as the slot's reader
// - `onEnd` is called exactly once, with the reason
import type { Connection, Submittable } from 'pg';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import { formatLsn, type Lsn } from './lsn.ts';

export interface LogHandlers {
  /** Valid during the call only: the bytes are the socket's own. */
  data(message: Buffer): void;
  /** Everything committed before this position has been handed on. */
  position(lsn: Lsn): void;
  started(): void;
  ended(error: Error): void;
}

export interface LogStreamOptions {
  readonly slot: string;
  readonly publication: string;
  readonly clock: Clock;
  readonly handlers: LogHandlers;
}

const STATUS_MS: Milliseconds = 400;
const DATA = 0x77;
const KEEPALIVE = 0x6b;
/** In front of the message itself: tag, start, end, time. */
const DATA_HEADER = 25;
const REPLY_REQUESTED_AT = 17;
/** 2000-01-01 in milliseconds since 1970. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** Handed to `client.query()`, as pg wants it: these methods are what it calls. */
export class LogStream implements Submittable {
  readonly #options: LogStreamOptions;
  #connection: Connection | undefined;
  #acknowledged: Lsn = 0n;
  #waiting: Buffer[] = [];
  /** From the beginning: the listener has to prepare first. */
  #held = true;
  #started = false;
  #ended = false;
  /** When the server was asked for its position and has said nothing since. */
  #unansweredSince: Milliseconds | undefined;
  #statusTimer: Timer | undefined;

  constructor(options: LogStreamOptions) {
    this.#options = options;
  }

  /** How long the server has said nothing though it was asked, and listened to. One that was not asked has nothing to say. */
  get silentMs(): Milliseconds {
    if (this.#held || this.#unansweredSince === undefined) return 0;
    return this.#options.clock.monotonic() - this.#unansweredSince;
  }

  /** Everything up to here has been published, and need not be sent again. Goes out with the next status. */
  acknowledge(lsn: Lsn): void {
    if (lsn > this.#acknowledged) this.#acknowledged = lsn;
  }

  /** Tells the server how far we are. With `reply` it answers at once with its own position. */
  sendStatus(reply: boolean): void {
    const connection = this.#connection;
    if (!this.#started || this.#ended || connection === undefined || !connection.stream.writable) return;
    if (reply) this.#unansweredSince ??= this.#options.clock.monotonic();
    connection.stream.write(statusFrame(this.#acknowledged, this.#options.clock.now(), reply));
  }

  /** Nothing is handed on until `release()`. */
  hold(): void {
    this.#held = true;
    if (this.#started) this.#connection?.stream.pause();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#unansweredSince = undefined;
    const waiting = this.#waiting;
    for (const [at, frame] of waiting.entries()) {
      this.#handle(frame);
      // A handler may have taken hold again.
      if (this.#held) {
        this.#waiting = waiting.slice(at + 1);
        return;
      }
    }
    this.#waiting = [];
    this.#connection?.stream.resume();
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    connection.once('replicationStart', this.#onStart);
    const { slot, publication } = this.#options;
    connection.query(
      `START_REPLICATION SLOT ${slot} LOGICAL ${formatLsn(0n)} ` +
        `(proto_version '1', publication_names '${publication}', messages 'true')`,
    );
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#unansweredSince = undefined;
    if (this.#held) this.#waiting.push(Buffer.from(chunk));
    else this.#handle(chunk);
  }

  handleError(error: Error): void {
    this.#end(error);
  }

  /** The server left the copy mode of its own accord: it is shutting down. */
  handleCommandComplete(): void {
    this.#end(new Error('The server ended the replication stream.'));
  }

  handleReadyForQuery(): void {}

  /** Nothing more is handed on. The connection is the caller's to close. */
  stop(): void {
    // What was published since the last status need not be read again.
    this.sendStatus(false);
    this.#end(new Error('The change feed was closed.'));
  }

  readonly #onStart = (): void => {
    this.#started = true;
    if (this.#held) this.#connection?.stream.pause();
    this.#tick();
    this.#options.handlers.started();
  };

  #handle(frame: Buffer): void {
    if (this.#ended) return;
    const tag = frame[0];
    if (tag === DATA) this.#options.handlers.data(frame.subarray(DATA_HEADER));
    else if (tag === KEEPALIVE) {
      this.#options.handlers.position(frame.readBigUInt64BE(1));
      if (frame[REPLY_REQUESTED_AT] === 1) this.sendStatus(false);
    }
  }

  #tick(): void {
    this.sendStatus(false);
    this.#statusTimer = this.#options.clock.after(STATUS_MS, () => this.#tick());
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#statusTimer?.cancel();
    this.#connection?.off('replicationStart', this.#onStart);
    // The socket has to be read to notice its own end.
    this.#connection?.stream.resume();
    this.#options.handlers.ended(error);
  }
}

/** CopyData('d') around a standby status update: written, flushed, applied, time, reply requested. */
function statusFrame(lsn: Lsn, nowMs: number, reply: boolean): Buffer {
  const frame = Buffer.alloc(5 + 34);
  frame.writeUInt8(0x64, 0);
  frame.writeUInt32BE(38, 1);
  frame.writeUInt8(0x72, 5);
  frame.writeBigUInt64BE(lsn, 6);
  frame.writeBigUInt64BE(lsn, 14);
  frame.writeBigUInt64BE(lsn, 22);
  frame.writeBigInt64BE(BigInt(Math.round((nowMs - POSTGRES_EPOCH_MS) * 1000)), 30);
  frame.writeUInt8(reply ? 1 : 0, 38);
  return frame;
}
