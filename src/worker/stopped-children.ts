// The database and the Redis of a development machine, when a signal has stopped them (SIGSTOP): they hold their ports and
// answer nothing, for ever. They are killed, and their parents start them again.
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { Heartbeat, stateOfProcess } from '../host-link/heartbeat.ts';

export class StoppedChildren {
  readonly #clock: Clock;
  readonly #seen = new Map<number, Heartbeat>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Called every second. The pids of what was killed. */
  look(): number[] {
    const descendants = descendantsOf(process.pid);
    for (const pid of this.#seen.keys()) if (!descendants.has(pid)) this.#seen.delete(pid);
    return [...descendants].filter((pid) => {
      const heartbeat = this.#seen.get(pid) ?? new Heartbeat(this.#onlyState(pid));
      this.#seen.set(pid, heartbeat);
      return heartbeat.look() === 'stopped' && process.kill(pid, 'SIGKILL');
    });
  }

  /** They say nothing to us, so silence means nothing. */
  #onlyState(pid: number): ConstructorParameters<typeof Heartbeat>[0] {
    const never = Number.POSITIVE_INFINITY;
    return { pid, timeoutMs: never, bootTimeoutMs: never, clock: this.#clock, stateOf: stateOfProcess };
  }
}

/** None where there is no /proc. */
function descendantsOf(ancestor: number): Set<number> {
  const found = new Set([ancestor]);
  const parents = new Map(processes().map((pid) => [pid, parentOf(pid)]));
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (parent !== undefined && found.has(parent)) found.add(pid);
  }
  found.delete(ancestor);
  return found;
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // It has gone meanwhile.
  }
}
