// The renderer's own benchmark is a program of its own (bench/render); here it runs as one of all.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Table } from './table.ts';

export async function render(): Promise<Table[]> {
  const program = fileURLToPath(new URL('render/main.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '4'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`bench/render ended with ${status}:\n${stderr}`);
  return [
    {
      title: 'Rendering',
      notes: [
        'CPU time of one page, from its data to its bytes, beside other renderers in the same process.',
      ],
      columns: [],
      rows: [],
      verbatim: stdout.trimEnd(),
    },
  ];
}
