// What a start says: a few lines for a person at a terminal, one JSON line for a log. Addresses are shown by
// host only: a banner is the first thing to be copied into a chat.
import { hostOf } from '../../config/report.ts';
import type { Started } from './primary.ts';

export interface BannerFacts extends Started {
  readonly version: string;
  readonly node: string;
}

/** Not to be taken for one's own: it has a schema and rows. */
const SAMPLE = 'the sample (APP names yours)';

/** What is off for want of a setting, and how to turn it on. */
function offNotes({ config }: Started): string[] {
  const notes: string[] = [];
  if (config.redisUrl === undefined)
    notes.push(
      `Redis is off, so this host works alone. Set REDIS_URL to share cache and purges${config.production ? '' : ', or install redis-server or valkey-server: then a private one runs here'}.`,
    );
  if (config.publicOrigin === undefined && config.production) {
    notes.push('Canonical links are relative. Set PUBLIC_ORIGIN to make them absolute.');
  }
  if (config.allowedHosts === undefined && config.production) {
    notes.push('Pages are served for every host. Set ALLOWED_HOSTS to those that are yours.');
  }
  if (config.l1MaxBytes === 0)
    notes.push('The memory tier is off (L1_MAX_BYTES=0): every page is rendered again.');
  return notes;
}

export function banner(facts: BannerFacts): string {
  const { config, embedded } = facts;
  const rows: readonly (readonly [string, string])[] = [
    ['Application', config.app ?? SAMPLE],
    ['Pages', pagesUrl(facts)],
    ['Operations', `http://${atHost(config.opsHost)}:${facts.opsPort}/readyz`],
    ['Workers', workers(facts)],
    [
      'Postgres',
      where(config.databaseUrl, embedded?.databaseUrl !== undefined, `${config.dataDir}/postgres`),
    ],
    ['Redis', where(config.redisUrl, embedded?.redisUrl !== undefined, `${config.dataDir}/redis`)],
  ];
  const lines = [
    `coherent-render-server ${facts.version} on Node ${facts.node}${config.production ? '' : ' (development)'}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`),
    ...[...facts.notes, ...offNotes(facts)].map((note) => `  - ${note}`),
  ];
  return `\n${lines.join('\n')}\n\n`;
}

export function bannerLine(facts: BannerFacts): string {
  const { config, embedded } = facts;
  return `${JSON.stringify({
    level: 'info',
    time: new Date().toISOString(),
    msg: 'serving',
    version: facts.version,
    node: facts.node,
    application: config.app ?? SAMPLE,
    url: pagesUrl(facts),
    operations: `http://${atHost(config.opsHost)}:${facts.opsPort}`,
    workers: facts.serving,
    postgres: config.databaseUrl === undefined ? null : hostOf(config.databaseUrl),
    redis: config.redisUrl === undefined ? null : hostOf(config.redisUrl),
    embedded: [embedded?.databaseUrl && 'postgres', embedded?.redisUrl && 'redis'].filter(Boolean),
    notes: [...facts.notes, ...offNotes(facts)],
  })}\n`;
}

function pagesUrl({ config }: Started): string {
  return config.publicOrigin ?? `http://${atHost(config.host)}:${config.port}`;
}

/** The address to type for an address to listen on. */
function atHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function workers({ serving, config }: Started): string {
  return serving === config.workers ? String(serving) : `${serving} of ${config.workers}: see the log above`;
}

function where(address: string | undefined, isEmbedded: boolean, folder: string): string {
  if (address === undefined) return 'off';
  if (!isEmbedded) return hostOf(address);
  // A socket lies in the folder anyway.
  const at = address.startsWith('unix:') ? '' : ` at ${hostOf(address)}`;
  return `embedded${at}, data in ${folder}`;
}
