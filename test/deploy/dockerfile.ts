// Reads a Dockerfile and does, in folders, what its stages do: COPY under .dockerignore, RUN in WORKDIR. Knows
// the instructions that ours uses and refuses any other, so that the test cannot pass by not looking.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  readonly args: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
}

export function parseDockerfile(text: string): Dockerfile {
  const args: Record<string, string> = {};
  const stages: { name: string; image: string; instructions: Instruction[] }[] = [];
  const logical = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '');
  for (const line of logical.split('\n').filter((one) => one.trim() !== '')) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    const value = rest.replace(/\$\{(\w+)\}/g, (_, arg: string) => args[arg] ?? '');
    if (name === 'FROM') {
      const [image = '', , stage = ''] = value.split(/\s+/);
      stages.push({ name: stage, image, instructions: [] });
    } else if (name === 'ARG' && stages.length === 0) {
      const [key = '', fallback = ''] = value.split('=');
      args[key] = fallback;
    } else stages.at(-1)?.instructions.push({ name, text: value });
  }
  return { args, stages };
}

/** What a `.dockerignore` lets through. The last line that matches decides. */
export function contextFilter(ignore: string): (file: string) => boolean {
  const rules = ignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ allow: line.startsWith('!'), matches: toPattern(line.replace(/^!/, '')) }));
  return (file) => {
    let allowed = true;
    for (const { allow, matches } of rules) if (matches.test(file)) allowed = allow;
    return allowed;
  };
}

/** A pattern names a path and all that is below it. */
function toPattern(glob: string): RegExp {
  const source = glob
    .split(/(\*\*\/|\*)/)
    .map((part) =>
      part === '**/' ? '(.*/)?' : part === '*' ? '[^/]*' : part.replace(/[.+?^$()[\]{}|\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}(/.*)?$`);
}

export interface StageRun {
  /** The folder that stands for / of the stage. */
  readonly root: string;
  readonly workdir: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface RunOptions {
  readonly context: string;
  readonly allows: (file: string) => boolean;
  /** Stages run before, by name. */
  readonly earlier: ReadonlyMap<string, StageRun>;
  /** RUN lines that need a system of their own (apt-get) and are not run here. */
  readonly skip: (command: string) => boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export async function runStage(stage: Stage, root: string, options: RunOptions): Promise<StageRun> {
  let workdir = '/';
  const environment: Record<string, string> = {};
  const inside = (file: string) => path.join(root, path.resolve(workdir, file));
  for (const { name, text } of stage.instructions) {
    switch (name) {
      case 'WORKDIR':
        workdir = path.resolve(workdir, text);
        mkdirSync(inside('.'), { recursive: true });
        break;
      case 'ENV':
        environment[text.slice(0, text.indexOf('='))] = text.slice(text.indexOf('=') + 1);
        break;
      case 'COPY':
        copy(text, inside, options);
        break;
      case 'RUN':
        if (!options.skip(text)) await run(text, inside('.'), { ...options.environment, ...environment });
        break;
      case 'USER':
      case 'EXPOSE':
      case 'STOPSIGNAL':
      case 'HEALTHCHECK':
      case 'ENTRYPOINT':
      case 'CMD':
        break;
      default:
        throw new Error(`the Dockerfile uses ${name}, which this test does not know`);
    }
  }
  return { root, workdir, environment };
}

/** Not waited for in one go: a test runner that hears nothing for a minute gives its worker up. */
async function run(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  try {
    await execute('/bin/sh', ['-c', command], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`RUN ${command}\n${stdout}\n${stderr}`, { cause });
  }
}

function copy(
  text: string,
  inside: (file: string) => string,
  { context, allows, earlier }: RunOptions,
): void {
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith('--from=') === true ? words.shift()?.slice('--from='.length) : undefined;
  const to = words.pop() ?? '.';
  for (const source of words) {
    const absolute =
      from === undefined ? path.join(context, source) : path.join(earlier.get(from)?.root ?? '', source);
    if (!existsSync(absolute)) throw new Error(`COPY ${text}: ${source} is not there`);
    const passes = (file: string) => from !== undefined || allows(path.relative(context, file));
    copyOne(absolute, inside(to), to.endsWith('/'), passes);
  }
}

/** The content of a folder, or a file into a folder. Links stay links, as in an image. */
function copyOne(
  source: string,
  target: string,
  intoFolder: boolean,
  passes: (file: string) => boolean,
): void {
  if (!statSync(source).isDirectory()) {
    if (!passes(source)) throw new Error(`${source} is copied, but .dockerignore keeps it out`);
    mkdirSync(intoFolder ? target : path.dirname(target), { recursive: true });
    cpSync(source, intoFolder ? path.join(target, path.basename(source)) : target);
    return;
  }
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(source)) {
    const child = path.join(source, name);
    if (!passes(child)) continue;
    cpSync(child, path.join(target, name), { recursive: true, verbatimSymlinks: true, filter: passes });
  }
}
