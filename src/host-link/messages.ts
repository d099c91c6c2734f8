// What the primary and a render worker say to each other over the IPC channel of node:cluster.
//
//   worker                                   primary
//   hello { version, pid }          ->                      the process is up and speaks this version
//                                   <-       welcome        its slot and the settings
//   beat { inspected }              ->                      every second: the event loop turns; inspected: a debugger is
//                                                           attached, and may stop it at a breakpoint
//   ready { notes }                 ->                      it serves from now on
//   room { room, body }             <->      room           for the rooms; body is theirs to check
//                                   <-       drain          finish what you hold within deadlineMs
//   closed                          ->                      it takes no connection any more, and no request on an idle one
//   drained                         ->                      nothing is left; what was on its way to it meanwhile
//                                   <-       leave          has arrived before this, and was sent back
//   leaving                         ->                      it drains by itself (SIGTERM) and wants to be replaced
//   failed { code, message }        ->                      an uncaught error: before ready it ends; after it
//                                                           serves on until it is told to drain
//
// Messages are input: what is not understood is dropped and counted in the log, never trusted.
import { z } from 'zod';
import type { Config } from '../../config/config.ts';

/** Raised when a message changes its meaning: a worker of another build is then refused, not misread. */
export const PROTOCOL_VERSION = 2;

/** Whether a worker has ever reached the database: true or false. */
export const DATABASE_CHANNEL = 'database';
/** The room of the purge relay, where there is no Redis. */
export const PURGES_CHANNEL = 'purges';
/** Where the workers of a host agree on who renders what. */
export const FLIGHTS_CHANNEL = 'flights';
/** Where what is done too often is counted, where there is no Redis. */
export const THROTTLE_CHANNEL = 'throttle';

/** The code of an error that has none of its own. */
export const UNCAUGHT = 'E_UNCAUGHT';

const note = z.string().max(1000);

const fromWorker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: z.number(), pid: z.number() }),
  z.object({ type: z.literal('beat'), inspected: z.boolean().optional() }),
  z.object({ type: z.literal('leaving') }),
  z.object({ type: z.literal('closed') }),
  z.object({ type: z.literal('drained') }),
  z.object({ type: z.literal('ready'), notes: z.array(note).max(20) }),
  z.object({ type: z.literal('failed'), code: z.string().max(100), message: z.string().max(10_000) }),
  z.object({ type: z.literal('channel'), channel: z.string().max(100), body: z.unknown() }),
]);

const fromPrimary = z.discriminatedUnion('type', [
  // The settings come from the parent process, which has checked each of them; the cast below says so.
  z.object({ type: z.literal('welcome'), slot: z.number(), config: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal('drain'), deadlineMs: z.number() }),
  z.object({ type: z.literal('leave') }),
  z.object({ type: z.literal('channel'), channel: z.string().max(100), body: z.unknown() }),
]);

const fromServices = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    databaseUrl: z.string().optional(),
    redisUrl: z.string().optional(),
    notes: z.array(note).max(20),
  }),
  z.object({ type: z.literal('failed'), code: z.string().max(100), message: z.string().max(10_000) }),
  z.object({ type: z.literal('beat'), inspected: z.boolean().optional() }),
]);

const fromFeed = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('feed'),
    state: z.enum(['connecting', 'unavailable', 'standby', 'leading', 'closed']),
    note: note.optional(),
  }),
  z.object({ type: z.literal('stats'), stats: z.record(z.string().max(100), z.number()) }),
  z.object({ type: z.literal('beat'), inspected: z.boolean().optional() }),
  z.object({ type: z.literal('channel'), channel: z.string().max(100), body: z.unknown() }),
]);

export type FromFeed = z.output<typeof fromFeed>;
export type ChannelMessage = Extract<FromWorker, { type: 'channel' }>;
export type FromWorker = z.output<typeof fromWorker>;
export type FromPrimary =
  | Exclude<z.output<typeof fromPrimary>, { type: 'welcome' }>
  | { readonly type: 'welcome'; readonly slot: number; readonly config: Config };
export type FromServices = z.output<typeof fromServices>;

/** Undefined when it is not one of ours. Node's own cluster messages never get here. */
export function readFromWorker(message: unknown): FromWorker | undefined {
  return fromWorker.safeParse(message).data;
}

export function readFromPrimary(message: unknown): FromPrimary | undefined {
  return fromPrimary.safeParse(message).data as FromPrimary | undefined;
}

export function readFromFeed(message: unknown): FromFeed | undefined {
  return fromFeed.safeParse(message).data;
}

export function readFromServices(message: unknown): FromServices | undefined {
  return fromServices.safeParse(message).data;
}
