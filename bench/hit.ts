// A cached page, asked for again and again.
import { Backing } from './backing.ts';
import { Field } from './contestant.ts';
import { BROWSER, inTurn } from './load.ts';
import {
  hasNginx,
  hasVarnish,
  startBare,
  startBareWithHeaders,
  startBento,
  startFastify,
  startNext,
  startNginx,
  startOurs,
  startVarnish,
} from './peers.ts';
import { cpuTable, type Table } from './table.ts';

const PATH = '/card/1';

export async function hit(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using field = new Field();
  const ours = await field.add(startOurs(1, { DATABASE_URL: backing.url }));
  // The second answer comes from memory.
  await (await fetch(ours.origin + PATH)).arrayBuffer();
  const response = await fetch(ours.origin + PATH, { headers: { 'accept-encoding': 'identity' } });
  const body = Buffer.from(await response.arrayBuffer());
  const bare = await field.add(startBare(body));
  const alike = await field.add(startBareWithHeaders(body, response.headers));
  const peers = [
    await field.add(startFastify()),
    await field.add(startBento()),
    await field.add(startNext()),
  ];
  if (hasNginx()) peers.push(await field.add(startNginx(bare)));
  if (hasVarnish()) peers.push(await field.add(startVarnish(bare)));
  const everybody = [bare, alike, ...peers, ours];

  const plain = await inTurn(everybody, { path: PATH });
  const browser = await inTurn(everybody, { path: PATH, headers: BROWSER });
  // A condition that the fast path leaves to the ordinary path, which answers it with the same page.
  const ordinary = await inTurn([alike, bare, ours], {
    path: PATH,
    headers: { 'if-modified-since': 'never' },
  });
  return [
    cpuTable(
      'Hit',
      [
        `One page of ${body.length} bytes, in memory; 32 connections that stay open; no compression. The last column but one says how`,
        'many requests a server answers for the CPU time that the bare one spends on one.',
      ],
      plain,
    ),
    cpuTable(
      'Hit, with the headers of a browser',
      [
        'The same with 13 request headers. The bare server does not look at them, but Node reads them for it.',
      ],
      browser,
    ),
    cpuTable(
      'Hit, without the fast path',
      [
        'The same page from the same memory by the ordinary path, which answers what the fast path leaves alone.',
      ],
      ordinary,
    ),
  ];
}
