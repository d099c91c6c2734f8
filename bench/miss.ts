// A page that nobody has asked for before: route, load, render, store, send.
import { Backing } from './backing.ts';
import { Field } from './contestant.ts';
import { inTurn } from './load.ts';
import { newPage, startBento, startCompressing, startFastify, startNext, startOurs } from './peers.ts';
import { cpuTable, type Table } from './table.ts';

export async function miss(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using field = new Field();
  const everybody = [
    await field.add(startFastify()),
    await field.add(startCompressing()),
    await field.add(startBento()),
    await field.add(startNext()),
    await field.add(startOurs(1, { DATABASE_URL: backing.url })),
  ];
  let next = 0;
  const stats = await inTurn(everybody, {
    path: () => `/card/${newPage}m${next++}`,
    connections: 8,
    seconds: 2,
    rounds: 5,
  });
  return [
    cpuTable(
      'Miss',
      [
        'Every request asks for another page: route, load, render, store in the cache, send. No database is asked. This server',
        'compresses a page when it is asked for again; the peer that compresses at once shows what that would cost here.',
      ],
      stats,
    ),
  ];
}
