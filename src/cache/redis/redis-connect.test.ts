import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestRedis, testRedis, until } from '../../../test/support/redis.ts';
import { TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { systemClock } from '../../core/clock.ts';
import { parseRedisUrl } from '../../core/redis-url.ts';
import { connectForCommands, connectForMessages, type RedisClient } from './redis-connect.ts';

const SILENT_AFTER_MS = 150;

let redis: TestRedis;
let proxy: TcpProxy;
let client: RedisClient;
beforeEach(async () => {
  redis = await testRedis();
  proxy = await TcpProxy.to({ path: `${redis.folder}/redis.sock` });
});
afterEach(async () => {
  client.disconnect();
  await proxy.close();
  await redis.close();
});

const target = () => parseRedisUrl(`redis://127.0.0.1:${proxy.port}`);
const connected = () => new Promise((resolve) => client.once('ready', resolve));

describe('a connection that falls silent while new ones work', () => {
  it('is made anew for commands once an answer is overdue', async () => {
    client = connectForCommands(target(), 50, SILENT_AFTER_MS);
    await connected();
    proxy.silenceExisting();
    await expect(client.set('k', 'v')).rejects.toThrow('timed out');
    await until(() =>
      client.get('k').then(
        () => true,
        () => false,
      ),
    );
    expect(proxy.accepted).toBe(2);
  });

  it('is made anew for messages although nothing was due, and is subscribed as before', async () => {
    const heard: string[] = [];
    client = connectForMessages(target(), {
      clock: systemClock,
      pingChannel: 'ping',
      silentAfterMs: SILENT_AFTER_MS,
    });
    client.on('message', (_, text: string) => heard.push(text));
    await client.subscribe('news');
    proxy.silenceExisting();
    // The server still believes in the first one, too.
    await until(async () => (await redis.admin.publish('news', 'lost')) === 2);
    await redis.admin.publish('news', 'heard');
    await until(() => heard.includes('heard'));
    expect(proxy.accepted).toBe(2);
  });

  it('stays as it is while it answers', async () => {
    client = connectForMessages(target(), { clock: systemClock, pingChannel: 'ping', silentAfterMs: 200 });
    await client.subscribe('news');
    const calls = async () =>
      Number(/cmdstat_unsubscribe:calls=(\d+)/.exec(await redis.admin.info('commandstats'))?.[1] ?? 0);
    await until(async () => (await calls()) >= 3);
    expect(proxy.accepted).toBe(1);
    expect(await redis.admin.publish('news', 'x')).toBe(1);
  });
});
