// Whether a process of ours still runs, as far as can be told from outside; looked at once a second.
//
//   well      it was heard of within its time (another one while it boots), or cannot be blamed: a debugger is attached
//   silent    it was not: a busy loop, or whatever else keeps its event loop from turning
//   stopped   the kernel has it stopped (SIGSTOP, SIGTSTP), seen at STOPPED_LOOKS looks in a row. A suspended job that
//             is continued as a whole (Ctrl-Z, fg) is thus not taken apart by whichever of its processes wakes first
//
// The observer must `pardon` all processes when it was held up itself: a suspended machine, a frozen container.
import { readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';

const STOPPED_LOOKS = 2;

/** For the log. */
export const WHY_KILLED = { silent: 'says nothing any more', stopped: 'is stopped by a signal' } as const;

export interface HeartbeatOptions {
  readonly pid: number | undefined;
  readonly timeoutMs: Milliseconds;
  readonly bootTimeoutMs: Milliseconds;
  readonly clock: Clock;
  readonly stateOf: (pid: number) => string | undefined;
}

export class Heartbeat {
  /** A debugger is attached, by its own account: it may stand at a breakpoint. */
  isInspected = false;
  isBooting = true;
  #heardMs: Milliseconds;
  #stoppedLooks = 0;
  readonly #options: HeartbeatOptions;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardMs = options.clock.monotonic();
  }

  get silentMs(): Milliseconds {
    return this.#options.clock.monotonic() - this.#heardMs;
  }

  heard(): void {
    this.#heardMs = this.#options.clock.monotonic();
  }

  pardon(): void {
    this.heard();
    this.#stoppedLooks = 0;
  }

  look(): 'well' | 'silent' | 'stopped' {
    const { pid, stateOf, timeoutMs, bootTimeoutMs } = this.#options;
    const state = pid === undefined ? undefined : stateOf(pid);
    this.#stoppedLooks = state === 'T' ? this.#stoppedLooks + 1 : 0;
    if (this.#stoppedLooks >= STOPPED_LOOKS) return 'stopped';
    // Stopped by a tracer (gdb, strace).
    if (state === 't' || this.isInspected) return 'well';
    return this.silentMs > (this.isBooting ? bootTimeoutMs : timeoutMs) ? 'silent' : 'well';
  }
}

/** The kernel's letter for what a process does (proc(5)); undefined where that cannot be read. */
export function stateOfProcess(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it stands in parentheses, and may hold some itself.
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}
