import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestRedis, testRedis, until } from '../../../test/support/redis.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import { parseRedisUrl } from '../../core/redis-url.ts';
import { RedisCommands } from '../redis/redis-commands.ts';
import { connectForCommands, connectForMessages } from '../redis/redis-connect.ts';
import type { Turn, Wait } from './flights.ts';
import { RedisFlights } from './redis-flights.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await testRedis();
});
afterAll(() => redis.close());

async function member(leaseMs = 300, commandTimeoutMs = 2000) {
  const target = parseRedisUrl(redis.url);
  const client = connectForCommands(target, commandTimeoutMs);
  const messages = connectForMessages(target, { clock: systemClock, pingChannel: 'lease:ping' });
  await Promise.all([client, messages].map((one) => new Promise((resolve) => one.once('ready', resolve))));
  const commands = new RedisCommands({ client, clock: systemClock, log: silent, random: () => 0.5 });
  const flights = new RedisFlights({
    commands,
    messages,
    clock: systemClock,
    prefix: 'lease:',
    newToken: randomUUID,
    leaseMs,
  });
  const close = async () => {
    await flights.close();
    await commands.close();
    messages.disconnect();
  };
  return { flights, client, messages, close };
}

type Member = Awaited<ReturnType<typeof member>>;
const never = new AbortController().signal;
setMaxListeners(0, never);
const leads = (turn: Turn | Wait): Turn => {
  if (turn.role !== 'leader') throw new Error('expected the turn');
  return turn;
};
const follows = (turn: Turn | Wait): Wait => {
  if (turn.role !== 'follower') throw new Error('expected to wait');
  return turn;
};

describe('the lease of the fleet', () => {
  let a: Member;
  let b: Member;
  beforeEach(async () => {
    [a, b] = [await member(), await member()];
  });
  afterEach(async () => {
    await Promise.all([a.close(), b.close()]);
    await redis.admin.flushall();
  });

  it('gives one the turn; the others are woken when it is over', async () => {
    const turn = leads(await a.flights.enter('k', never));
    const waiting = follows(await b.flights.enter('k', never));
    let woken = false;
    void waiting.over.then(() => {
      woken = true;
    });
    await redis.admin.ping();
    expect(woken).toBe(false);
    await turn.done();
    await waiting.over;
    expect(b.flights.stats()).toMatchObject({ waited: 1, woken: 1, holderGone: 0, waiting: 0 });
    leads(await b.flights.enter('k', never));
  });

  it('is one per key', async () => {
    leads(await a.flights.enter('k', never));
    leads(await b.flights.enter('l', never));
  });

  it('outlives its term while its holder lives, by renewal', async () => {
    const turn = leads(await a.flights.enter('k', never));
    const waiting = follows(await b.flights.enter('k', never));
    let over = false;
    void waiting.over.then(() => {
      over = true;
    });
    // Three terms by the clock that ends leases, which is the server's.
    const serverMs = async () => {
      const [seconds, micros] = await redis.admin.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    const begunMs = await serverMs();
    await until(async () => (await serverMs()) - begunMs >= 900);
    expect(over).toBe(false);
    await turn.done();
    await waiting.over;
  });

  it('passes on when its holder dies', async () => {
    leads(await a.flights.enter('k', never));
    const waiting = follows(await b.flights.enter('k', never));
    await a.close();
    await waiting.over;
    expect(b.flights.stats().holderGone).toBe(1);
    leads(await b.flights.enter('k', never));
  });

  it('a holder that was taken for dead does not give back the turn of its successor', async () => {
    const first = leads(await a.flights.enter('k', never));
    await redis.admin.del('lease:k');
    leads(await b.flights.enter('k', never));
    await first.done();
    follows(await a.flights.enter('k', never));
  });

  it('lets go of who leaves', async () => {
    leads(await a.flights.enter('k', never));
    const client = new AbortController();
    const waiting = follows(await b.flights.enter('k', client.signal));
    client.abort();
    await waiting.over;
    expect(b.flights.stats().waiting).toBe(0);
  });

  it('lets everybody lead when Redis is gone, and makes nobody wait for ever', async () => {
    leads(await a.flights.enter('k', never));
    const waiting = follows(await b.flights.enter('k', never));
    b.client.disconnect();
    await waiting.over;
    leads(await b.flights.enter('k', never));
    expect(b.flights.stats().failed).toBeGreaterThan(0);
  });

  it('lets who cannot listen lead: nobody could wake it', async () => {
    leads(await a.flights.enter('k', never));
    b.messages.disconnect();
    leads(await b.flights.enter('k', never));
    expect(b.flights.stats().waiting).toBe(0);
  });

  it('leaves no turn behind that it asked a stopped Redis for, or could not give back to it', async () => {
    // A turn that is left behind would last for longer than this test.
    const impatient = await member(600_000, 200);
    const cached = leads(await impatient.flights.enter('held', never));
    const pid = await redis.pid();
    process.kill(pid, 'SIGSTOP');
    try {
      leads(await impatient.flights.enter('asked', never));
      await cached.done();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // It is carried out behind what was sent before.
    await until(() =>
      impatient.client.ping().then(
        () => true,
        () => false,
      ),
    );
    for (const key of ['held', 'asked']) leads(await a.flights.enter(key, never));
    await impatient.close();
  });

  it('keeps 20 at once to one turn at a time, and all come to theirs', async () => {
    let inside = 0;
    let most = 0;
    const render = async (who: Member) => {
      for (;;) {
        const turn = await who.flights.enter('k', never);
        if (turn.role === 'follower') {
          await turn.over;
          continue;
        }
        most = Math.max(most, ++inside);
        await redis.admin.ping();
        inside--;
        return turn.done();
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => render(index % 2 === 0 ? a : b)));
    expect(most).toBe(1);
    await until(() => a.flights.stats().waiting + b.flights.stats().waiting === 0);
  });
});
