// A Redis Cluster of three primaries, and a primary with a replica under a sentinel, for tests.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { spawnGuarded } from '../../src/embedded/redis.ts';
import { freePort, redisProgram, until } from './redis.ts';
import { TcpProxy } from './tcp-proxy.ts';

export interface RedisFleet extends AsyncDisposable {
  readonly url: string;
  readonly ports: readonly number[];
}

class Servers {
  readonly folder = mkdtempSync(join(tmpdir(), 'crs-fleet-'));
  readonly #ends: (() => Promise<void>)[] = [];
  readonly #program = redisProgram();

  async start(port: number, options: readonly string[], file?: string): Promise<Redis> {
    const dir = join(this.folder, String(port));
    mkdirSync(dir);
    const first = file === undefined ? [] : [file];
    const common = file === undefined ? ['--port', String(port), '--dir', dir, '--save', ''] : [];
    const shell = spawnGuarded([this.#program, ...first, ...options, ...common]);
    shell.stdout?.resume();
    shell.stderr?.resume();
    const exited = new Promise((resolve) => shell.once('exit', resolve));
    const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => {});
    this.#ends.push(async () => {
      client.disconnect();
      shell.stdio[3]?.destroy();
      await exited;
    });
    await client.ping();
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `proxies`: the ways to the three nodes, which the nodes themselves tell their clients to take. */
export async function redisCluster(): Promise<RedisFleet & { readonly proxies: readonly TcpProxy[] }> {
  const servers = new Servers();
  const ports = [await freePort(), await freePort(), await freePort()];
  const proxies = await Promise.all(ports.map((port) => TcpProxy.to({ port })));
  const nodes = await Promise.all(
    ports.map(async (port, index) =>
      servers.start(
        port,
        [
          ['--cluster-enabled', 'yes'],
          // The port of the cluster's own talk; its default is the port plus 10,000, which may not exist.
          ['--cluster-port', String(await freePort())],
          ['--cluster-announce-port', String(proxies[index]?.port)],
        ].flat(),
      ),
    ),
  );
  const busPorts = await Promise.all(nodes.map((node) => node.config('GET', 'cluster-port')));
  const bounds = [0, 5461, 10_922, 16_384];
  for (const [index, node] of nodes.entries()) {
    await node.call('CLUSTER', 'ADDSLOTSRANGE', String(bounds[index]), String((bounds[index + 1] ?? 0) - 1));
    for (const [other, port] of ports.entries()) {
      const [, busPort = ''] = busPorts[other] as string[];
      await node.call('CLUSTER', 'MEET', '127.0.0.1', String(port), busPort);
    }
  }
  for (const node of nodes)
    await until(async () =>
      /cluster_state:ok[\s\S]*known_nodes:3/.test(String(await node.call('CLUSTER', 'INFO'))),
    );
  return {
    url: `redis://127.0.0.1:${proxies[0]?.port}?cluster&nodes=127.0.0.1:${proxies[1]?.port}`,
    ports,
    proxies,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await servers.close();
    },
  };
}

export async function redisSentinel(): Promise<RedisFleet> {
  const servers = new Servers();
  const [primary, sentinel] = [await freePort(), await freePort()];
  await servers.start(primary, []);
  const file = join(servers.folder, 'sentinel.conf');
  writeFileSync(
    file,
    `port ${sentinel}\ndir ${servers.folder}\nsentinel monitor mymaster 127.0.0.1 ${primary} 1\n`,
  );
  await servers.start(sentinel, ['--sentinel'], file);
  return {
    url: `redis://127.0.0.1:${sentinel}?sentinel=mymaster`,
    ports: [primary, sentinel],
    [Symbol.asyncDispose]: () => servers.close(),
  };
}
