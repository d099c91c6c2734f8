// What this process may use of the machine. Node 20 looks at the machine, not at the container: one worker
// per CPU of a 64-core host in a pod with one CPU would be 64 workers. So the cgroup is read here.
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';
import type { Bytes } from '../src/core/units.ts';

export interface Machine {
  /** Whole CPUs that may be used at once; at least 1. */
  readonly cpus: number;
  readonly memoryBytes: Bytes;
  /** `22.12.0` */
  readonly node: string;
  readonly platform: string;
}

/** Reads a file below /; undefined when it is not there. A parameter so that tests bring their own cgroups. */
export type ReadFile = (file: string) => string | undefined;

export function inspectMachine(read: ReadFile = readIfThere): Machine {
  const quota = cpuQuota(read);
  const allowed = availableParallelism();
  return {
    cpus: Math.max(1, quota === undefined ? allowed : Math.min(allowed, Math.ceil(quota))),
    memoryBytes: Math.min(totalmem(), memoryLimit(read) ?? Number.POSITIVE_INFINITY),
    node: process.versions.node,
    platform: process.platform,
  };
}

/** CPUs' worth of time that the cgroup grants, e.g. 1.5; the least of all groups on the way up. */
export function cpuQuota(read: ReadFile): number | undefined {
  const v2 = groups(read, '').map((folder) => ratio(read(`${folder}/cpu.max`)?.trim().split(' ') ?? []));
  const v1 = groups(read, 'cpu').map((folder) =>
    ratio([read(`${folder}/cpu.cfs_quota_us`) ?? '', read(`${folder}/cpu.cfs_period_us`) ?? '']),
  );
  return least([...v2, ...v1]);
}

export function memoryLimit(read: ReadFile): Bytes | undefined {
  const v2 = groups(read, '').map((folder) => positive(read(`${folder}/memory.max`)));
  const v1 = groups(read, 'memory').map((folder) => positive(read(`${folder}/memory.limit_in_bytes`)));
  return least([...v2, ...v1]);
}

/**
 * The folders that may limit this process: its group and all above it. Inside a container the path in
 * /proc/self/cgroup is often that of the host and not to be found here; then the mount itself is the group.
 */
function groups(read: ReadFile, controller: string): string[] {
  const line = read('/proc/self/cgroup')
    ?.split('\n')
    .map((entry) => entry.split(':'))
    .find(([, controllers]) =>
      controller === '' ? controllers === '' : controllers?.split(',').includes(controller),
    );
  const mount = controller === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
  const folders = [];
  for (let group = line?.slice(2).join(':') ?? '/'; ; group = path.posix.dirname(group)) {
    folders.push(group === '/' ? mount : path.posix.join(mount, group));
    if (group === '/' || group === '.') return folders;
  }
}

function ratio([quota, period]: readonly string[]): number | undefined {
  const [time, of] = [positive(quota), positive(period)];
  return time === undefined || of === undefined ? undefined : time / of;
}

function positive(text: string | undefined): number | undefined {
  const value = Number.parseInt(text ?? '', 10); // 'max' and -1 mean no limit
  return value > 0 ? value : undefined;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const limits = values.filter((value) => value !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Where programs are looked for. */
export function searchPath(): string {
  return process.env.PATH ?? '';
}
