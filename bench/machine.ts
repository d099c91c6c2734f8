// CPU time of process trees, a clock for all of them, and what the figures were measured on.
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Microseconds on a CPU of a process and all its descendants, in all their threads. Linux. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  for (const process of treeOf(pid)) {
    for (const thread of list(`/proc/${process}/task`)) {
      nanoseconds += Number(read(`/proc/${process}/task/${thread}/schedstat`).split(' ')[0]);
    }
  }
  return nanoseconds / 1000;
}

/** By the clock that all processes of a machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Memory that a process and its descendants hold by themselves, in MB. Linux. */
export function memoryMb(pid: number): number {
  let kilobytes = 0;
  for (const process of treeOf(pid)) {
    const status = read(`/proc/${process}/status`);
    kilobytes += Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

export function requireLinux(): void {
  if (list('/proc/self/task').length > 0) return;
  throw new Error(
    'The figure is CPU time per request, read from /proc: run this on Linux, or in the Docker image.',
  );
}

export function machine(): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpu?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, ${gigabytes} GB, Linux ${release().split('-')[0]}, Node ${process.version}`;
}

function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of list('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The command may hold spaces and brackets; the parent's number is the second field after it.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Processes and threads end while we look; what is gone counts nothing. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '0';
  }
}
