/** A place in a queue; the queue runs through its members. */
export interface Member<M> {
  older: M | undefined;
  newer: M | undefined;
}

/** First in, first out; adding and removing cost the same at any length. */
export class Queue<M extends Member<M>> {
  #oldest: M | undefined;
  #newest: M | undefined;

  get oldest(): M | undefined {
    return this.#oldest;
  }

  get newest(): M | undefined {
    return this.#newest;
  }

  /** It may stand in no queue yet. */
  append(member: M): void {
    member.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = member;
    else this.#newest.newer = member;
    this.#newest = member;
  }

  /** It must stand in this queue. */
  remove(member: M): void {
    const { older, newer } = member;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    // What is gone must not hold on to others.
    member.older = undefined;
    member.newer = undefined;
  }
}
