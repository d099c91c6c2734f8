// Every setting of the server, in one table by groups. docs/configuration.md is written from it
// (scripts/write-configuration-docs.mjs), `coherent-server config` prints it, and `Config` is its type.
// To add one: an entry in its group, a reader of `config.<key>`, and the docs written again. Nothing else.
import { caching } from './settings/caching.ts';
import { data } from './settings/data.ts';
import { monitoring } from './settings/monitoring.ts';
import { operations } from './settings/operations.ts';
import { processes } from './settings/processes.ts';
import { rendering } from './settings/rendering.ts';
import { serving } from './settings/serving.ts';
import type { Setting } from './settings/setting.ts';
import { stopping } from './settings/stopping.ts';

export const settings = {
  ...serving,
  ...operations,
  ...monitoring,
  ...processes,
  ...data,
  ...rendering,
  ...caching,
  ...stopping,
};

type Settings = typeof settings;

/** Values as written, `auto` still in them. */
export type Values = { readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never };

export type Key = keyof Settings;

/** In the order in which people are told of them. */
export const groups = {
  Serving: serving,
  Operations: operations,
  Monitoring: monitoring,
  Processes: processes,
  Data: data,
  Rendering: rendering,
  Caching: caching,
  Stopping: stopping,
};

export type Group = keyof typeof groups;
