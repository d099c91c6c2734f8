import { describe, expect, it } from 'vitest';
import { ChainedFlights, type FlightCoordinator, LocalFlights, type Turn, type Wait } from './flights.ts';

const { signal } = new AbortController();
const leads = (turn: Turn | Wait): Turn => (turn.role === 'leader' ? turn : expect.fail('expected the turn'));
const follows = (turn: Turn | Wait): Wait =>
  turn.role === 'follower' ? turn : expect.fail('expected to wait');

describe('the agreement of one process', () => {
  it('gives one the turn, wakes the others, and then gives it anew', async () => {
    const flights = new LocalFlights();
    const turn = leads(await flights.enter('k'));
    const waiting = [follows(await flights.enter('k')), follows(await flights.enter('k'))];
    leads(await flights.enter('other'));
    await turn.done();
    await Promise.all(waiting.map(({ over }) => over));
    leads(await flights.enter('k'));
  });

  it('wakes everybody when it closes', async () => {
    const flights = new LocalFlights();
    leads(await flights.enter('k'));
    const { over } = follows(await flights.enter('k'));
    await flights.close();
    await over;
  });
});

describe('the host before the fleet', () => {
  const two = () => {
    const fleet = new LocalFlights();
    return {
      fleet,
      boxes: [0, 1].map(() => new ChainedFlights(new LocalFlights(), fleet)) as [
        ChainedFlights,
        ChainedFlights,
      ],
    };
  };

  it('lets one of all hosts lead', async () => {
    const { boxes } = two();
    const turn = leads(await boxes[0].enter('k', signal));
    const neighbour = follows(await boxes[0].enter('k', signal));
    const farther = follows(await boxes[1].enter('k', signal));
    await turn.done();
    await Promise.all([neighbour.over, farther.over]);
    leads(await boxes[1].enter('k', signal));
  });

  it('asks the fleet once per host: the neighbours of who waits for it wait for him', async () => {
    const { boxes, fleet } = two();
    let asked = 0;
    const counting: FlightCoordinator = {
      enter: (key) => {
        asked++;
        return fleet.enter(key);
      },
      close: async () => {},
    };
    const box = new ChainedFlights(new LocalFlights(), counting);
    const turn = leads(await boxes[0].enter('k', signal));
    const waiting = [follows(await box.enter('k', signal)), follows(await box.enter('k', signal))];
    expect(asked).toBe(1);
    await turn.done();
    await Promise.all(waiting.map(({ over }) => over));
  });

  it('leaves one leader per host where the fleet is out of reach', async () => {
    const gone: FlightCoordinator = {
      enter: async () => ({ role: 'leader', done: async () => {} }),
      close: async () => {},
    };
    const box = new ChainedFlights(new LocalFlights(), gone);
    leads(await box.enter('k', signal));
    follows(await box.enter('k', signal));
  });

  it('gives the turn of the host back when the fleet cannot be asked', async () => {
    const broken: FlightCoordinator = {
      enter: async () => Promise.reject(new Error('no')),
      close: async () => {},
    };
    const near = new LocalFlights();
    await expect(new ChainedFlights(near, broken).enter('k', signal)).rejects.toThrow('no');
    leads(await near.enter('k'));
  });
});
