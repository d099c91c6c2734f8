// Five hundred visitors at one moment want a page that nobody has rendered yet and whose data takes 200 ms.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Backing } from './backing.ts';
import { type Contestant, Field } from './contestant.ts';
import { newPage, rendersFile, startBento, startFastify, startNext, startOurs } from './peers.ts';
import type { Table } from './table.ts';

const VISITORS = 500;

export async function stampede(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using field = new Field();
  const servers = [
    await field.add(startFastify()),
    await field.add(startBento()),
    await field.add(startNext()),
    await field.add(startOurs(1, { DATABASE_URL: backing.url })),
  ];
  const rows: string[][] = [];
  for (const server of servers) rows.push(await crowd(server, server.name));
  const both = await field.add(
    startOurs(2, { DATABASE_URL: backing.url, BENCH_RENDERS: rendersFile('coherent 2') }),
  );
  rows.push(await crowd(both, 'coherent 2', 'coherent, two workers'));
  return [
    {
      title: 'Stampede',
      notes: [`${VISITORS} connections ask at once for one page that is in no cache. Right is one render.`],
      columns: ['server', 'renders', 'wrong answers', 'all answered after (ms)'],
      rows,
    },
  ];
}

/** All are connected before the first one asks, and all ask in one turn of the loop. */
async function crowd(server: Contestant, file: string, name = server.name): Promise<string[]> {
  const { hostname, port } = new URL(server.origin);
  const sockets = Array.from({ length: VISITORS }, () => connect(Number(port), hostname));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const before = renders(file);
  const begun = performance.now();
  for (const socket of sockets)
    socket.write(`GET /slow/${newPage} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`);
  const answers = await Promise.all(sockets.map((socket) => text(socket)));
  const took = performance.now() - begun;
  const wrong = answers.filter(
    (answer) => !answer.startsWith('HTTP/1.1 200 ') || !answer.includes(`Item 29 of ${newPage}`),
  ).length;
  return [name, String(renders(file) - before), String(wrong), took.toFixed(0)];
}

function renders(name: string): number {
  try {
    return readFileSync(rendersFile(name)).length;
  } catch {
    return 0;
  }
}
