import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { childrenOf } from '../../test/support/processes.ts';
import { until } from '../../test/support/redis.ts';
import { StoppedChildren } from './stopped-children.ts';

it('kills what was stopped, however far below, and nothing else', async () => {
  // As the private Redis: a shell between.
  const [shell, other] = ['sleep 60 & wait', 'sleep 60'].map((line) => spawn('/bin/sh', ['-c', line]));
  const children = () => (shell?.pid === undefined ? [] : childrenOf(shell.pid));
  await until(() => children().length === 1);
  const [sleeper] = children();
  const stopped = new StoppedChildren(new ManualClock());
  expect(stopped.look()).toEqual([]);
  process.kill(sleeper?.pid ?? 0, 'SIGSTOP');
  const ended = once(shell ?? process, 'exit');
  await until(() => stopped.look().length === 1);
  await ended;
  expect(stopped.look()).toEqual([]);
  expect(other?.exitCode).toBeNull();
  other?.kill('SIGKILL');
});
