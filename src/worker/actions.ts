// Actions of pages and endpoints as a worker answers them: who runs them, with what they write, and how they learn that others see it.
import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { UnheardRejections } from '../core/unheard-rejections.ts';
import type { Database } from '../data/read/database.ts';
import { EndpointHandler } from '../http/endpoint/endpoint-handler.ts';
import { FormHandler } from '../http/form-handler.ts';
import type { Limits } from '../http/limits/limits.ts';
import { Visibility } from '../invalidation/bus/visibility.ts';
import type { Application } from '../page/application/application.ts';
import type { PageRenderer } from '../page/render/renderer.ts';
import { PageActions } from '../page/request/actions.ts';
import type { Admission } from '../page/request/admission.ts';
import { Endpoints } from '../page/request/endpoints.ts';
import type { HoleFiller } from '../page/request/hole-filler.ts';
import type { Throttle } from '../visitor/throttle/throttle.ts';
import type { PurgeStream } from './purge-stream.ts';

export interface ActionsParts {
  readonly config: Config;
  readonly application: Application;
  readonly renderer: PageRenderer;
  readonly admission: Admission;
  readonly throttle: Throttle;
  readonly purgeStream: PurgeStream;
  readonly database: Database;
  readonly limits: Limits;
  readonly rejections: UnheardRejections;
  readonly holes: HoleFiller;
  readonly clock: Clock;
  readonly log: Logger;
}

export function openActions(parts: ActionsParts): {
  readonly door: FormHandler;
  readonly actions: PageActions;
  readonly endpoints: EndpointHandler;
} {
  const {
    config,
    application,
    renderer,
    admission,
    throttle,
    purgeStream,
    database,
    limits,
    rejections,
    holes,
    clock,
    log,
  } = parts;
  const newId = () => randomBytes(6).toString('hex');
  const visibility = new Visibility({
    bus: purgeStream.bus,
    clock,
    logger: log,
    newId: () => randomBytes(12).toString('hex'),
    // A transaction of its own, behind all that have returned: it may write to the log, though not to tables.
    write: (keys) =>
      database.command(`SELECT pg_logical_emit_message(true, 'coherent', $1)`, [JSON.stringify(keys)]),
    followed: config.feed === 'on',
  });
  purgeStream.bus.subscribe(visibility);
  const common = {
    writing: {
      writeScope: (signal: AbortSignal) => database.writeScope(signal),
      visible: (withinMs: number | undefined) => visibility.wait(withinMs),
    },
    fetch: globalThis.fetch,
    rejections,
    clock,
    log,
    random: Math.random,
    showErrors: !config.production,
    personalErrors: config.logPersonalErrors,
    timeoutMs: config.renderTimeoutMs,
  };
  const stamp = () => purgeStream.validity.stamp();
  const actions = new PageActions({ ...common, application, renderer, admission, throttle, stamp, newId });
  const { maxBodyBytes } = limits;
  const { publicOrigin } = config;
  const endpoints = new EndpointHandler({
    routes: application.router,
    endpoints: new Endpoints(common),
    admission,
    failurePages: (props) => renderer.failure(props, []),
    documentPolicy: application.security.plain,
    now: () => clock.now(),
    maxBodyBytes,
    publicOrigin,
    newId,
  });
  return { actions, endpoints, door: new FormHandler({ actions, maxBodyBytes, publicOrigin, holes }) };
}
