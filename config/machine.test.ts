import { expect, test } from 'vitest';
import { cpuQuota, inspectMachine, memoryLimit } from './machine.ts';

const files = (content: Record<string, string>) => (file: string) => content[file];

test('cgroup v2: the quota is CPU time a period, and the tightest group above counts', () => {
  const read = files({
    '/proc/self/cgroup': '0::/kubepods/pod7\n',
    '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/kubepods/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/kubepods/pod7/cpu.max': '400000 100000\n',
    '/sys/fs/cgroup/kubepods/pod7/memory.max': '536870912\n',
    '/sys/fs/cgroup/memory.max': 'max\n',
  });
  expect(cpuQuota(read)).toBe(1.5);
  expect(memoryLimit(read)).toBe(536_870_912);
});

test('cgroup v2 in a container, where the group is the mount itself', () => {
  const read = files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' });
  expect(cpuQuota(read)).toBe(0.5);
  expect(inspectMachine(read).cpus).toBe(1);
});

test('cgroup v1, also where the path of the host is not to be found in the container', () => {
  const read = files({
    '/proc/self/cgroup': '4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
  });
  expect(inspectMachine(read)).toMatchObject({ cpus: 1, memoryBytes: 268_435_456 });
});

test('no cgroup, no quota, or nonsense: the machine is what there is', () => {
  const unlimited = files({
    '/proc/self/cgroup': '1:cpu:/\n0::/\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu.max': 'garbage',
  });
  for (const read of [files({}), unlimited]) {
    expect(cpuQuota(read)).toBeUndefined();
    expect(memoryLimit(read)).toBeUndefined();
    expect(inspectMachine(read).cpus).toBeGreaterThanOrEqual(1);
  }
});
