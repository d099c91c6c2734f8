import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ECHO_MS } from '../../src/cluster/primary.ts';
import { ask, compileFixtures, eventually, FixtureServer, post, readiness } from './fixture-server.ts';

let fixtures: ReturnType<typeof compileFixtures>;
const servers: FixtureServer[] = [];

beforeAll(() => {
  fixtures = compileFixtures();
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.destroy()));
});
afterAll(() => fixtures.remove());

function start(environment: Readonly<Record<string, string>> = {}): FixtureServer {
  const server = new FixtureServer(fixtures.main, environment);
  servers.push(server);
  return server;
}

describe('a cluster', () => {
  test('serves from every slot, with the threads and the heap it was told, and says so in one line', async () => {
    const server = start({ UV_THREADPOOL_SIZE: '6', HEAP_MAX_MB: '200', SEMI_SPACE_MB: '8' });
    const { url, line } = await server.started();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(url)));
    expect(new Set(answers.map(({ slot }) => slot))).toEqual(new Set([0, 1]));
    expect(answers[0]).toMatchObject({ threads: '6', heapMaxMb: 200 });
    expect(answers[0]?.flags).toEqual(['--max-old-space-size=200', '--max-semi-space-size=8']);
    expect(line).toMatchObject({ workers: 2, postgres: '127.0.0.1:1', redis: null, embedded: [] });
    expect(JSON.stringify(server.lines)).not.toContain('nobody');
  });

  test.each(['FEED_DATABASE_URL', 'FEED_DATABASE_URL_FILE'])(
    'tells no worker the address of the change feed that %s gives',
    async (name) => {
      const secret = 'postgres://of_the_feed@127.0.0.1:1/none';
      const file = path.join(mkdtempSync(path.join(tmpdir(), 'crs-feed-address-')), 'address');
      writeFileSync(file, secret);
      const server = start({ [name]: name.endsWith('_FILE') ? file : secret });
      const { url } = await server.started();
      const told = await (await fetch(`${url}/told`, { headers: { connection: 'close' } })).text();
      expect(told).toContain('postgres://nobody@127.0.0.1:1/none');
      expect(told).not.toContain('of_the_feed');
      rmSync(path.dirname(file), { recursive: true });
    },
  );

  test('starts a killed worker again at once', async () => {
    const server = start();
    const { url, operations } = await server.started();
    const { pid, slot } = await ask(url);
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const { serving, pids } = await readiness(operations);
      return serving === 2 && !pids.includes(pid);
    }, 'two other workers serve');
    const [backoff] = await server.until('a new worker starts after the backoff');
    expect(backoff).toMatchObject({ slot, delayMs: 0 });
    const slots = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
    expect(slots.map((answer) => answer.slot)).toContain(slot);
  });

  test('ends at once, with one message, when a worker knows itself what keeps it from starting', async () => {
    const server = start({ FIXTURE_BOOT: 'known', LOG_LEVEL: 'info' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toBe('pages/index has no view\n');
    expect(server.lines).toEqual([]);
    await server.gone();
  });

  test('answers the probes while every worker is busy', async () => {
    const { url, operations } = await start().started();
    let blocked = 2;
    const blocks = [0, 1].map(async () => {
      await ask(url, '/block?ms=60000').catch(() => {}); // It ends with the server.
      blocked -= 1;
    });
    for (let probe = 0; probe < 20; probe++) expect((await readiness(operations)).status).toBe(200);
    expect(blocked).toBe(2);
    await Promise.all([servers[0]?.destroy(), ...blocks]);
  });

  test('replaces a worker that crashed, and lets it finish the request it held', async () => {
    const server = start({ WORKERS: '1' });
    const { url, operations } = await server.started();
    const held = ask(url, '/slow?ms=700');
    const { pid } = await ask(url, '/crash');
    // It is the only one, so it is asked until another one serves: nobody is turned away.
    await eventually(async () => (await ask(url)).pid !== pid, 'another worker answers');
    expect((await held).pid).toBe(pid);
    await eventually(async () => {
      const { serving, pids } = await readiness(operations);
      return serving === 1 && pids[0] !== pid;
    }, 'another worker serves');
    expect(server.said('uncaught: this worker is replaced')).toHaveLength(1);
  });

  test('lives on when a promise is rejected that nothing awaits, and says whose it was', async () => {
    const server = start({ WORKERS: '1' });
    const { url } = await server.started();
    const { pid } = await ask(url, '/unheard');
    const [line] = await server.until(
      'a promise was rejected and nothing awaited it: await it, or catch what it may be rejected with',
    );
    expect(line).toMatchObject({ where: '/unheard' });
    for (let times = 0; times < 20; times++) expect((await ask(url, '/unheard')).pid).toBe(pid);
    expect(server.said('uncaught: this worker is replaced')).toEqual([]);
  });

  test('survives a render that eats the heap', async () => {
    const { url, operations } = await start({ WORKERS: '1', HEAP_MAX_MB: '64' }).started();
    const { pid } = await ask(url);
    await expect(ask(url, '/heap')).rejects.toThrow();
    await eventually(async () => {
      const { serving, pids } = await readiness(operations);
      return serving === 1 && pids[0] !== pid;
    }, 'another worker serves');
  });

  test('drops what a worker says outside of the protocol, and goes on', async () => {
    const server = start();
    const { url, operations } = await server.started();
    await ask(url, '/garbage');
    await server.until('dropped a message from a worker that is not in the protocol', 3);
    expect((await readiness(operations)).serving).toBe(2);
  });

  test('gives a connection that a dying worker has not taken yet to another', async () => {
    const server = start();
    const { url } = await server.started();
    const blocked = ask(url, '/block?ms=60000').catch((error: unknown) => error);
    const [line] = await server.until('blocking');
    const others = Array.from({ length: 6 }, () => ask(url));
    await Promise.any(others); // The other worker answers; by now the blocked one was handed its share.
    process.kill(Number(line?.pid), 'SIGKILL');
    expect((await Promise.all(others)).map(({ boot }) => boot)).toEqual(Array(6).fill('ok'));
    expect(await blocked).toBeInstanceOf(Error);
  });

  test('has a spare worker take the place of one that is killed, and keeps another', async () => {
    const server = start({ SPARE_WORKER: 'on' });
    const { operations } = await server.started();
    const primary = Number(server.process.pid);
    const spares = (pids: readonly number[]) =>
      server.family().filter((pid) => pid !== primary && !pids.includes(pid));
    const { pids: before } = await readiness(operations);
    await eventually(() => spares(before).length === 1, 'a spare waits');
    const [standby] = spares(before);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await eventually(
      async () => (await readiness(operations)).pids.includes(standby ?? 0),
      'the spare has the slot',
    );
    await eventually(async () => (await readiness(operations)).serving === 2, 'it serves');
    const { pids: after } = await readiness(operations);
    await eventually(() => spares(after).length === 1, 'another one waits');
    const [old] = spares(after);
    expect((await post(`${operations}/reload`)).status).toBe(200);
    const { pids: reloaded } = await readiness(operations);
    expect(reloaded).not.toContain(old); // It had read the code of before.
    await eventually(
      () => spares(reloaded).length === 1 && !spares(reloaded).includes(old ?? 0),
      'a new one waits',
    );
    server.signal('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await server.gone();
  });

  test('closes such a connection when there is no other worker', async () => {
    const server = start({ WORKERS: '1' });
    const { url } = await server.started();
    const blocked = ask(url, '/block?ms=60000').catch((error: unknown) => error);
    const [line] = await server.until('blocking');
    const waiting = connect(Number(new URL(url).port), '127.0.0.1');
    await once(waiting, 'connect');
    process.kill(Number(line?.pid), 'SIGKILL');
    await once(
      waiting.on('error', () => {}),
      'close',
    );
    expect(await blocked).toBeInstanceOf(Error);
  });

  test('stops on Ctrl-C, which every process of a terminal’s group gets, like on SIGTERM', async () => {
    const server = start();
    const { url } = await server.started();
    const held = ask(url, '/slow?ms=600');
    await ask(url);
    for (const pid of server.family()) process.kill(pid, 'SIGINT');
    expect((await held).boot).toBe('ok');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await server.gone();
  });
});

describe('SIGTERM', () => {
  test('finishes what is in flight, then exits 0 and leaves no process behind', async () => {
    const server = start();
    const { url } = await server.started();
    const held = [ask(url, '/slow?ms=800'), ask(url, '/slow?ms=800')];
    await ask(url); // The two above have been accepted by now: connections are taken in order.
    server.signal('SIGTERM');
    expect((await Promise.all(held)).map(({ boot }) => boot)).toEqual(['ok', 'ok']);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await server.gone();
  });

  test('says not ready at once and goes on serving while the balancer turns away', async () => {
    const server = start({ SHUTDOWN_DELAY_MS: '1000' });
    const { url, operations } = await server.started();
    server.signal('SIGTERM');
    await eventually(async () => (await readiness(operations)).status === 503, 'not ready');
    expect((await ask(url)).boot).toBe('ok');
    expect((await post(`${operations}/reload`)).status).toBe(409);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('cuts off what is not done at the deadline, and still exits 0', async () => {
    const server = start({ DRAIN_TIMEOUT_MS: '300' });
    const { url } = await server.started();
    const held = ask(url, '/slow?ms=60000').catch((error: unknown) => error);
    await ask(url);
    server.signal('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await held).toBeInstanceOf(Error);
    await server.gone();
  });

  test.each(['0', '5000'])(
    'twice ends everything now, with exit code 1, after a delay of %s ms or in it',
    async (delay) => {
      const server = start({ SHUTDOWN_DELAY_MS: delay });
      const { url } = await server.started();
      const held = ask(url, '/slow?ms=60000').catch((error: unknown) => error);
      await ask(url);
      server.signal('SIGTERM');
      await server.until('stopping');
      const first = performance.now();
      await eventually(() => performance.now() - first > ECHO_MS, 'a signal counts as another one');
      server.signal('SIGTERM');
      expect(await server.exited).toEqual({ code: 1, signal: null });
      expect(await held).toBeInstanceOf(Error);
      await server.gone();
    },
  );

  test('to the process and to its group at once is one signal', async () => {
    const server = start();
    const { url } = await server.started();
    const held = ask(url, '/slow?ms=800');
    await ask(url);
    server.signal('SIGTERM');
    await server.until('stopping');
    for (const pid of server.family()) process.kill(pid, 'SIGTERM');
    expect((await held).boot).toBe('ok');
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('to one worker lets it finish and replaces it', async () => {
    const { url, operations } = await start({ WORKERS: '1' }).started();
    const { pid } = await ask(url);
    const held = ask(url, '/slow?ms=500');
    await ask(url);
    process.kill(pid, 'SIGTERM');
    expect((await held).pid).toBe(pid);
    await eventually(async () => {
      const { serving, pids } = await readiness(operations);
      return serving === 1 && pids[0] !== pid;
    }, 'another worker serves');
  });
});

describe('a primary that is killed', () => {
  test('leaves workers that finish what they hold and then go', async () => {
    const server = start();
    const { url } = await server.started();
    const held = [ask(url, '/slow?ms=800'), ask(url, '/slow?ms=800')];
    await ask(url);
    server.signal('SIGKILL');
    expect((await Promise.all(held)).map(({ boot }) => boot)).toEqual(['ok', 'ok']);
    await server.gone();
  });
});

describe('POST /reload', () => {
  test('answers once every worker is another one', async () => {
    const { url, operations } = await start().started();
    const before = (await readiness(operations)).pids;
    const answer = await post(`${operations}/reload`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'reloaded', phase: 'running', serving: 2 });
    expect((await readiness(operations)).pids.filter((pid) => before.includes(pid))).toEqual([]);
    expect(before).not.toContain((await ask(url)).pid);
  });

  test('answers each of many, with SIGHUP among them, when all are of the last build', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-reload-'));
    const build = path.join(folder, 'build');
    writeFileSync(build, 'slow');
    const server = start({ FIXTURE_BOOT_FILE: build });
    const { url, operations } = await server.started();
    const reload = async () => (await post(`${operations}/reload`)).status;
    const first = [reload(), reload()];
    server.signal('SIGHUP');
    await server.until('reloading', 3);
    writeFileSync(build, 'last');
    server.signal('SIGHUP');
    expect(await Promise.all([...first, reload()])).toEqual([200, 200, 200]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(url)));
    expect(answers.map(({ boot }) => boot)).toEqual(Array(8).fill('last'));
    rmSync(folder, { recursive: true });
  });

  test('is followed by no answer of an old worker, not even on a connection that was kept', async () => {
    const { url, operations } = await start().started();
    const kept = async () => ((await (await fetch(url)).json()) as { pid: number }).pid;
    const before = (await readiness(operations)).pids;
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 8 }, kept));
    expect((await post(`${operations}/reload`)).status).toBe(200);
    const after = await Promise.all(Array.from({ length: 16 }, kept));
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  test('says why when the new build does not start, and in which slot', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-reload-'));
    const build = path.join(folder, 'build');
    const { operations } = await start({ FIXTURE_BOOT_FILE: build }).started();
    writeFileSync(build, 'known');
    const answer = await post(`${operations}/reload`);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({
      status: 'not reloaded',
      why: 'slot 0: the new worker did not become ready: E_FIXTURE: pages/index has no view',
      serving: 2,
    });
    rmSync(folder, { recursive: true });
  });

  test('is answered, too, when the server stops meanwhile', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-reload-'));
    const build = path.join(folder, 'build');
    const server = start({ FIXTURE_BOOT_FILE: build });
    const { operations } = await server.started();
    writeFileSync(build, 'slow');
    const reloading = post(`${operations}/reload`);
    await server.until('reloading');
    server.signal('SIGTERM');
    expect((await reloading).status).toBe(409);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await server.gone();
    rmSync(folder, { recursive: true });
  });
});

describe('another verdict of the change feed', () => {
  test('reaches every worker, though it comes while the server starts and reloads', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-verdict-'));
    const [feed, build] = [path.join(folder, 'feed'), path.join(folder, 'build')];
    writeFileSync(feed, 'unavailable');
    writeFileSync(build, 'slow');
    const server = start({ FIXTURE_FEED_FILE: feed, FIXTURE_BOOT_FILE: build });
    await eventually(() => server.family().length >= 4, 'workers start');
    server.signal('SIGHUP');
    writeFileSync(feed, 'leading');
    writeFileSync(build, 'ok');
    const { url, operations } = await server.started();
    const all = async (wanted: string) => {
      const answers = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
      return answers.every((answer) => answer.feed === wanted);
    };
    await eventually(() => all('on'), 'every worker follows the feed');
    expect((await post(`${operations}/reload`)).status).toBe(200);
    expect(await all('on')).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

describe('SIGHUP', () => {
  test('replaces every worker without losing a request', async () => {
    const server = start();
    const { url, operations } = await server.started();
    const before = (await readiness(operations)).pids;
    const lost: unknown[] = [];
    let answered = 0;
    let reloaded = false;
    const clients = [0, 1, 2, 3].map(async () => {
      while (!reloaded) {
        await ask(url, '/slow?ms=5').then(
          () => (answered += 1),
          (error: unknown) => lost.push(error),
        );
      }
    });
    server.signal('SIGHUP');
    await server.until('reloaded');
    await eventually(() => server.family().length === 3, 'the old workers are gone');
    reloaded = true;
    await Promise.all(clients);
    const after = (await readiness(operations)).pids;
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(lost).toEqual([]);
    expect(answered).toBeGreaterThan(10);
  });

  test('keeps the old workers when the new ones do not start', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-reload-'));
    const build = path.join(folder, 'build');
    const server = start({ FIXTURE_BOOT_FILE: build });
    const { url, operations } = await server.started();
    const before = (await readiness(operations)).pids;
    writeFileSync(build, 'throw');
    server.signal('SIGHUP');
    await server.until('reload ended: the workers that serve go on');
    expect((await readiness(operations)).pids).toEqual(before);
    expect((await ask(url)).boot).toBe('ok');
    writeFileSync(build, 'known');
    expect((await post(`${operations}/reload`)).status).toBe(500);
    expect(server.said('worker could not start')).toMatchObject([
      { code: 'E_FIXTURE', message: 'pages/index has no view' },
    ]);

    writeFileSync(build, 'fixed');
    server.signal('SIGHUP');
    await server.until('reloaded');
    expect((await ask(url)).boot).toBe('fixed');
    rmSync(folder, { recursive: true });
  });
});

describe('a start that cannot be', () => {
  test('names every wrong setting at once, before anything is forked', async () => {
    const server = start({ PORT: 'http', WORKERS: '0', NODE_ENV: 'production', DATABASE_URL: '' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain('3 settings are wrong');
    for (const name of ['PORT=http', 'WORKERS=0', 'DATABASE_URL']) expect(server.stderr).toContain(name);
    expect(server.lines).toEqual([]);
  });

  test.each([
    ['PORT', 'HOST'],
    ['OPS_PORT', 'OPS_HOST'],
  ])('names %s when something else listens there', async (name) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const server = start({ [name]: String(port) });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain(`${name}=${port}: something else listens on 127.0.0.1:${port}`);
    expect(server.said('worker died')).toEqual([]);
    taken.close();
  });

  test.each(['HOST', 'OPS_HOST'])('names %s when the machine has no such address', async (name) => {
    const server = start({ [name]: '192.0.2.1', OPS_TOKEN: 'sixteen-characters' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain(`${name}=192.0.2.1: is not an address of this machine`);
  });
});

describe('services that were not configured', () => {
  test('are started first, and workers get their addresses', async () => {
    const server = start({ DATABASE_URL: '' });
    const { url, line } = await server.started();
    expect((await ask(url)).databaseUrl).toBe('postgres://fixture:secret@localhost:1/x');
    expect(line).toMatchObject({ postgres: 'localhost:1', embedded: ['postgres'] });
    expect(JSON.stringify(server.lines)).not.toContain('secret');
    server.signal('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await server.gone();
  });

  test('end the start with their own words when they cannot run', async () => {
    const server = start({ DATABASE_URL: '', FIXTURE_SERVICES: 'fail' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain('E_FIXTURE: the disk is full');
    await server.gone();
  });

  test('end the start when they just die', async () => {
    const server = start({ DATABASE_URL: '', FIXTURE_SERVICES: 'exit' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain('the services process ended before it was ready (exit code 1)');
  });

  test('are started again when they die later', async () => {
    const server = start({ DATABASE_URL: '' });
    await server.started();
    const services = server.family().find((pid) => commandOf(pid).includes('services'));
    process.kill(services ?? 0, 'SIGKILL');
    await server.until('services process died and is started again');
    await eventually(
      () => server.family().some((pid) => pid !== services && commandOf(pid).includes('services')),
      'another services process',
    );
  });

  test('go when the primary is killed', async () => {
    const server = start({ DATABASE_URL: '' });
    await server.started();
    server.signal('SIGKILL');
    await server.gone();
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
