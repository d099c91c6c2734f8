import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogLines } from '../../test/support/log-lines.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { UnheardRejections } from './unheard-rejections.ts';

let clock: ManualClock;
let log: LogLines;
let rejections: UnheardRejections;
const heard: (() => void)[] = [];
let others: NodeJS.UnhandledRejectionListener[] = [];

const listen = (reason: unknown) => {
  rejections.rejected(reason);
  for (const tell of heard.splice(0)) tell();
};
const next = () => new Promise<void>((resolve) => heard.push(resolve));

beforeEach(() => {
  clock = new ManualClock();
  log = new LogLines();
  rejections = new UnheardRejections(log, clock);
  others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', listen);
});
afterEach(() => {
  process.off('unhandledRejection', listen);
  for (const other of others) process.on('unhandledRejection', other);
});

test('a rejection that nothing awaits is told with the place it was made for, whatever it waited for', async () => {
  const failed = new Error('no rows');
  const told = next();
  await rejections.within('/users/[id]', async () => {
    void (async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw failed;
    })();
  });
  await told;
  const inside = next();
  rejections.within('/', () => rejections.within('fragment card', () => void Promise.reject(7)));
  await inside;
  const outside = next();
  void Promise.reject(undefined);
  await outside;
  expect(log.lines.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
    { level: 'error', err: failed, where: '/users/[id]', times: 1 },
    { level: 'error', err: 7, where: 'fragment card', times: 1 },
    { level: 'error', err: undefined, where: '(outside of pages)', times: 1 },
  ]);
});

test('many are counted, and have a line of the log now and then', () => {
  for (let times = 0; times < 1000; times++)
    rejections.within('/', () => rejections.rejected(new Error('x')));
  clock.advance(10_000);
  rejections.within('/', () => rejections.rejected(new Error('x')));
  expect(log.lines.map(({ fields }) => fields.times)).toEqual([1, 1000]);
  expect(rejections.figures()).toEqual([{ where: '/', rejected: 1001 }]);
});

test('places that are made up do not fill the memory', () => {
  for (let at = 0; at < 3000; at++) rejections.within(`/${at}`, () => rejections.rejected('x'));
  expect(rejections.figures()).toHaveLength(1001);
  expect(rejections.figures().at(-1)).toEqual({ where: '(outside of pages)', rejected: 2000 });
});
