import type { Config } from './config.ts';
import { contradictions, derive } from './derive.ts';
import { ConfigError, type Mistake } from './errors.ts';
import { inspectMachine, type Machine } from './machine.ts';
import type { Setting } from './settings/setting.ts';
import { type Key, settings, type Values } from './settings.ts';
import { type Environment, find, readSources, type Source, type Sources } from './sources.ts';

export interface LoadOptions {
  readonly environment?: Environment;
  /** Where `.env` is looked for. */
  readonly cwd?: string;
  readonly machine?: Machine;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly sources: Readonly<Record<Key, Source>>;
}

/** The effective settings. Throws `ConfigError` (`E_CONFIG`) with every mistake at once. */
export function loadConfig(options: LoadOptions = {}): Config {
  return loadConfigWithSources(options).config;
}

/** As `loadConfig`, and where each value came from. */
export function loadConfigWithSources(options: LoadOptions = {}): LoadedConfig {
  const environment = options.environment ?? process.env;
  const machine = options.machine ?? inspectMachine();
  const from = readSources(environment, options.cwd ?? process.cwd());

  const mistakes: Mistake[] = [];
  const sources: Partial<Record<Key, Source>> = {};
  const values: Partial<Record<Key, unknown>> = {};
  for (const key of keys) {
    const read = readOne(settings[key], from);
    if ('allowed' in read) {
      mistakes.push(read);
      // The default stands in, so that what contradicts other settings is told in the same breath.
      values[key] = parse(settings[key], settings[key].default)?.value;
    } else [values[key], sources[key]] = [read.value, read.source];
  }

  const production = (environment.NODE_ENV ?? from.dotenv.NODE_ENV) === 'production';
  // Every key was read by its own schema just now; that is the one place where the types are vouched for.
  const config = Object.freeze(derive(values as Values, machine, production));
  const told = new Set(mistakes.map(({ name }) => name));
  mistakes.push(...contradictions(config, machine).filter(({ name }) => !told.has(name)));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return { config, sources: sources as Record<Key, Source> };
}

export const keys = Object.keys(settings) as readonly Key[];

function readOne(setting: Setting<unknown>, from: Sources): { value: unknown; source: Source } | Mistake {
  const given = find(setting, from);
  if (given !== undefined && 'allowed' in given) return given;
  const text = given?.text ?? setting.default;
  if (text === undefined) return { value: undefined, source: 'unset' };

  const parsed = parse(setting, text);
  if (parsed !== undefined) {
    return {
      value: parsed.value,
      source: parsed.value === 'auto' ? 'derived' : (given?.source ?? 'default'),
    };
  }
  const value = setting.secret === undefined ? text : '(hidden)';
  return { name: setting.name, value, allowed: `must be ${setting.kind.allowed}` };
}

function parse(setting: Setting<unknown>, text: string | undefined): { value: unknown } | undefined {
  const parsed = text === undefined ? undefined : setting.kind.schema.safeParse(text);
  return parsed?.success === true ? { value: parsed.data } : undefined;
}
