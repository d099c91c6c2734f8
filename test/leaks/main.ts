// npm run check:leaks -- [--histories N] [--seed N]
//
// The long form of the leak property. Ends with 1 where a byte of one visitor reached another, or was kept.
import { parseArgs } from 'node:util';
import { checkLeaks } from './check.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const seed = Number(values.seed);
process.stdout.write(`seed ${seed}\n`);
let said = 0;
const report = await checkLeaks({
  histories: Number(values.histories),
  seed,
  onProgress: (done) => {
    if (done - said < 10_000) return;
    said = done;
    process.stdout.write(`${done} histories\n`);
  },
});
const { leaks, ...counts } = report;
for (const [what, count] of Object.entries(counts)) process.stdout.write(`${what}: ${count}\n`);
for (const leak of leaks) process.stdout.write(`LEAK ${leak}\n`);
process.stdout.write(leaks.length === 0 ? 'nothing leaked\n' : 'leaked\n');
process.exit(leaks.length === 0 ? 0 : 1);
