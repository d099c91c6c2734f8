import type { Arrival } from '../../visitor/arrival.ts';
import type { PageRequest, Visitor } from './page-request.ts';

/** One request. The visitor is asked for when it has to wait, and not before. */
export class Visit {
  readonly request: PageRequest;
  /** Of the page whose address it is, whatever answers in the end. */
  readonly hasInputs: boolean;
  #visitor: Visitor | undefined = undefined;
  #arrival: Arrival | undefined = undefined;

  constructor(request: PageRequest, hasInputs: boolean) {
    this.request = request;
    this.hasInputs = hasInputs;
  }

  get arrival(): Arrival | undefined {
    this.#arrival ??= this.request.arrival?.();
    return this.#arrival;
  }

  /** Where its visitor was looked at. */
  get logId(): string | undefined {
    return this.#arrival?.logId;
  }

  get visitor(): Visitor {
    this.#visitor ??= this.request.waits();
    return this.#visitor;
  }

  get isGone(): boolean {
    return this.#visitor?.signal.aborted === true;
  }
}
