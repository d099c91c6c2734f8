// Stopping what runs. An AbortController with its signal costs as much as a small render, and most renders are over
// before any listener could have been added: so a Stop is made in its place, and the platform's signal only where it is asked for.

/** What those need who only listen; the platform's AbortSignal is one. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Says once that something is to stop, and why. Each listener is called once. */
export class Stop implements StopSignal {
  aborted = false;
  reason: unknown = undefined;
  #listeners: Set<() => void> | undefined;
  #controller: AbortController | undefined;

  /** The same for the platform and what is built on it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#controller?.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return;
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }
}

/** The platform's signal of either. */
export function abortSignalOf(signal: StopSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  if (signal instanceof Stop) return signal.signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}

/** Throws the reason of what was stopped. */
export function throwIfStopped(signal: StopSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason;
}
