// Who is told of purges outside of this fleet, as the settings and the application say; and what the application declares.
import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { Outbox, type OutboxOptions } from '../data/feed/outbox.ts';
import { MAX_KEY_LENGTH } from '../invalidation/bus/purge-message.ts';
import type { ApplicationSettings } from '../page/definitions/settings.ts';
import { ApplicationError } from '../page/errors.ts';
import { CallbackTarget, type PurgeCallback } from '../watchers/callback.ts';
import { Fastly } from '../watchers/fastly.ts';
import type { Target } from '../watchers/target.ts';
import { Watchers } from '../watchers/watchers.ts';
import { Webhook } from '../watchers/webhook.ts';

export interface WatchersParts {
  readonly config: Config;
  readonly declare: ApplicationSettings['declare'];
  /** Where declared edges go. */
  readonly addDependency: (key: string, dependsOn: string) => void;
  readonly database: OutboxOptions['database'];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Undefined: there are no receivers. Errors: `E_APPLICATION` for what an application cannot mean. */
export function openWatchers(parts: WatchersParts): Watchers | undefined {
  const { config, declare, addDependency, database, clock, logger } = parts;
  const targets = ofSettings(config, clock);
  declare?.({
    addDependency: (key, dependsOn) => {
      addDependency(keyOf('addDependency', key), keyOf('addDependency', dependsOn));
    },
    watch: (pattern, callback) => {
      targets.push(watcher(pattern, callback, targets, clock));
    },
  });
  if (targets.length === 0) return undefined;
  const outbox = new Outbox({ database, fleet: config.feedSlot ?? '', newId: randomUUID });
  return new Watchers({ targets, outbox, clock, logger, random: Math.random });
}

function ofSettings(config: Config, clock: Clock): Target[] {
  const { purgeWebhookUrl: hook, purgeWebhookSecret: secret, cdnPurgeUrl, cdnPurgeToken: token } = config;
  const targets: Target[] = [];
  // config/derive.ts sees to it that what belongs together is there together.
  if (hook !== undefined && secret !== undefined) targets.push(new Webhook({ url: hook, secret, clock }));
  if (config.cdnPurge === 'fastly' && cdnPurgeUrl !== undefined && token !== undefined)
    targets.push(new Fastly({ url: cdnPurgeUrl.replace(/\/+$/, ''), token, clock }));
  return targets;
}

/** The same name in every process and after a restart, as long as the application declares the same in the same order. */
function watcher(pattern: string, callback: PurgeCallback, targets: readonly Target[], clock: Clock): Target {
  if (typeof callback !== 'function') throw new ApplicationError(`app: watch('${pattern}') has no callback.`);
  const checked = keyOf('watch', pattern);
  const before = targets.filter((target) => target instanceof CallbackTarget && target.pattern === checked);
  return new CallbackTarget(`watch:${checked}:${before.length + 1}`, checked, callback, clock);
}

function keyOf(what: string, key: unknown): string {
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY_LENGTH && !key.startsWith('@'))
    return key;
  throw new ApplicationError(
    `app: ${what}() was given '${String(key).slice(0, 60)}', which is no key: a text of 1 to ${MAX_KEY_LENGTH} characters that does not begin with '@'.`,
  );
}
