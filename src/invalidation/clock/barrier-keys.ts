// A mark is a key that travels with purges and purges nothing: whoever made it waits until it is heard. It has no slot in
// the purge clock, so that waiting costs nobody a render.
import type { DependencyKey } from '../../core/units.ts';

const PREFIX = '@mark:';

export function barrierKey(id: string): DependencyKey {
  return `${PREFIX}${id}`;
}

export function isBarrierKey(key: DependencyKey): boolean {
  return key.startsWith(PREFIX);
}
