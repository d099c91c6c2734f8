import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Ghosts } from './ghosts.ts';

let clock: ManualClock;
let ghosts: Ghosts;

beforeEach(() => {
  clock = new ManualClock();
  ghosts = new Ghosts(clock);
});

describe('displaced entries', () => {
  it('count as returned when they are wanted again within a minute, once', () => {
    ghosts.displaced('a');
    clock.advance(60_000);
    ghosts.missed('a');
    ghosts.missed('a');
    ghosts.missed('never held');
    expect(ghosts.returned).toBe(1);
  });

  it('are forgotten after that', () => {
    ghosts.displaced('a');
    clock.advance(60_001);
    ghosts.missed('a');
    expect(ghosts.returned).toBe(0);
  });

  it('are remembered up to a number, the last that went', () => {
    for (let index = 0; index < 5000; index++) ghosts.displaced(`k${index}`);
    for (let index = 0; index < 5000; index++) ghosts.missed(`k${index}`);
    expect(ghosts.returned).toBe(4096);
  });
});
