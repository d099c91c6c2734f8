/**
 * Runs concurrent work in an order that a seed decides: everything that could go on waits at a gate, and one gate at a
 * time is opened. The same seed gives the same history.
 */
export class Scheduler {
  readonly #random: () => number;
  #gates: (() => void)[] = [];
  #outside = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Resolves when it is this one's turn. */
  gate(): Promise<void> {
    return new Promise((resolve) => {
      this.#gates.push(resolve);
    });
  }

  /** Real I/O: no gate is opened until it is over. */
  async io<T>(work: () => Promise<T>): Promise<T> {
    this.#outside++;
    try {
      return await work();
    } finally {
      this.#outside--;
    }
  }

  /** Opens gates until none is left. Answers how many it opened. */
  async run(): Promise<number> {
    for (let opened = 0; ; opened++) {
      do await new Promise(setImmediate);
      while (this.#outside > 0);
      const index = Math.floor(this.#random() * this.#gates.length);
      const [open] = this.#gates.splice(index, 1);
      if (open === undefined) return opened;
      open();
    }
  }
}
