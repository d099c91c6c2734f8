// What it costs to know all this: the server against a copy of the same build in which the counting has been cut out.
// There is no setting that turns it off, so the copy is made here, line by line.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Field } from './contestant.ts';
import { inTurn } from './load.ts';
import { startOurs } from './peers.ts';
import { cpuTable, type Table } from './table.ts';

/** The repository: this file runs as dist/bench/monitoring.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const PATH = '/card/1';

/** By file of dist/: statements that only monitoring needs, and what must stay of them. */
const CUT: Readonly<Record<string, readonly (RegExp | readonly [RegExp, string])[]>> = {
  'src/http/fast-path/fast-path.js': [
    // Whether the fast path works here is told by its answers.
    [/this\.#count\(known\.use, head, cached, sent\);/, 'this.#answers++;'],
    /if \(this\.#answers === this\.#nextLine\)\s*this\.#log\([^;]*;/,
    /if \(this\.#tail\.isOpen\)\s*this\.#tail\.hit\([^;]*;/,
  ],
  'src/http/handler.js': [
    /usage\?\.arrived\(request, response\);/,
    /requests\?\.arrived\(response\);/,
    /this\.#seen\(response, page, answered\.body\?\.length \?\? 0\);/,
  ],
  'src/worker/stats/worker-stats.js': [/own\.start\(\);/],
  'src/cluster/run.js': [/stats\.start\(\);/],
};

export async function monitoring(): Promise<Table[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'coherent-uncounted-'));
  try {
    makeUncounted(folder);
    await using field = new Field();
    const uncounted = await field.add(startOurs(1, {}, { name: 'uncounted', root: folder }));
    const counted = await field.add(startOurs());
    const both = [uncounted, counted];
    const hit = await inTurn(both, { path: PATH, rounds: 15 });
    const headers = { 'if-modified-since': 'never' };
    const ordinary = await inTurn(both, { path: PATH, headers, rounds: 9 });
    const note =
      'The same build twice; in one of them the counts, the log of requests, the watch over loop, memory and collections, and the regular questions of the primary were cut out.';
    return [
      cpuTable('Monitoring, on a hit', [note], hit),
      cpuTable('Monitoring, on a hit without the fastPath', [note], ordinary),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Errors: a statement is not there any more, and this would measure nothing. */
function makeUncounted(folder: string): void {
  cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true });
  cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [file, statements] of Object.entries(CUT)) {
    const at = path.join(folder, 'dist', file);
    let source = readFileSync(at, 'utf8');
    for (const cut of statements) {
      const [statement, rest] = cut instanceof RegExp ? [cut, ''] : cut;
      if (!statement.test(source))
        throw new Error(`${file}: ${statement} is not there, so it cannot be cut out`);
      source = source.replace(statement, rest);
    }
    writeFileSync(at, source);
  }
}
