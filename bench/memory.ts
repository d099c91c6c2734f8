// Addresses that are asked for once and never again (a crawler, a scan) must not fill the memory.
import { setTimeout as pause } from 'node:timers/promises';
import { Backing } from './backing.ts';
import { type Contestant, Field } from './contestant.ts';
import { burst } from './load.ts';
import { memoryMb } from './machine.ts';
import { newPage, startBento, startFastify, startNext, startOurs } from './peers.ts';
import type { Table } from './table.ts';

const STEPS = 4;
const SECONDS = 2;

export async function memory(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using field = new Field();
  const rows: string[][] = [];
  const servers = [
    startFastify,
    startBento,
    startNext,
    () => startOurs(1, { DATABASE_URL: backing.url, L1_MAX_BYTES: '20mb' }),
  ];
  for (const start of servers) rows.push(await flood(await field.add(start())));
  return [
    {
      title: 'Memory under addresses asked for once',
      notes: [
        `Pages that are asked for once each, in ${STEPS} bursts; the process's own memory (MB, resident, not forced to collect) after each.`,
        'Flat is right. This server runs with a memory tier of 20 MB, bentocache with 100 MB; Next keeps 50 MB in memory and the rest on disk.',
      ],
      columns: [
        'server',
        'at start',
        ...Array.from({ length: STEPS }, (_, step) => `burst ${step + 1}`),
        'pages',
      ],
      rows,
    },
  ];
}

async function flood(server: Contestant): Promise<string[]> {
  const megabytes = [memoryMb(server.pid)];
  let page = 0;
  for (let step = 0; step < STEPS; step++) {
    await burst(server, { path: () => `/card/${newPage}once${page++}`, seconds: SECONDS });
    await pause(500);
    megabytes.push(memoryMb(server.pid));
  }
  return [server.name, ...megabytes.map((mb) => mb.toFixed(0)), String(page)];
}
