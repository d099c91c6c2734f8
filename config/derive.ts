// From what was written to what is meant: `auto` worked out, and settings checked against each other.
import { accessSync, constants } from 'node:fs';
import { filesOf } from '../src/core/database-url.ts';
import type { Config } from './config.ts';
import type { Mistake } from './errors.ts';
import type { Machine } from './machine.ts';
import type { Values } from './settings.ts';

const MiB = 1024 * 1024;
/** Closing pools, flushing logs and leaving, after the last answer. Part of the sum that must fit GRACE_MS. */
const CLOSE_MS = 3000;

export function derive(values: Values, machine: Machine, production: boolean): Config {
  const workers = values.workers === 'auto' ? machine.cpus : values.workers;
  return {
    ...values,
    workers,
    heapMaxMb:
      values.heapMaxMb === 'auto'
        ? heapMb(machine.memoryBytes, values.l1MaxBytes, workers)
        : values.heapMaxMb,
    renderConcurrency: values.renderConcurrency === 'auto' ? 2 * values.dbPoolMax : values.renderConcurrency,
    degradedTtlMs:
      values.degradedTtlMs === 'auto' ? Math.floor(values.coherenceBoundMs / 2) : values.degradedTtlMs,
    shutdownDelayMs: values.shutdownDelayMs === 'auto' ? (production ? 5000 : 0) : values.shutdownDelayMs,
    // Whether it can work here is found out by trying: the primary turns it off where it cannot.
    feed: values.feed === 'off' ? 'off' : 'on',
    feedRequired: values.feed === 'on' || (values.feed === 'auto' && values.feedDatabaseUrl !== undefined),
    production,
  };
}

/** A quarter is left to what is not heap: buffers, stacks, code, the system. 96 MiB is the primary. */
function heapMb(memoryBytes: number, l1MaxBytes: number, workers: number): number {
  const share = (memoryBytes * 0.75 - 96 * MiB - l1MaxBytes) / workers / MiB;
  return Math.round(Math.min(4096, Math.max(128, share)));
}

/** Mistakes that no single setting shows. */
export function contradictions(config: Config, machine: Machine): Mistake[] {
  const found: Mistake[] = [];
  const wrong = (name: string, value: unknown, allowed: string) =>
    found.push({ name, value: String(value), allowed });

  if (!isLoopback(config.opsHost) && config.opsToken === undefined) {
    wrong('OPS_HOST', config.opsHost, 'is not loopback, so OPS_TOKEN must be set (at least 16 characters)');
  }
  if (config.port !== 0 && config.port === config.opsPort) {
    wrong('OPS_PORT', config.opsPort, 'must differ from PORT');
  }
  if (config.renderSoftTimeoutMs > config.renderTimeoutMs) {
    wrong(
      'RENDER_SOFT_TIMEOUT_MS',
      config.renderSoftTimeoutMs,
      `must be at most RENDER_TIMEOUT_MS (${config.renderTimeoutMs})`,
    );
  }
  if (config.degradedTtlMs > config.coherenceBoundMs / 2) {
    wrong(
      'DEGRADED_TTL_MS',
      config.degradedTtlMs,
      `must be at most half of COHERENCE_BOUND_MS (${config.coherenceBoundMs / 2})`,
    );
  }
  if (config.warmTimeoutMs >= config.bootTimeoutMs) {
    wrong(
      'WARM_TIMEOUT_MS',
      config.warmTimeoutMs,
      `must be shorter than BOOT_TIMEOUT_MS (${config.bootTimeoutMs})`,
    );
  }
  incompleteTargets(config, wrong);
  const stopMs = config.shutdownDelayMs + config.drainTimeoutMs + CLOSE_MS;
  if (stopMs > config.graceMs) {
    wrong(
      'GRACE_MS',
      config.graceMs,
      `must be at least SHUTDOWN_DELAY_MS + DRAIN_TIMEOUT_MS + ${CLOSE_MS} = ${stopMs}`,
    );
  }
  if (config.clusterScheduling === 'reuseport' && !hasReusePort(machine)) {
    wrong(
      'CLUSTER_SCHEDULING',
      'reuseport',
      `needs Linux and Node 22.12 or newer; this is Node ${machine.node} on ${machine.platform}`,
    );
  }
  const addresses = { DATABASE_URL: config.databaseUrl, FEED_DATABASE_URL: config.feedDatabaseUrl };
  for (const [name, url] of Object.entries(addresses)) {
    for (const file of url === undefined ? [] : filesOf(url)) {
      if (!isReadable(file)) wrong(name, '(hidden)', `names a file that cannot be read: ${file}`);
    }
  }
  if (config.production && config.databaseUrl === undefined) {
    found.push({
      name: 'DATABASE_URL',
      value: undefined,
      allowed: 'must be set when NODE_ENV=production: nothing is embedded there',
    });
  }
  return found;
}

/** What tells others of purges comes in parts that need each other. */
function incompleteTargets(
  config: Config,
  wrong: (name: string, value: unknown, allowed: string) => void,
): void {
  const { purgeWebhookUrl, purgeWebhookSecret, cdnPurge, cdnPurgeUrl, cdnPurgeToken, surrogateKeys } = config;
  if (purgeWebhookUrl !== undefined && purgeWebhookSecret === undefined)
    wrong('PURGE_WEBHOOK_SECRET', 'unset', 'must be set beside PURGE_WEBHOOK_URL (at least 16 characters)');
  if (cdnPurge === undefined) return;
  if (cdnPurgeUrl === undefined) wrong('CDN_PURGE_URL', 'unset', `must be set with CDN_PURGE=${cdnPurge}`);
  if (cdnPurgeToken === undefined)
    wrong('CDN_PURGE_TOKEN', 'unset', `must be set with CDN_PURGE=${cdnPurge}`);
  if (!surrogateKeys)
    wrong(
      'SURROGATE_KEYS',
      'off',
      `must be on with CDN_PURGE=${cdnPurge}: it is purged by what pages are told to be made from`,
    );
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function hasReusePort({ node, platform }: Machine): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return (
    platform === 'linux' && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12))
  );
}
