import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fifo } from './fifo.ts';

it('gives back what it was given in the same order, whatever comes between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer(), { nil: undefined })),
      fc.integer({ max: 3000, min: 0 }),
      (steps, many) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        for (let index = 0; index < many; index++) {
          fifo.push(index);
          model.push(index);
        }
        for (const step of [...steps, ...Array.from({ length: many }, () => undefined)]) {
          if (step === undefined) expect(fifo.shift()).toBe(model.shift());
          else {
            fifo.push(step);
            model.push(step);
          }
          expect(fifo.size).toBe(model.length);
          expect(fifo.first).toBe(model[0]);
        }
        expect([...fifo]).toEqual(model);
      },
    ),
    { numRuns: 30 },
  );
});
