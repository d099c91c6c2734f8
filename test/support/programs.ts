// Programs of the system that tests drive: where they are and, on a bare machine, how they get there.
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export interface Program {
  /** Any of these will do. */
  readonly names: readonly string[];
  /** What Debian and Ubuntu call its package. */
  readonly debianPackage: string;
}

export const CHROMIUM: Program = {
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  debianPackage: 'chromium',
};
export const REDIS: Program = { names: ['redis-server', 'valkey-server'], debianPackage: 'redis-server' };
export const NGINX: Program = { names: ['nginx'], debianPackage: 'nginx' };
export const PGBOUNCER: Program = { names: ['pgbouncer'], debianPackage: 'pgbouncer' };
/** Looks at other processes. Slim images come without. */
export const PS: Program = { names: ['ps'], debianPackage: 'procps' };

/** The whole path of the first that is on the PATH, or where servers lie, and may be run. */
export function findProgram({ names }: Program): string | undefined {
  // Servers lie where the PATH of an ordinary user does not lead.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter(
    (folder) => folder !== '',
  );
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Like `findProgram`; the error names the package. */
export function needProgram(program: Program): string {
  const found = findProgram(program);
  if (found !== undefined) return found;
  throw new Error(
    `These tests need ${program.names.join(' or ')}, and there is none on the PATH. ` +
      `On Debian and Ubuntu: apt-get install ${program.debianPackage}`,
  );
}

/**
 * Installs what is missing where that is possible: as root, with apt-get. Says so, because it changes the machine.
 * What cannot be had is left to the tests that need it: they name it and fail.
 */
export async function installMissing(
  programs: readonly Program[],
  say: (text: string) => void,
): Promise<void> {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  const packages = missing.map(({ debianPackage }) => debianPackage);
  if (packages.length === 0 || process.getuid?.() !== 0) return;
  if (findProgram({ names: ['apt-get'], debianPackage: 'apt' }) === undefined) return;
  say(`Not on this machine, installed now with apt-get: ${packages.join(', ')}\n`);
  try {
    // A new container has no package lists, and old ones name versions that are gone.
    await aptGet('update');
    await aptGet('install', '--yes', '--no-install-recommends', ...packages);
  } catch (error) {
    say(`apt-get failed: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function aptGet(...args: string[]): Promise<void> {
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await promisify(execFile)('apt-get', [...options, ...args], { env, maxBuffer: 64 * 1024 * 1024 });
}
