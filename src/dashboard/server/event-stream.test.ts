import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { EventStream, MAX_BEHIND } from './event-stream.ts';

/** One whose reader takes nothing: what is written stays here. */
function stuck(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

function streamOf(message: () => Promise<unknown>) {
  const clock = new ManualClock();
  const stream = new EventStream({ clock, logger: silent, message, greeting: () => 'hello' });
  const second = async () => {
    clock.advance(1000);
    await settled();
  };
  return { stream, second };
}

/** What was promised has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

test('nobody looks: nothing is put together', async () => {
  let asked = 0;
  const { stream, second } = streamOf(async () => asked++);
  await second();
  expect(asked).toBe(0);
  const watcher = stuck();
  stream.add(watcher, () => true);
  await settled();
  await second();
  expect(asked).toBe(2);
  watcher.destroy();
  watcher.emit('close');
  await second();
  await second();
  await second();
  expect(asked).toBeLessThanOrEqual(3);
  stream.close();
});

test('many look: it is put together once a second for all of them', async () => {
  let asked = 0;
  const { stream, second } = streamOf(async () => asked++);
  for (let n = 0; n < 10; n++) stream.add(stuck(), () => true);
  await settled();
  await second();
  await second();
  expect(asked).toBe(3);
  stream.close();
});

test('a reader that takes nothing is dropped; the others go on', async () => {
  const { stream, second } = streamOf(async () => 'x'.repeat(MAX_BEHIND / 4));
  const slow = stuck();
  stream.add(slow, () => true);
  await settled();
  for (let n = 0; n < 10 && !slow.destroyed; n++) await second();
  expect(slow.destroyed).toBe(true);
  expect(slow.writableLength).toBeLessThan(2 * MAX_BEHIND);
  expect(stream.watchers).toBe(0);
  stream.close();
});

test('figures that cannot be put together do not end it', async () => {
  let asked = 0;
  const { stream, second } = streamOf(async () => {
    asked += 1;
    if (asked === 1) throw new Error('no');
    return 'figures';
  });
  const watcher = stuck();
  stream.add(watcher, () => true);
  await settled();
  await second();
  expect(asked).toBe(2);
  expect(stream.watchers).toBe(1);
  stream.close();
  expect(watcher.writableEnded).toBe(true);
});

test('once closed it takes nobody', () => {
  const { stream } = streamOf(async () => 'figures');
  stream.close();
  const late = stuck();
  stream.add(late, () => true);
  expect(late.destroyed).toBe(true);
});
