// Wishes and deaths at random, on virtual time, thrown at the slots with the real machine and scripted processes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../config/load.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ScriptedProcess } from '../../../test/support/scripted-process.ts';
import { silent } from '../../../test/support/silent.ts';
import { Slots } from './slots.ts';

const SLOTS = 3;
const environment = { BOOT_TIMEOUT_MS: '5000', WARM_TIMEOUT_MS: '0', DRAIN_TIMEOUT_MS: '2000' };
const config = loadConfig({ environment, cwd: '/nonexistent' });

/** Where a process is, as the world sees it. */
class LivingProcess extends ScriptedProcess {
  hasServed = false;
  isShaken = false;
  takesConnections = true;
  isWedged = false;
  isGone = false;
}

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wish'),
      slot: fc.option(fc.nat(SLOTS - 1)),
      isRequired: fc.boolean(),
    } as const),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.integer({ min: 1, max: 20_000 }) } as const),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'boot',
        'boot',
        'boot',
        'finish',
        'finish',
        'fail',
        'crash',
        'exit',
        'kill',
        'wedge',
        'leave',
      ),
      which: fc.nat(20),
    } as const),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly clock = new ManualClock();
  readonly forked: LivingProcess[] = [];
  readonly slots: Slots;
  /** Wishes that are not answered yet. */
  open = 0;
  /** How many processes had been forked when settings changed last. */
  required = 0;
  /** What was not true yet when a wish was answered. */
  readonly tooEarly: string[] = [];

  constructor(random: () => number) {
    this.slots = new Slots({
      count: SLOTS,
      config: () => config,
      fork: () => {
        const process = new LivingProcess(this.forked.length + 1);
        this.forked.push(process);
        return process;
      },
      clock: this.clock,
      random,
      logger: silent,
      stateOf: () => undefined,
      events: { onServing: () => {}, onDeath: () => {}, onGone: () => {}, onChannelMessage: () => {} },
    });
    this.slots.start();
  }

  get living(): LivingProcess[] {
    return this.forked.filter(({ isGone }) => !isGone);
  }

  /** The processes that have a slot and serve. */
  get serving(): LivingProcess[] {
    const pids = this.slots
      .snapshots()
      .filter(({ state }) => state === 'serving')
      .map(({ pid }) => pid);
    return this.forked.filter(({ pid }) => pids.includes(pid));
  }

  /** How many could be replaced without a loss: the same before and after whatever is no accident. */
  get sound(): number {
    return this.serving.filter(({ isShaken }) => !isShaken).length;
  }

  /** Resolves as the wish does. What "reached" must mean is checked when it comes. */
  async wish(slot: number | undefined, isRequired: boolean): Promise<boolean> {
    const forkedBefore = this.forked.length;
    if (isRequired && slot === undefined) this.required = forkedBefore;
    this.open += 1;
    const outcome = await this.slots.wish({ ...(slot !== undefined && { slot }), isRequired });
    this.open -= 1;
    if (!outcome.reached) return false;
    const concerned = (process: LivingProcess) => slot === undefined || process.slot === slot;
    const old = this.forked.slice(0, forkedBefore).filter(concerned);
    const stillOpen = old.filter((one) => one.hasServed && one.takesConnections && !one.isGone);
    this.tooEarly.push(...stillOpen.map(({ pid }) => `process ${pid} is older and takes connections`));
    const serving = this.serving.filter(concerned).length;
    if (serving < (slot === undefined ? SLOTS : 1)) this.tooEarly.push(`${serving} serve`);
    return true;
  }

  /** A second at a time, as the primary looks. */
  advance(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(1000, left));
      for (const process of this.living)
        if (process.hasServed && !process.isWedged) process.says({ type: 'beat' });
      for (const worker of this.slots.living) worker.checkBeat();
      for (const process of this.living)
        if (process.heard.includes('SIGKILL')) this.end(process, null, 'SIGKILL');
    }
  }

  end(process: LivingProcess, code: number | null, signal: string | null): void {
    process.isGone = true;
    process.dies(code, signal);
  }

  boot(process: LivingProcess): void {
    if (process.hasServed || process.heard.includes('SIGTERM')) return;
    process.hasServed = true;
    process.boots();
  }

  /** Does what it was told to: drain, or end. */
  finish(process: LivingProcess): void {
    if (process.isWedged) return;
    if (process.heard.includes('drain') && process.takesConnections) {
      process.takesConnections = false;
      process.says({ type: 'closed' });
    } else if (process.heard.includes('drain') || process.heard.includes('SIGTERM'))
      this.end(process, 0, null);
  }

  act(action: Action): void {
    if (action.do === 'wish') void this.wish(action.slot ?? undefined, action.isRequired);
    else if (action.do === 'advance') this.advance(action.ms);
    else {
      const process = this.living[action.which % Math.max(1, this.living.length)];
      if (process !== undefined) this.happen(action.do, process);
    }
  }

  happen(what: string, process: LivingProcess): void {
    if (what === 'boot') this.boot(process);
    else if (what === 'finish') this.finish(process);
    else if (what === 'fail')
      process.says({ type: 'failed', code: 'E_APPLICATION', message: 'a broken build' });
    else if (what === 'crash') {
      process.isShaken = process.hasServed;
      process.says({ type: 'failed', code: 'E_UNCAUGHT', message: 'boom' });
    } else if (what === 'exit') this.end(process, 1, null);
    else if (what === 'kill') this.end(process, null, 'SIGKILL');
    else if (what === 'wedge') process.isWedged = true;
    else process.says({ type: 'leaving' });
    if (what === 'fail') process.isShaken = process.hasServed;
  }

  /** From now on builds are good, and processes do what they are told. */
  async calm(): Promise<void> {
    for (let seconds = 0; seconds < 200; seconds++) {
      for (const process of this.living) this.boot(process);
      for (const process of this.living) this.finish(process);
      this.advance(1000);
      await settled();
    }
  }
}

/** Answers are promises. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

const NO_ACCIDENT = new Set(['wish', 'boot', 'finish']);

test('no wish is lost, whatever comes when: each is answered once, and the last one comes true', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.nat(), async (actions, seed) => {
      let drawn = seed;
      const world = new World(() => {
        drawn = (drawn * 16_807 + 11) % 2_147_483_647;
        return drawn / 2_147_483_647;
      });
      for (const action of actions) {
        const { sound, serving } = world;
        world.act(action);
        await settled();
        if (NO_ACCIDENT.has(action.do) && !wasWedged(world)) {
          expect(world.sound).toBeGreaterThanOrEqual(sound);
          if (serving.length > 0) expect(world.serving.length).toBeGreaterThan(0);
        }
      }
      await world.calm();
      expect(world.open).toBe(0);
      expect(world.tooEarly).toEqual([]);
      // Settings that had to come true have.
      for (const process of world.serving) expect(process.pid).toBeGreaterThan(world.required);
      // And so does a last wish, after all of that.
      const last = world.wish(undefined, false);
      await world.calm();
      expect(await last).toBe(true);
      expect(world.sound).toBe(SLOTS);
      expect(world.slots.isReplacing).toBe(false);
      expect(world.living).toHaveLength(SLOTS);
      expect(world.clock.pending).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('a stop at any moment answers every wish and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 30 }),
      fc.array(action, { maxLength: 10 }),
      async (before, after) => {
        const world = new World(() => 0.5);
        for (const one of before) world.act(one);
        world.slots.freeze();
        for (const one of after) world.act(one);
        await settled();
        expect(world.open).toBe(0);
        const closed = world.slots.close(2000);
        const forked = world.forked.length;
        await world.calm();
        await closed;
        expect(world.forked).toHaveLength(forked);
        expect(world.living).toEqual([]);
        expect(world.clock.pending).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});

function wasWedged({ forked }: World): boolean {
  return forked.some(({ isWedged, isGone }) => isWedged && !isGone);
}
