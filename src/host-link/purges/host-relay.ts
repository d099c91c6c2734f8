// The head of the purge stream where there is no Redis: the primary hands out the numbers and passes every purge to every
// worker of its host. It keeps the clock for those that come later, and over a restart:
//
//   stop in order   the clock is saved to `purge-clock`; the next start continues its epoch, so what lies on disk may
//                   be trusted again
//   any other end   there is no such file (the start before has taken it away), so a new epoch begins and everything
//                   on disk is suspect: purges may have been heard that were not written down
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Acknowledgement } from '../../invalidation/bus/acknowledgements.ts';
import { DataFolderError } from '../../invalidation/errors.ts';
import { type FromRelay, readToRelay, type ToRelay } from './host-messages.ts';
import { LocalBus } from './local-bus.ts';

/** One worker process. The same object for all of its messages. */
export interface Member {
  send(body: FromRelay): void;
}

export interface HostRelayOptions {
  /** A folder of this server's own (DATA_DIR). */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newEpoch: () => string;
  readonly slots?: number;
}

export class HostRelay {
  readonly #options: HostRelayOptions;
  readonly #bus: LocalBus;
  /** Those that listen; with their place on the list of acknowledgements where they serve pages. */
  readonly #members = new Map<Member, Acknowledgement | undefined>();
  #words = 0;
  #freshUntil: Milliseconds = Number.NEGATIVE_INFINITY;
  #freshServer = '';
  #savedVersion = -1;
  #version = 0;
  #epoch = '';
  #seq = 0;

  constructor(options: HostRelayOptions) {
    this.#options = options;
    assertWritable(options.folder);
    this.#bus = this.#continueOrBegin();
    this.#bus.subscribe({
      purge: ({ epoch, seq, kind, keys, committedMs }) => {
        this.#moveTo(epoch, seq);
        for (const member of this.#members.keys())
          member.send({ say: 'purge', epoch, seq, kind, keys: [...keys], committedMs });
      },
      reset: (epoch, seq) => {
        this.#moveTo(epoch, seq);
        // So that they read at once, and do not serve what is suspect until their next reading.
        for (const member of this.#members.keys()) member.send({ say: 'report' });
      },
    });
  }

  /** From a worker (or the feed). What is not understood is dropped. */
  receive(from: Member, body: unknown): void {
    const message = readToRelay(body);
    if (message === undefined) {
      this.#options.logger.warn({}, 'purge relay: dropped a message that is not of its protocol');
      return;
    }
    switch (message.ask) {
      case 'publish':
        void this.#bus
          .publish(message.keys, message.kind, message.committedMs)
          .then((published) => from.send({ say: 'published', id: message.id, ...published }));
        break;
      case 'state':
        // DATA_DIR was put back to an older copy: what the worker has seen is not in it, nor are the purges after it.
        if (this.#isBehind(message) || (message.seen !== undefined && this.#isBehind(message.seen)))
          this.#bus.beginEpoch();
        this.#members.set(from, this.#entryOf(message));
        from.send({
          say: 'state',
          id: message.id,
          epoch: this.#epoch,
          seq: this.#seq,
          freshMs: this.#freshMs(),
          server: this.#freshServer,
        });
        break;
      case 'leave':
        this.leave(from);
        break;
      case 'acknowledgements':
        this.#sendAcknowledgements(from, message.id);
        if (message.everybody) for (const member of this.#members.keys()) member.send({ say: 'report' });
        break;
      case 'clock':
        this.#sendClock(from, message.id);
        break;
      case 'fresh':
        this.#freshUntil = this.#options.clock.monotonic() + message.lifeMs;
        this.#freshServer = message.server;
        break;
      case 'epoch':
        this.#bus.beginEpoch();
        from.send({ say: 'published', id: message.id, epoch: this.#epoch, seq: this.#seq });
        break;
    }
  }

  leave(member: Member): void {
    this.#members.delete(member);
  }

  /** After a stop in order: the next start may go on from here. */
  async close(): Promise<void> {
    this.#members.clear();
    try {
      this.#write('purge-clock');
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        'purge relay: the clock could not be saved; the next start begins anew',
      );
    }
    await this.#bus.close();
  }

  #continueOrBegin(): LocalBus {
    const { folder, logger, newEpoch, slots } = this.#options;
    const common = { newEpoch, ...(slots === undefined ? {} : { slots }) };
    const file = join(folder, 'purge-clock');
    try {
      const snapshot = readFileSync(file);
      // Taken away at once: should this run end without saving, its successor must not go on from an older state.
      rmSync(file);
      return new LocalBus({ ...common, snapshot });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        logger.warn({ err: error }, 'purge relay: the saved clock cannot be used; a new epoch begins');
      }
      return new LocalBus(common);
    }
  }

  #moveTo(epoch: string, seq: number): void {
    this.#epoch = epoch;
    this.#seq = seq;
    this.#version++;
  }

  #isBehind({ epoch, seq }: { readonly epoch: string; readonly seq: number }): boolean {
    return epoch === this.#epoch && seq > this.#seq;
  }

  #entryOf({ member, epoch, seq }: Extract<ToRelay, { ask: 'state' }>): Acknowledgement | undefined {
    return member === undefined ? undefined : { name: member, word: String(this.#words++), epoch, seq };
  }

  #sendAcknowledgements(to: Member, id: number): void {
    const members = [...this.#members.values()].filter((entry) => entry !== undefined);
    to.send({ say: 'acknowledgements', id, epoch: this.#epoch, seq: this.#seq, members });
  }

  #freshMs(): Milliseconds {
    return Math.max(0, this.#freshUntil - this.#options.clock.monotonic());
  }

  /** Without an answer the worker asks again, and serves a micro-cache meanwhile. */
  #sendClock(to: Member, id: number): void {
    try {
      to.send({ say: 'clock', id, file: this.#saveForMembers() });
    } catch (error) {
      this.#options.logger.error(
        { err: error },
        'purge relay: the clock could not be written for a worker; see DATA_DIR',
      );
    }
  }

  #saveForMembers(): string {
    const name = 'purge-clock.members';
    if (this.#savedVersion !== this.#version) this.#write(name);
    this.#savedVersion = this.#version;
    return join(this.#options.folder, name);
  }

  /** By rename, so that a reader never sees half of one. */
  #write(name: string): void {
    const file = join(this.#options.folder, name);
    writeFileSync(`${file}.new`, this.#bus.save());
    renameSync(`${file}.new`, file);
  }
}

/** Found at the start, before anybody is served. Errors: `E_DATA_DIR`. */
function assertWritable(folder: string): void {
  const probe = join(folder, `.writable-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new DataFolderError(folder, error);
  }
}
