import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Peer } from '../../host-link/message-router.ts';
import { WorkerQuestions } from './worker-questions.ts';

const question = { ask: 'explain', key: 'users#17' } as const;

/** A worker that notes what it is asked, and answers when the test says so. */
function worker(questions: WorkerQuestions) {
  const asked: number[] = [];
  const from: Peer = { send: (body) => asked.push((body as { id: number }).id) };
  const say = (message: object) => questions.receive(from, message);
  say({ say: 'here' });
  const answer = (id: number | undefined) => say({ say: 'answer', id, status: 200, body: 'answered' });
  return { asked, from, say, answer };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a question to the workers', () => {
  it('goes to one after the other', () => {
    const questions = new WorkerQuestions(new ManualClock());
    const [a, b] = [worker(questions), worker(questions)];
    for (let time = 0; time < 4; time++) void questions.ask(question, 1000);
    expect([a.asked.length, b.asked.length]).toEqual([2, 2]);
  });

  it('passes over one that kept silent, until it has spoken', async () => {
    const clock = new ManualClock();
    const questions = new WorkerQuestions(clock);
    const [silent, other] = [worker(questions), worker(questions)];
    const first = questions.ask(question, 1000);
    clock.advance(1000);
    await settled();
    other.answer(other.asked[0]);
    expect(await first).toEqual({ status: 200, body: 'answered' });
    void questions.ask(question, 1000);
    void questions.ask(question, 1000);
    expect([silent.asked.length, other.asked.length]).toEqual([1, 3]);
    silent.answer(silent.asked[0]);
    void questions.ask(question, 1000);
    void questions.ask(question, 1000);
    expect(silent.asked.length).toBe(2);
  });

  it('is answered by the worker that was asked, and by no other', async () => {
    const questions = new WorkerQuestions(new ManualClock());
    const [a, b] = [worker(questions), worker(questions)];
    const answer = questions.ask(question, 1000);
    b.say({ say: 'answer', id: a.asked[0], status: 200, body: 'forged' });
    a.answer(a.asked[0]);
    expect(await answer).toEqual({ status: 200, body: 'answered' });
  });

  it('is not for one that leaves; where nobody is left the answer is 503', async () => {
    const questions = new WorkerQuestions(new ManualClock());
    const leaving = worker(questions);
    const answer = questions.ask(question, 1000);
    leaving.say({ say: 'leaving' });
    leaving.answer(leaving.asked[0]);
    expect((await answer).status).toBe(200);
    expect((await questions.ask(question, 1000)).status).toBe(503);
  });

  it('survives what is not of its protocol', () => {
    const questions = new WorkerQuestions(new ManualClock());
    const { from } = worker(questions);
    for (const body of [null, 7, {}, { say: 'answer', id: 99, status: 200 }, { say: 'answer', id: 'x' }])
      questions.receive(from, body);
  });
});
