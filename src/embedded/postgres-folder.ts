// Where the embedded server keeps its data, who else is using it, and whether we may.
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresFailedError } from './errors.ts';
import { type Account, accountFor, canReach, hasName } from './postgres-account.ts';
import { sharedFolder } from './postgres-binaries.ts';

export interface PostgresFolder {
  /** Holds `data`, `password` and `owner`. */
  readonly home: string;
  readonly account: Account | undefined;
}

/**
 * Opens DATA_DIR/postgres, making it when it is not there. As root it belongs to the account that Postgres
 * runs as; where that account cannot get there (DATA_DIR below /root, say), the data lies in a folder it can
 * reach, and DATA_DIR/postgres is a symbolic link to that.
 */
export function openFolder(dataDir: string, note: (text: string) => void): PostgresFolder {
  const wanted = join(resolve(dataDir), 'postgres');
  mkdirSync(dirname(wanted), { recursive: true });
  if (isDanglingLink(wanted)) {
    note(`the database that ${wanted} pointed to (${readlinkSync(wanted)}) is gone; a new one is made`);
    rmSync(wanted);
  }
  const there = existsSync(wanted);
  const account = accountFor(there ? realpathSync(wanted) : undefined);
  if (account === null) {
    throw new EmbeddedPostgresFailedError(
      'Postgres does not run as root, and /etc/passwd has neither "postgres" nor "nobody" to run it as. ' +
        'Start the server as an ordinary user, or set DATABASE_URL.',
    );
  }
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && !hasName(uid)) {
    throw new EmbeddedPostgresFailedError(
      `User id ${uid} has no entry in /etc/passwd, which Postgres' initdb asks for. ` +
        'Start the server as a user that has one, or set DATABASE_URL.',
    );
  }
  if (!there) create(wanted, account, note);
  const home = realpathSync(wanted);
  const owner = statSync(home).uid;
  if (uid !== undefined && uid !== 0 && owner !== uid) {
    throw new EmbeddedPostgresFailedError(
      `The data in ${home} belongs to user id ${owner}, and this is user id ${uid} (was the server started as root before?). ` +
        'Start it as before, or give this user a folder of its own with DATA_DIR.',
    );
  }
  if (account === undefined) return { home, account };
  if (!canReach(home, account)) {
    throw new EmbeddedPostgresFailedError(
      `The data in ${home} belongs to user id ${account.uid}, which cannot get there any more. ` +
        `Let it enter every folder above (chmod o+x), or move ${wanted} away to start afresh.`,
    );
  }
  if (home !== wanted)
    note(`the data lies in ${home}: Postgres does not run as root, and its account cannot reach ${wanted}`);
  return { home, account };
}

function create(wanted: string, account: Account | undefined, note: (text: string) => void): void {
  if (account === undefined || canReach(dirname(wanted), account)) {
    mkdirSync(wanted, { mode: 0o700 });
    if (account !== undefined) chownSync(wanted, account.uid, account.gid);
    return;
  }
  const shared = mkdtempSync(join(sharedFolder(), 'data-'));
  // So that a process that finds this folder later can tell whose it is.
  writeFileSync(join(shared, 'belongs-to'), `${wanted}\n`);
  chownSync(shared, account.uid, account.gid);
  symlinkSync(shared, wanted);
  if (!canReach(shared, account)) note(`Postgres' account may not be able to reach ${shared}`);
}

function isDanglingLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink() && !existsSync(path);
  } catch {
    return false;
  }
}

/** Names the process that started the server, so that a server whose owner died can be told from one in use. */
export function writeOwner(home: string): void {
  writeFileSync(join(home, 'owner'), `${process.pid} ${startOf(process.pid)}\n`, { mode: 0o600 });
}

export function ownerIsAlive(home: string): boolean {
  let text: string;
  try {
    text = readFileSync(join(home, 'owner'), 'utf8');
  } catch {
    return false;
  }
  const [pid, start] = text.trim().split(' ');
  // A process id is used again after a while (at once in a container); its start time is not.
  return pid !== undefined && isAlive(Number(pid)) && (start ?? '') === startOf(Number(pid));
}

/** The process id of the server that runs on `data`; undefined (and a stale pid file removed) if none does. */
export function runningServer(data: string): number | undefined {
  const pidFile = join(data, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  } catch {
    return undefined;
  }
  if (isAlive(pid) && isServerOn(pid, data)) return pid;
  // Left by kill -9 or a power cut. Postgres cleans up after itself unless the number has been given to
  // another process since, as it is in every restarted container; then it would refuse to start.
  rmSync(pidFile, { force: true });
  return undefined;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // A process that has ended but that its parent has not asked after, as happens where pid 1 is no init.
  return statOf(pid)[0] !== 'Z';
}

function isServerOn(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true; // cannot tell: rather refuse than run two servers on one folder
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return false;
  }
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    return false;
  }
}

/** When a process started, in the kernel's ticks; '' where there is no /proc. */
function startOf(pid: number): string {
  return statOf(pid)[19] ?? '';
}

/** The fields of /proc/<pid>/stat that follow the name, which may hold spaces and stands in parentheses. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
