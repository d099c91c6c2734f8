// Loaded into every process of a host (node --import): its wall clock is off by as many milliseconds as a file says, as
// after a step of NTP or of an operator. Spans of time are not touched, as they are not on a real machine.
import { readFileSync, watchFile } from 'node:fs';

const file = process.env.CLOCK_FILE;
const RealDate = Date;
const realNow = Date.now;
let offByMs = 0;

if (file !== undefined) {
  const read = () => {
    try {
      offByMs = Number(readFileSync(file, 'utf8'));
    } catch {
      offByMs = 0;
    }
  };
  read();
  watchFile(file, { interval: 50, persistent: false }, read);
  globalThis.Date = class extends RealDate {
    static [Symbol.hasInstance](value) {
      return value instanceof RealDate;
    }

    constructor(...given) {
      super(...(given.length === 0 ? [realNow() + offByMs] : given));
    }

    static now() {
      return realNow() + offByMs;
    }
  };
}
