// Postgres allows one reader of a slot, and that is the election: the feed that reads the slot leads. The others ask again
// until it is free. The slot is made where it is missing, and made anew where its position is gone.
import type pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlConnection } from './connections.ts';
import { PUBLICATION } from './install-sql.ts';
import { LogStream } from './log-stream.ts';
import type { Lsn } from './lsn.ts';
import type { FeedMemory } from './memory.ts';
import { createSlot, dropSlot, replicationFailure, slotState, sqlState } from './setup.ts';

export interface LeadershipOptions {
  readonly replication: pg.Client;
  readonly sql: SqlConnection;
  readonly memory: FeedMemory;
  readonly slot: string;
  readonly clock: Clock;
  readonly retryMs: Milliseconds;
  readonly onStandby: () => void;
  readonly isClosed: () => boolean;
}

export interface StreamHandlers {
  data(message: Buffer): void;
  position(lsn: Lsn): void;
}

/** A stream that is ours, held; `ended` resolves with the reason when it ends. */
export interface Lead {
  readonly stream: LogStream;
  readonly ended: Promise<Error>;
}

const IN_USE = '55006';
const DOES_NOT_EXIST = '42704';
/** Also said of a slot that was invalidated. */
const NOT_IN_PREREQUISITE_STATE = '55000';

/** Undefined when the feed was closed meanwhile. Errors: E_FEED_RIGHTS, E_FEED_PLACES, or the server's. */
export async function becomeLeader(
  options: LeadershipOptions,
  handlers: StreamHandlers,
): Promise<Lead | undefined> {
  const { clock, retryMs, onStandby, isClosed } = options;
  while (!isClosed()) {
    const isFree = await ensureSlot(options);
    if (isClosed()) return undefined;
    if (!isFree) {
      onStandby();
      await new Promise<void>((resolve) => void clock.after(retryMs, resolve));
      continue;
    }
    const attempt = start(options, handlers);
    const failure = await attempt.started;
    if (failure === undefined) return attempt;
    const state = sqlState(failure);
    if (state === IN_USE) continue; // another was faster
    if (state !== DOES_NOT_EXIST && state !== NOT_IN_PREREQUISITE_STATE) {
      throw replicationFailure(failure);
    } else await remake(options, failure);
  }
  return undefined;
}

/** Asked first: a start that is refused would fill the server's log. True: no feed reads it. */
async function ensureSlot({ sql, memory, slot }: LeadershipOptions): Promise<boolean> {
  const { exists, active, lost } = await slotState(sql, slot);
  if (exists && lost === undefined) return !active;
  await memory.forget();
  if (exists) await dropSlot(sql, slot);
  await createSlot(sql, slot);
  return true;
}

/** The publication was dropped under the slot, or the slot went while we asked: what lies in between is unknown. */
async function remake({ sql, memory, slot }: LeadershipOptions, failure: Error): Promise<void> {
  const { exists, lost } = await slotState(sql, slot);
  if (exists && lost === undefined) throw failure;
  await memory.forget();
}

function start(
  { replication, slot, clock }: LeadershipOptions,
  handlers: StreamHandlers,
): Lead & { readonly started: Promise<Error | undefined> } {
  let onStarted: (error: Error | undefined) => void = () => {};
  let onEnded: (error: Error) => void = () => {};
  const started = new Promise<Error | undefined>((resolve) => {
    onStarted = resolve;
  });
  const ended = new Promise<Error>((resolve) => {
    onEnded = resolve;
  });
  const stream = new LogStream({
    slot,
    publication: PUBLICATION,
    clock,
    handlers: {
      ...handlers,
      data: (message) => handlers.data(message),
      position: (lsn) => handlers.position(lsn),
      started: () => onStarted(undefined),
      ended: (error) => {
        onStarted(error);
        onEnded(error);
      },
    },
  });
  replication.query(stream);
  return { stream, ended, started };
}
