// An answer as the bytes that go on the wire, made once and kept: the head, and up to a size the body behind it,
// of one encoding of one entry.
//
// Two things in the head move: the second in `Date` and the seconds left in `Cache-Status`. They are written over
// in place, at most twice a second, when the answer is next wanted. Bytes that a slow reader has not taken yet
// are never written over (`pin`): the next change then makes new ones.
import { STATUS_CODES } from 'node:http';
import type { TierName } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import type { Bytes, EpochMs } from '../../core/units.ts';
import { hitStatus } from '../response/cache-status.ts';
import { type Asked, type HttpResponse, pageResponse } from '../response/response.ts';

/** Up to here head and body lie in one buffer and go out in one write. Beyond, the copy costs more than it saves. */
export const MAX_JOINED_BYTES: Bytes = 16 * 1024;

/** Says the time as HTTP does, and makes the text once a second. */
export class HttpDate {
  #second = -1;
  #text = '';

  at(nowMs: EpochMs): string {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}

/** What an answer owes to the server that sends it. */
export interface Sender {
  readonly date: HttpDate;
  /** How long a connection may lie idle, whole seconds as announced; 0: nothing is announced. */
  readonly keepAliveSeconds: number;
}

interface Wire {
  /** Head, or head and body. */
  readonly bytes: Buffer;
  /** The head alone, for HEAD: a view of the same bytes. */
  readonly head: Buffer;
  readonly dateAt: number;
  readonly ttlAt: number;
  readonly ttlLength: number;
}

export class HitResponse {
  readonly status: number;
  /** Set where the body is not part of `bytes`: it stays in the entry and is sent after them. */
  readonly bodyApart: boolean;
  readonly #tier: TierName;
  readonly #asked: Asked;
  readonly #sender: Sender;
  #wire: Wire;
  #pinned = false;
  /** The head is right from the one moment until before the other; outside (also when the wall clock was set back) it is not. */
  #madeAtMs: EpochMs;
  #movesAtMs: EpochMs;

  /** `asked` is a GET: HEAD gets the head of the same bytes. */
  constructor(entry: PageEntry, tier: TierName, asked: Asked, sender: Sender, nowMs: EpochMs) {
    this.#tier = tier;
    this.#asked = asked;
    this.#sender = sender;
    const answer = this.#answer(entry, nowMs);
    this.status = answer.status;
    this.bodyApart = answer.body !== undefined && answer.body.length > MAX_JOINED_BYTES;
    this.#wire = this.#lay(answer, nowMs);
    this.#madeAtMs = nowMs;
    this.#movesAtMs = movesAt(entry, nowMs);
  }

  /** `entry` is the one this answer was made of, or one that differs in nothing that a visitor sees. */
  bytes(entry: PageEntry, nowMs: EpochMs): Buffer {
    if (nowMs >= this.#movesAtMs || nowMs < this.#madeAtMs) this.#move(entry, nowMs);
    return this.#wire.bytes;
  }

  head(entry: PageEntry, nowMs: EpochMs): Buffer {
    if (nowMs >= this.#movesAtMs || nowMs < this.#madeAtMs) this.#move(entry, nowMs);
    return this.#wire.head;
  }

  /** What was handed out last is still being sent. */
  pin(): void {
    this.#pinned = true;
  }

  get size(): Bytes {
    return this.#wire.bytes.length;
  }

  #answer(entry: PageEntry, nowMs: EpochMs): HttpResponse {
    return pageResponse(entry, this.#asked, hitStatus(this.#tier, entry.freshUntilMs, nowMs));
  }

  #move(entry: PageEntry, nowMs: EpochMs): void {
    const { bytes, dateAt, ttlAt, ttlLength } = this.#wire;
    const ttl = String(Math.floor((entry.freshUntilMs - nowMs) / 1000));
    if (this.#pinned || ttl.length !== ttlLength) {
      this.#wire = this.#lay(this.#answer(entry, nowMs), nowMs);
      this.#pinned = false;
    } else {
      bytes.write(this.#sender.date.at(nowMs), dateAt, 'latin1');
      bytes.write(ttl, ttlAt, 'latin1');
    }
    this.#madeAtMs = nowMs;
    this.#movesAtMs = movesAt(entry, nowMs);
  }

  #lay(answer: HttpResponse, nowMs: EpochMs): Wire {
    const text = headOf(answer, this.#sender, nowMs);
    const body = this.bodyApart ? undefined : answer.body;
    const bytes = Buffer.allocUnsafe(text.length + (body?.length ?? 0));
    bytes.write(text, 0, 'latin1');
    body?.copy(bytes, text.length);
    const [ttlAt, ttlEnd] = TTL.exec(text)?.indices?.[1] ?? [0, 0];
    const dateAt = text.lastIndexOf(DATE) + DATE.length;
    return { bytes, head: bytes.subarray(0, text.length), dateAt, ttlAt, ttlLength: ttlEnd - ttlAt };
  }
}

const DATE = '\r\nDate: ';
const TTL = /\r\ncache-status: [^\r]*?; ttl=(-?\d+)/d;

/** The head as Node writes it: our headers, then Date, Connection, Keep-Alive. */
function headOf(
  { status, headers }: HttpResponse,
  { date, keepAliveSeconds }: Sender,
  nowMs: EpochMs,
): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2)
    head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  head += `Date: ${date.at(nowMs)}\r\nConnection: keep-alive\r\n`;
  if (keepAliveSeconds > 0) head += `Keep-Alive: timeout=${keepAliveSeconds}\r\n`;
  return `${head}\r\n`;
}

/** The next whole second of the wall clock, or the moment the seconds left fall by one, whichever comes first. */
function movesAt({ freshUntilMs }: PageEntry, nowMs: EpochMs): EpochMs {
  const second = nowMs - (nowMs % 1000) + 1000;
  // `ttl` is rounded down: it falls one millisecond after a whole number of seconds is left.
  const leftMs = Math.max(0, freshUntilMs - nowMs);
  return Math.min(second, nowMs + (leftMs % 1000) + 1);
}
