// The defences, and how each is switched off in a copy of the built server: a check that cannot fail proves nothing.
// Texts are replaced in the compiled files, and one that is not there any more is an error, not a pass.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Build } from '../support/built-server.ts';

export interface Defence {
  /** What it is for. */
  readonly against: string;
  readonly edits: readonly Edit[];
  /** Under which the check must find pages that are too old. */
  readonly faults: readonly string[];
}

interface Edit {
  /** Below dist/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const DEFENCES: Readonly<Record<string, Defence>> = {
  stamp: {
    against: 'a purge that comes between the first read of a render and its end',
    edits: [
      {
        file: 'src/cache/render/renders.js',
        from: '(filled) => this.#keep(trip, turn, filled, begunAt)',
        to: '(filled) => this.#keep(trip, turn, { ...filled, value: { ...filled.value, stamp: this.#options.validity.stamp() } }, begunAt)',
      },
    ],
    faults: ['calm'],
  },
  lease: {
    against: 'a worker that cannot hear of purges',
    edits: [
      {
        file: 'src/invalidation/clock/lease.js',
        from: 'this.#trustedUntil = Number.NEGATIVE_INFINITY;',
        to: 'this.#trustedUntil = Number.POSITIVE_INFINITY;',
      },
      {
        file: 'src/invalidation/clock/lease.js',
        from: 'if (now < this.#trustedUntil) {',
        to: 'if (now > this.#trustedUntil) {',
      },
    ],
    faults: ['cut Redis', 'silence Redis'],
  },
  freshness: {
    against: 'a change feed that lags, hangs or is dead',
    edits: [
      { file: 'src/worker/purge-stream.js', from: "needsFresh: feed === 'on'", to: 'needsFresh: false' },
    ],
    faults: ['stop feeds'],
  },
  'catch-up': {
    against: 'a purge that was said while nobody listened',
    edits: [
      {
        file: 'src/invalidation/bus/follower.js',
        from: 'const missing = await this.#options.source.readSince(position, state.seq);',
        to: 'this.#position = { epoch: position.epoch, seq: state.seq }; const missing = [];',
      },
      {
        file: 'src/invalidation/clock/clock.js',
        from: "if (seq !== this.#seq + 1)\n            return 'gap';",
        to: '',
      },
    ],
    faults: ['kill subscribers'],
  },
  visibility: {
    against: 'a change that is in the log before anybody can read it',
    edits: [
      {
        file: 'src/data/feed/publisher.js',
        from: 'this.#options.gate === false ?',
        to: 'this.#options.gate !== 0 ?',
      },
    ],
    faults: ['hold commits', 'hold commits', 'hold commits'],
  },
  epoch: {
    against: 'numbers that begin anew',
    edits: [
      {
        file: 'src/invalidation/clock/clock.js',
        from: 'if (stamp.epoch !== this.#epoch)',
        to: 'if (stamp.epoch === undefined)',
      },
    ],
    faults: ['empty Redis', 'flush Redis'],
  },
  'run of Redis': {
    against: 'a Redis that came back with what it held before',
    edits: [
      {
        file: 'src/invalidation/redis/redis-bus-scripts.js',
        from: 'or state[2] ~= run or',
        to: 'or',
      },
      {
        file: 'src/invalidation/redis/redis-bus-scripts.js',
        from: '(epoch == ARGV[5] and seq < tonumber(ARGV[6]))',
        to: 'false',
      },
    ],
    faults: ['crash Redis', 'fail over Redis', 'crash Redis'],
  },
  'age of what is joined': {
    against: 'a slow render that read its data long before a request joins it, while purges may be missing',
    edits: [
      {
        file: 'src/cache/stack/stack.js',
        from: '(isOwn || this.#isRecent(flightResult, readSinceMs))',
        to: 'true',
      },
    ],
    faults: ['pause Redis for long', 'pause Redis for long'],
  },
  'age of what stands in': {
    against: 'an old entry in the place of a slow render, while purges may be missing',
    edits: [
      {
        file: 'src/cache/memory/cached-entry.js',
        from: 'const mayStandIn = believable || value.errorUntilMs > value.freshUntilMs;',
        to: 'const mayStandIn = true;',
      },
      {
        file: 'src/cache/stack/stack.js',
        from: 'if (!isBelievable(cached.value, this.#validity, this.#clock, nowMs))',
        to: 'if (false)',
      },
    ],
    faults: ['pause Redis for long', 'pause Redis for long'],
  },
  'age by a clock that was set back': {
    against: 'an entry that seems to be made in the future, while only its age vouches for it',
    edits: [
      { file: 'src/cache/memory/cached-entry.js', from: 'ageMs >= 0 && ', to: '' },
      {
        file: 'src/cache/memory/cached-entry.js',
        from: 'Math.max(clock.now(), clock.monotonic() + this.#wallAheadMs)',
        to: 'clock.now()',
      },
      {
        file: 'src/cache/shared/envelope.js',
        from: 'if (remainingMs > ttlMs + ROUNDING_MS)',
        to: 'if (false)',
      },
    ],
    faults: ['set clocks back + silence Redis', 'set clocks back + silence Redis'],
  },
  'new slot, new epoch': {
    against: 'changes that no slot has kept',
    edits: [{ file: 'src/data/feed/feed.js', from: 'if (isSame)', to: 'if (isSame || true)' }],
    faults: ['drop slot', 'lose log'],
  },
  'which database': {
    against: 'pages that are read from another server than the one whose log is followed',
    edits: [
      {
        file: 'src/data/feed/pages-database.js',
        from: 'serverName(found) !== serverName(followed)',
        to: 'false',
      },
      { file: 'src/invalidation/redis/redis-bus.js', from: 'speaksOf !== owner.server', to: 'false' },
    ],
    faults: ['pages move to a clone'],
  },
};

/** A copy of the build without one defence. */
export function without(name: string, build: Build): Build {
  const edited = editsOf(name, build);
  const folder = mkdtempSync(join(tmpdir(), 'crs-without-'));
  cpSync(join(build.folder, 'package'), join(folder, 'package'), { recursive: true, verbatimSymlinks: true });
  for (const [file, text] of edited) writeFileSync(join(folder, 'package/dist', file), text);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The files as they are without it, by their paths below dist/. Throws where it is not built as it was. */
export function editsOf(name: string, build: Build): ReadonlyMap<string, string> {
  const defence = DEFENCES[name];
  if (defence === undefined)
    throw new Error(`There is no defence '${name}'. Known: ${Object.keys(DEFENCES).join(', ')}`);
  const edited = new Map<string, string>();
  for (const { file, from, to } of defence.edits) {
    const text = edited.get(file) ?? readFileSync(join(build.folder, 'package/dist', file), 'utf8');
    const parts = text.split(from);
    if (parts.length !== 2)
      throw new Error(
        `The defence '${name}' cannot be switched off: ${file} has ${parts.length - 1} times: ${from}`,
      );
    edited.set(file, parts.join(to));
  }
  return edited;
}
