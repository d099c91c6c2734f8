import type { Bytes } from '../../core/units.ts';
import { type Member, Queue } from './queue.ts';

/** An entry of a group. */
export interface Grouped<M> extends Member<M> {
  readonly group: string;
  readonly bytes: Bytes;
  /** Read since its group last looked for something to evict. */
  touched: boolean;
}

interface Group<M extends Member<M>> {
  readonly queue: Queue<M>;
  entries: number;
  bytes: Bytes;
}

/** The entries of each group in the order in which they are looked at for eviction, and what they weigh. */
export class GroupQueues<M extends Grouped<M>> {
  readonly #maxGroupBytes: Bytes;
  readonly #groups = new Map<string, Group<M>>();

  constructor(maxGroupBytes: Bytes) {
    this.#maxGroupBytes = maxGroupBytes;
  }

  enter(member: M): void {
    const group = this.#groups.get(member.group) ?? { queue: new Queue<M>(), entries: 0, bytes: 0 };
    this.#groups.set(member.group, group);
    group.queue.append(member);
    group.entries++;
    group.bytes += member.bytes;
  }

  /** It must stand in its group's queue. */
  leave(member: M): void {
    const group = this.#groups.get(member.group);
    if (group === undefined) return;
    group.queue.remove(member);
    group.entries--;
    group.bytes -= member.bytes;
    if (group.entries === 0) this.#groups.delete(member.group);
  }

  /**
   * The one to evict so that the newcomer's group comes down to its share; undefined once it has. Second chance: the oldest
   * goes, unless it was read since we last looked; then it goes to the end of the queue. The newcomer stays: it fits.
   */
  victim(newcomer: M): M | undefined {
    const group = this.#groups.get(newcomer.group);
    if (group === undefined) return undefined;
    const { queue } = group;
    while (group.bytes > this.#maxGroupBytes) {
      const oldest = queue.oldest;
      if (oldest === undefined) return undefined;
      if (!oldest.touched && oldest !== newcomer) return oldest;
      oldest.touched = false;
      queue.remove(oldest);
      queue.append(oldest);
    }
    return undefined;
  }

  all(): { readonly group: string; readonly entries: number; readonly bytes: Bytes }[] {
    return [...this.#groups].map(([group, { entries, bytes }]) => ({ group, entries, bytes }));
  }
}
