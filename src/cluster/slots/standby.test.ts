import { beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../../config/load.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { PROTOCOL_VERSION } from '../../host-link/messages.ts';
import { Standby } from './standby.ts';
import type { Forked } from './worker-process.ts';

const config = loadConfig({ environment: {}, cwd: '/nonexistent' });
const hello = { type: 'hello', version: PROTOCOL_VERSION, pid: 1 };

interface Scripted extends Forked {
  readonly heard: string[];
  says(raw: unknown): void;
  dies(): void;
}

function scripted(pid: number): Scripted {
  let onMessage: (raw: unknown) => void = () => {};
  let onExit: Parameters<Forked['onExit']>[0] = () => {};
  const heard: string[] = [];
  return {
    pid,
    heard,
    send: ({ type }) => void heard.push(type),
    kill: (signal) => void heard.push(signal),
    onMessage: (handler) => {
      onMessage = handler;
    },
    onExit: (handler) => {
      onExit = handler;
    },
    says: (raw) => onMessage(raw),
    dies: () => onExit(null, 'SIGKILL'),
  };
}

let clock: ManualClock;
let forked: Scripted[];
let standby: Standby;

beforeEach(() => {
  clock = new ManualClock();
  forked = [];
  const fork = () => {
    const one = scripted(forked.length + 1);
    forked.push(one);
    return one;
  };
  standby = new Standby({ fork, clock, logger: silent });
});

function first(): Scripted {
  const [one] = forked;
  if (one === undefined) throw new Error('nothing was forked');
  return one;
}

test('one waits, however often it is asked for', () => {
  expect(standby.take()).toBeUndefined();
  standby.keep(config);
  standby.keep(config);
  expect(forked).toHaveLength(1);
  expect(standby.take()?.pid).toBe(1);
  expect(standby.take()).toBeUndefined();
  standby.keep(config);
  expect(forked).toHaveLength(2);
});

test('who takes it hears the hello that it said before, and from then on everything', () => {
  standby.keep(config);
  first().says({ type: 'beat' });
  first().says(hello);
  first().says({ type: 'beat' });
  const heard: unknown[] = [];
  const endings: unknown[] = [];
  const taken = standby.take();
  taken?.onMessage((raw) => heard.push(raw));
  taken?.onExit((...ending) => endings.push(ending));
  expect(heard).toEqual([hello]);
  first().says({ type: 'ready', notes: [] });
  expect(heard).toEqual([hello, { type: 'ready', notes: [] }]);
  taken?.send({ type: 'leave' });
  taken?.kill('SIGTERM');
  expect(first().heard).toEqual(['leave', 'SIGTERM']);
  first().dies();
  expect(endings).toEqual([[null, 'SIGKILL']]);
  expect(clock.pending).toBe(0);
});

test('one that is taken before it said hello is heard when it does', () => {
  standby.keep(config);
  const heard: unknown[] = [];
  standby.take()?.onMessage((raw) => heard.push(raw));
  expect(heard).toEqual([]);
  first().says(hello);
  expect(heard).toEqual([hello]);
});

test('after one that died while it waited none is forked for half a minute', () => {
  standby.keep(config);
  first().dies();
  expect(standby.take()).toBeUndefined();
  standby.keep(config);
  clock.advance(29_999);
  expect(forked).toHaveLength(1);
  clock.advance(1);
  expect(forked).toHaveLength(2);
});

test('a reload ends the one that has read the old code', () => {
  standby.keep(config);
  standby.discard();
  expect(first().heard).toEqual(['SIGKILL']);
  first().dies();
  expect(standby.take()).toBeUndefined();
  standby.keep(config);
  expect(forked).toHaveLength(2);
});

test('nothing waits once it is closed, and no timer is left', () => {
  standby.keep(config);
  first().dies();
  standby.close();
  standby.keep(config);
  clock.advance(60_000);
  expect(forked).toHaveLength(1);
  expect(clock.pending).toBe(0);
});
