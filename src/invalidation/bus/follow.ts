import type { PurgeClock } from '../clock/clock.ts';
import type { BusListener, Purge, PurgeBus } from './bus.ts';

/** Keeps a clock at the bus's head. The answer stops it. */
export function follow(
  bus: Pick<PurgeBus, 'subscribe'>,
  clock: PurgeClock,
  newEpoch: () => string,
): () => void {
  const listener: BusListener = {
    purge(purge: Purge) {
      const applied = purge.epoch === clock.epoch ? clock.apply(purge.seq, purge.keys, purge.kind) : 'gap';
      // The bus promised no holes. If it broke its word nothing we hold can be trusted, and an epoch of our own
      // name makes every entry, also those of other workers, suspect until the bus resets us.
      if (applied === 'gap') clock.beginEpoch(newEpoch());
    },
    reset(epoch, seq, state) {
      if (state === undefined) clock.beginEpoch(epoch, seq);
      else clock.load(state);
    },
  };
  return bus.subscribe(listener);
}
