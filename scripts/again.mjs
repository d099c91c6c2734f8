#!/usr/bin/env node
// Runs tests again and again beside busy loops, for those that depend on who is faster:
//
//   npm run again -- 200 test/feed/faults.test.ts -t 'takes a table out of it'
//
// BUSY=4 for more loops than 2. Only files that read REPEATS are run more than once.
import { spawn } from 'node:child_process';

const [times, ...args] = process.argv.slice(2);
if (!(Number(times) > 0)) {
  console.error('Usage: npm run again -- TIMES FILE [-t NAME]');
  process.exit(1);
}
const loops = Array.from({ length: Number(process.env.BUSY ?? 2) }, () =>
  spawn(
    process.execPath,
    [
      '-e',
      'process.stdin.on("end", () => process.exit()).resume(); setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 0)',
    ],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  ),
);
const run = spawn('npx', ['vitest', 'run', ...args], {
  stdio: 'inherit',
  env: { ...process.env, REPEATS: String(Number(times) - 1) },
});
run.once('exit', (code) => {
  for (const loop of loops) loop.kill();
  process.exitCode = code ?? 1;
});
