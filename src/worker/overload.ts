// What a render worker does against too much to do, wired: what its process feels (http/overload.ts), and who may render
// (cache/render-slots.ts).
import type { Config } from '../../config/config.ts';
import { RenderSlots, type RenderSlotsStats } from '../cache/render/render-slots.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { Overload } from '../http/limits/overload.ts';

export interface OverloadGuardOptions {
  readonly config: Pick<
    Config,
    'renderConcurrency' | 'renderLineMs' | 'overloadLoopDelayMs' | 'overloadUtilization'
  >;
  readonly clock: Clock;
  readonly log: Logger;
  /** Every second: what was held back may go on, if the overload is over. */
  readonly onLook: () => void;
}

export interface OverloadGuard {
  readonly slots: RenderSlots;
  stats(): RenderSlotsStats & { readonly heap: number };
  close(): void;
}

export function guardAgainstOverload({ config, clock, log, onLook }: OverloadGuardOptions): OverloadGuard {
  const overload = new Overload({
    clock,
    log,
    limits: {
      loopDelayMs: config.overloadLoopDelayMs,
      loopUtilization: config.overloadUtilization / 100,
    },
    onLook,
  });
  const slots = new RenderSlots({
    clock,
    maxRunning: config.renderConcurrency,
    lineMs: config.renderLineMs,
    overloadLevel: () => overload.overloadLevel,
  });
  return {
    slots,
    stats: () => ({ ...slots.stats(), heap: overload.stats().heap }),
    close: () => overload.close(),
  };
}
