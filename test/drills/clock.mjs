// Loaded before a server's own code (`NODE_OPTIONS=--import`): its wall clock is off by what the file CLOCK_FILE says,
// as when a time server or a person sets the machine's clock. Only the wall clock jumps, as on a real machine.
import { readFileSync } from 'node:fs';

const { CLOCK_FILE } = process.env;
const now = Date.now;
let offMs = 0;

if (CLOCK_FILE !== undefined) {
  setInterval(() => {
    try {
      offMs = Number(readFileSync(CLOCK_FILE, 'utf8')) || 0;
    } catch {
      // Not written yet.
    }
  }, 50).unref();
  Date.now = () => now() + offMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, given) => new target(...(given.length === 0 ? [Date.now()] : given)),
  });
}
