import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { FlightRelay } from '../../host-link/flight-relay.ts';
import { HostFlights } from './host-flights.ts';

const signal = new AbortController().signal;

/** A worker on a line like the cluster's: copies, in order, later. `mute`: the primary hears and says nothing. */
function worker(relay: FlightRelay, clock = new ManualClock()) {
  let hear: (body: unknown) => void = () => {};
  let mute = false;
  const pass = (body: unknown, to: (copy: unknown) => void) => {
    const copy = JSON.stringify(body);
    setImmediate(() => !mute && to(JSON.parse(copy)));
  };
  const member = { send: (body: unknown) => pass(body, hear) };
  const line = {
    send: (body: unknown) => pass(body, (copy) => relay.receive(member, copy)),
    onMessage: (handler: (body: unknown) => void) => {
      hear = handler;
    },
  };
  const setMute = (now: boolean) => {
    mute = now;
  };
  return { flights: new HostFlights({ line, clock }), member, clock, setMute };
}

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

describe('BoxFlights', () => {
  it('lets one worker render a key, and wakes the others when it is done', async () => {
    const relay = new FlightRelay();
    const [a, b] = [worker(relay), worker(relay)];
    const first = await a.flights.enter('k', signal);
    const second = await b.flights.enter('k', signal);
    const other = await b.flights.enter('other', signal);
    expect([first.role, second.role, other.role]).toEqual(['leader', 'follower', 'leader']);
    if (first.role === 'leader') await first.done();
    if (second.role === 'follower') await second.over;
    expect((await b.flights.enter('k', signal)).role).toBe('leader');
  });

  it('takes a leader that died for one that is done', async () => {
    const relay = new FlightRelay();
    const [a, b] = [worker(relay), worker(relay)];
    await a.flights.enter('k', signal);
    const waiting = await b.flights.enter('k', signal);
    relay.leave(a.member);
    if (waiting.role === 'follower') await waiting.over;
    expect((await b.flights.enter('k', signal)).role).toBe('leader');
  });

  it('goes on without a leader that has fallen silent, and does not let it end what others lead when it is back', async () => {
    const relay = new FlightRelay();
    const [a, b] = [worker(relay), worker(relay)];
    const first = await a.flights.enter('k', signal);
    const second = await b.flights.enter('k', signal);
    relay.silent(a.member);
    if (second.role === 'follower') await second.over;
    const again = await b.flights.enter('k', signal);
    expect([first.role, second.role, again.role]).toEqual(['leader', 'follower', 'leader']);
    if (first.role === 'leader') await first.done();
    await turnOfTheLoop();
    expect((await a.flights.enter('k', signal)).role).toBe('follower');
  });

  it('forgets a waiter that died', async () => {
    const relay = new FlightRelay();
    const [a, b] = [worker(relay), worker(relay)];
    const leader = await a.flights.enter('k', signal);
    await b.flights.enter('k', signal);
    relay.leave(b.member);
    if (leader.role === 'leader') await leader.done();
    await turnOfTheLoop();
    expect(relay.size).toBe(0);
  });

  it('lets everybody lead when the primary does not answer, and gives back a turn that came too late', async () => {
    const relay = new FlightRelay();
    const { flights, clock } = worker(relay);
    const entering = flights.enter('k', signal);
    clock.advance(1000);
    expect((await entering).role).toBe('leader');
    // Ask, turn, and its return are on their way.
    for (let step = 0; step < 3; step++) await turnOfTheLoop();
    expect(relay.size).toBe(0);
  });

  it('asks a primary that kept silent no more for a while, until it is heard or the while is over', async () => {
    const relay = new FlightRelay();
    const [a, b] = [worker(relay), worker(relay)];
    await a.flights.enter('k', signal);
    b.setMute(true);
    const entering = b.flights.enter('k', signal);
    b.clock.advance(1000);
    await entering;
    // At once, without the clock's help.
    expect((await b.flights.enter('k', signal)).role).toBe('leader');
    b.setMute(false);
    b.clock.advance(5000);
    expect((await b.flights.enter('k', signal)).role).toBe('follower');
  });

  it('stops waiting when the request is over, or has taken too long', async () => {
    const relay = new FlightRelay();
    const [a, b] = [worker(relay), worker(relay)];
    await a.flights.enter('k', signal);
    const gone = new AbortController();
    const [aborted, slow] = [await b.flights.enter('k', gone.signal), await b.flights.enter('k', signal)];
    gone.abort();
    if (aborted.role === 'follower') await aborted.over;
    b.clock.advance(5000);
    if (slow.role === 'follower') await slow.over;
    expect(b.clock.pending).toBe(0);
  });

  it('does not let a stranger end a flight, nor take what is not of its protocol', async () => {
    const relay = new FlightRelay();
    const a = worker(relay);
    await a.flights.enter('k', signal);
    const stranger = { send: () => {} };
    for (const body of [
      { ask: 'done', key: 'k' },
      { ask: 'done' },
      null,
      'enter',
      { ask: 'enter', id: -1, key: 'k' },
    ]) {
      relay.receive(stranger, body);
    }
    expect(relay.size).toBe(1);
  });
});
