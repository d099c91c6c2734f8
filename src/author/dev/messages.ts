// Between `coherent-server dev` and the process that runs the application.
//
//   parent -> { type: 'start', start }
//   child  -> { type: 'ready', url, pages } | { type: 'failed', code, message }
//          -> { type: 'beat' }       each second: its event loop turns
//          -> { type: 'restart', why }   what it has read once has changed: settings, packages, vite.config
import type { Config } from '../../../config/config.ts';

export interface DevStart {
  readonly config: Config;
  readonly databaseUrl: string;
  /** Of the sources; absolute. */
  readonly folder: string;
  readonly project: string;
  /** Beside those of this machine. Empty: it listens on loopback. */
  readonly hosts: readonly string[];
  /** Check types beside the pages. */
  readonly types: boolean;
}

export type FromDev =
  | { readonly type: 'ready'; readonly url: string; readonly pages: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'beat' }
  | { readonly type: 'restart'; readonly why: string };

const TYPES = new Set(['ready', 'failed', 'beat', 'restart']);

export function readFromDev(raw: unknown): FromDev | undefined {
  const known = typeof raw === 'object' && raw !== null && 'type' in raw && TYPES.has(String(raw.type));
  // Written by this same build.
  return known ? (raw as FromDev) : undefined;
}
