import { expect, it } from 'vitest';
import { DatabaseReach } from './database-reach.ts';

const worker = { send: () => {} };

it('is away from the first worker that fails until any has reached it, and then never again', () => {
  const reach = new DatabaseReach();
  expect(reach.isAway).toBe(false);
  reach.receive(worker, false);
  expect(reach.isAway).toBe(true);
  reach.receive(worker, true);
  expect(reach.isAway).toBe(false);
  reach.receive(worker, false);
  expect(reach.isAway).toBe(false);
});
