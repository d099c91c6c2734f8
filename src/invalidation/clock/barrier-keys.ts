// A barrier key travels with purges and purges nothing: its maker waits until it is heard. It has no slot in
// the purge clock, so that waiting costs no render.
import type { DependencyKey } from '../../core/units.ts';

const PREFIX = '@mark:';

export function barrierKey(id: string): DependencyKey {
  return `${PREFIX}${id}`;
}

export function isBarrierKey(key: DependencyKey): boolean {
  return key.startsWith(PREFIX);
}
