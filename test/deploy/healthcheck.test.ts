// The probe by itself, against servers that answer as a server of ours may: what it says, how it exits, what it costs.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compileFixtures } from '../cluster/fixture-server.ts';

let fixtures: ReturnType<typeof compileFixtures>;
beforeAll(() => {
  fixtures = compileFixtures();
});
afterAll(() => fixtures.remove());

const open: (() => unknown)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** The port of a server that answers so. */
async function operations(answers: RequestListener): Promise<number> {
  const server = createServer(answers).listen(0, '127.0.0.1');
  open.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Ended {
  readonly code: number;
  readonly said: string;
  readonly residentMb: number;
}

const SAY_MEMORY = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)));",
)}`;

function run(args: readonly string[], port = 0): Promise<Ended> {
  const env = { OPS_PORT: String(port) };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', SAY_MEMORY, ...args],
      { cwd: '/', env },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 0;
        resolve({ code, said: stdout, residentMb: Number(stderr) / 1024 });
      },
    );
  });
}

describe('the health check', () => {
  test('says healthy and exits 0 where /livez and /readyz answer 200', async () => {
    const asked: (string | undefined)[] = [];
    const port = await operations(({ url }, response) => {
      asked.push(url);
      response.end('ok\n');
    });
    expect(await run([fixtures.healthcheck], port)).toMatchObject({ code: 0, said: 'healthy\n' });
    expect(asked).toEqual(['/livez', '/readyz']);
  });

  test('says what the server said and exits 1 where one of them does not', async () => {
    const port = await operations(({ url }, response) => {
      response.writeHead(url === '/readyz' ? 503 : 200).end('draining\n');
    });
    const said = 'unhealthy: /readyz answered 503: draining\n';
    expect(await run([fixtures.healthcheck], port)).toMatchObject({ code: 1, said });
  });

  test('gives up on an answer that never ends', async () => {
    const port = await operations((_, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    const said = `unhealthy: no answer from http://127.0.0.1:${port} in 2000 ms\n`;
    expect(await run([fixtures.healthcheck], port)).toMatchObject({ code: 1, said });
  });

  test('costs its host little more memory than a program that does nothing', async () => {
    const port = await operations((_, response) => response.end('ok\n'));
    const [probe, nothing] = [await run([fixtures.healthcheck], port), await run(['-e', '0'])];
    expect(probe.code).toBe(0);
    expect(nothing.residentMb).toBeGreaterThan(10);
    expect(probe.residentMb - nothing.residentMb).toBeLessThan(12);
  });
});
