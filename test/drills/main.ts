// npm run drills -- [--drill NAME]... [--connections N] [--write]
//
// Every drill under a longer load than the tests give it. With --write the tables go into docs/reliability.md. Ends
// with 1 when something did not hold.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ATTACKS } from '../security/matrix.ts';
import { buildServer } from '../support/built-server.ts';
import { BOOTS } from './boots.ts';
import { attackTable, bootTable, drillTable, type PlayedBoot, section } from './document.ts';
import { DRILLS } from './drills.ts';
import { type Played, play, start } from './play.ts';

const { values } = parseArgs({
  options: {
    drill: { type: 'string', multiple: true },
    connections: { type: 'string', default: '16' },
    'warm-up': { type: 'string', default: '1500' },
    write: { type: 'boolean', default: false },
  },
});
const FILE = 'docs/reliability.md';
const say = (line: string) => void process.stdout.write(`${line}\n`);
const isAsked = ({ name }: { readonly name: string }) => values.drill?.includes(name) ?? true;

const build = buildServer();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.once('exit', () => build.remove());

const played: Played[] = [];
for (const drill of DRILLS.filter(isAsked)) {
  const options = {
    build: build.folder,
    connections: Number(values.connections),
    warmUp: Number(values['warm-up']),
  };
  const one = await play(drill, options);
  played.push(one);
  say(drillTable([one]).split('\n').at(-1) ?? '');
  for (const violation of one.violations) say(`  ${violation}`);
}
const boots: PlayedBoot[] = [];
for (const boot of BOOTS.filter(isAsked)) {
  const one = await start(boot, build.folder);
  boots.push(one);
  say(bootTable([one]).split('\n').at(-1) ?? '');
  for (const violation of one.violations) say(`  ${violation}`);
}
if (values.write) {
  let text = readFileSync(FILE, 'utf8');
  text = section(text, 'drills', drillTable(played));
  text = section(text, 'boots', bootTable(boots));
  text = section(text, 'attacks', attackTable(ATTACKS));
  writeFileSync(FILE, text);
}
process.exitCode = [...played, ...boots].some(({ violations }) => violations.length > 0) ? 1 : 0;
