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

const errorAt = (stack: string) => Object.assign(new Error('no rows'), { stack: `Error: no rows\n${stack}` });

test('a rejection that nothing awaits is told with the file of the application that stands first in its stack', () => {
  rejections.ofApplication('/srv/my site/dist');
  const library = '    at query (file:///srv/my%20site/dist/node_modules/orm/index.js:1:1)';
  const page = '    at async load (file:///srv/my%20site/dist/pages/users/%5Bid%5D.js:12:3)';
  rejections.began('/elsewhere');
  rejections.rejected(errorAt(`${library}\n${page}`));
  expect(log.lines[0]?.fields).toMatchObject({
    where: 'pages/users/[id].js',
    underWay: ['/elsewhere'],
    times: 1,
  });
});

test('without such a file it is told with the one page under way, or with all that are', async () => {
  const told = next();
  rejections.began('/users/[id]');
  rejections.began('/users/[id]');
  rejections.ended('/users/[id]');
  void Promise.reject(7);
  await told;
  rejections.began('fragment card');
  rejections.rejected(new Error('from a timer'));
  rejections.ended('/users/[id]');
  rejections.ended('fragment card');
  rejections.rejected(undefined);
  expect(log.lines.map(({ fields: { where, underWay } }) => [where, underWay])).toEqual([
    ['/users/[id]', ['/users/[id]']],
    ['(one of several)', ['/users/[id]', 'fragment card']],
    ['(outside of pages)', []],
  ]);
});

test('many are counted, and have a line of the log now and then', () => {
  for (let times = 0; times < 1000; times++) rejections.rejected(new Error('x'));
  clock.advance(10_000);
  rejections.rejected(new Error('x'));
  expect(log.lines.map(({ fields }) => fields.times)).toEqual([1, 1000]);
  expect(rejections.stats()).toEqual([{ where: '(outside of pages)', rejected: 1001 }]);
});

test('places that are made up do not fill the memory', () => {
  for (let at = 0; at < 3000; at++) {
    rejections.began(`/${at}`);
    rejections.rejected('x');
    rejections.ended(`/${at}`);
  }
  expect(rejections.stats()).toHaveLength(1001);
  expect(rejections.stats().at(-1)).toEqual({ where: '(outside of pages)', rejected: 2000 });
});
