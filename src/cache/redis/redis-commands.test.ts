import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestRedis, testRedis } from '../../../test/support/redis.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import { parseRedisUrl } from '../../core/redis-url.ts';
import { RedisCommands } from './redis-commands.ts';
import { connectForCommands } from './redis-connect.ts';

let redis: TestRedis;
let commands: RedisCommands;
beforeEach(async () => {
  redis = await testRedis();
  const client = connectForCommands(parseRedisUrl(redis.url), 100);
  await new Promise((resolve) => client.once('ready', resolve));
  commands = new RedisCommands({ client, clock: systemClock, log: silent, random: () => 0 });
});
afterEach(async () => {
  await commands.close();
  await redis.close();
});

it('does not take its own being busy for a Redis that is silent', async () => {
  const answer = commands.run((client) => client.set('k', 'v'));
  // On its way; then this process does something else for longer than the timeout.
  await new Promise((resolve) => process.nextTick(resolve));
  const until = performance.now() + 300;
  while (performance.now() < until);
  expect(await answer).toBe('OK');
  expect(commands.stats()).toMatchObject({ breaker: 'closed', redisErrors: 0 });
});
