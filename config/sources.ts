// Where the text of a setting comes from. The real environment wins over `.env`; within one of them a plain
// value and its `*_FILE` twin exclude each other. Empty means unset, as compose files pass it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import type { Mistake } from './errors.ts';
import type { Setting } from './settings/setting.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `derived`: worked out from other settings or the machine (`auto`). `unset`: no default, nothing given. */
export type Source = 'environment' | '.env' | 'default' | 'derived' | 'unset' | `file ${string}`;

export interface Given {
  readonly text: string;
  readonly source: Source;
}

export interface Sources {
  readonly environment: Environment;
  readonly dotenv: Environment;
  /** What relative paths of `*_FILE` are relative to. */
  readonly cwd: string;
}

export function readSources(environment: Environment, cwd: string): Sources {
  return { environment, dotenv: readDotenv(path.join(cwd, '.env')), cwd };
}

function readDotenv(file: string): Environment {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch {
    return {}; // There need not be one.
  }
  return parseEnv(content);
}

/** The text given for a setting, a mistake, or undefined when nothing was given. */
export function find(
  setting: Setting<unknown>,
  { environment, dotenv, cwd }: Sources,
): Given | Mistake | undefined {
  return findIn(setting, environment, 'environment', cwd) ?? findIn(setting, dotenv, '.env', cwd);
}

function findIn(
  setting: Setting<unknown>,
  from: Environment,
  source: Source,
  cwd: string,
): Given | Mistake | undefined {
  const { name } = setting;
  const text = from[name]?.trim() || undefined;
  const file = setting.secret === undefined ? undefined : from[`${name}_FILE`]?.trim() || undefined;
  if (file === undefined) return text === undefined ? undefined : { text, source };
  if (text !== undefined) {
    return {
      name: `${name}_FILE`,
      value: file,
      allowed: `must not be set beside ${name}: remove one of them`,
    };
  }
  try {
    const content = readFileSync(path.resolve(cwd, file), 'utf8').trim();
    if (content !== '') return { text: content, source: `file ${file}` };
    return { name: `${name}_FILE`, value: file, allowed: 'must name a file that is not empty' };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { name: `${name}_FILE`, value: file, allowed: `must name a file that can be read (${why})` };
  }
}
