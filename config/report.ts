import type { Config } from './config.ts';
import type { LoadedConfig } from './load.ts';
import { keys } from './load.ts';
import type { Setting } from './settings/setting.ts';
import { type Key, settings } from './settings.ts';

/** What `coherent-server config` prints: every setting, its value and where that came from. */
export interface ReportLine {
  readonly name: string;
  /** Secrets are masked. Undefined: off. */
  readonly value: string | number | boolean | undefined;
  readonly source: string;
}

export function report({ config, sources }: LoadedConfig): ReportLine[] {
  return keys.map((key) => ({ name: settings[key].name, value: shown(key, config), source: sources[key] }));
}

export function formatReport(lines: readonly ReportLine[]): string {
  const rows = lines.map(
    ({ name, value, source }) => [name, value === undefined ? '-' : String(value), source] as const,
  );
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [nameWidth, valueWidth] = [width(0), width(1)];
  return rows
    .map(([name, value, source]) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${source}`)
    .join('\n');
}

function shown(key: Key, config: Config): string | number | boolean | undefined {
  const value = config[key];
  const setting: Setting<unknown> = settings[key];
  if (setting.secret === undefined || value === undefined) return value;
  return masked(String(value));
}

/** An address keeps its host, so that one sees which server it is; its user, password and path do not show. */
function masked(secret: string): string {
  return URL.canParse(secret) ? `${new URL(secret).protocol}//***@${hostOf(secret)}/***` : '***';
}

/** `db.example.com:5432`; what a banner may say about an address. */
export function hostOf(address: string): string {
  if (!URL.canParse(address)) return '(unreadable address)';
  const { host, pathname, searchParams } = new URL(address);
  // Postgres by a unix socket: the folder stands where its parameters do.
  const folder = searchParams.get('host');
  if (folder !== null) return folder;
  return host === '' ? pathname : decodeURIComponent(host); // a unix socket has a path only
}
