// Postgres refuses to run as root. Where we are root, its processes get an unprivileged account of this
// machine, and whatever they must read has to lie where that account can go.
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The user and group that a process is started as. Undefined: as ourselves. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account to run Postgres as: no other when we are an ordinary user; as root the owner of
 * the data that is already there, else `postgres` or `nobody`. It has to have a name in /etc/passwd because
 * initdb asks for it. Null: we are root, and there is no such account.
 */
export function accountFor(existingData: string | undefined): Account | undefined | null {
  if (process.getuid?.() !== 0) return undefined;
  if (existingData !== undefined) {
    const owner = statSync(existingData);
    if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  }
  const known = passwd();
  return known.get('postgres') ?? known.get('nobody') ?? null;
}

/** Whether this process' own user has a name; initdb fails without one. */
export function hasName(uid: number): boolean {
  const known = passwd();
  // No readable /etc/passwd (a directory service, another system): let initdb find out by itself.
  return known.size === 0 || [...known.values()].some((account) => account.uid === uid);
}

function passwd(): Map<string, Account> {
  const accounts = new Map<string, Account>();
  let text: string;
  try {
    text = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return accounts;
  }
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name !== undefined && uid !== undefined && gid !== undefined && Number(uid) > 0) {
      accounts.set(name, { uid: Number(uid), gid: Number(gid) });
    }
  }
  return accounts;
}

/** Whether `account` may walk down to `path` and read there, going by the mode bits of every folder above it. */
export function canReach(path: string, account: Account): boolean {
  const READ = 4;
  const ENTER = 1;
  const stat = statSync(path);
  if (!allows(stat, account, stat.isDirectory() ? READ | ENTER : READ)) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!allows(statSync(folder), account, ENTER)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function allows(stat: { mode: number; uid: number; gid: number }, account: Account, wanted: number): boolean {
  const shift = stat.uid === account.uid ? 6 : stat.gid === account.gid ? 3 : 0;
  return ((stat.mode >> shift) & wanted) === wanted;
}
