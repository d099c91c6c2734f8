import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Exchange } from './exchange.ts';
import { HttpUsage } from './usage.ts';

let clock: ManualClock;
let usage: HttpUsage;

beforeEach(() => {
  clock = new ManualClock();
  usage = new HttpUsage(clock);
});

function arrive(method: string): Exchange {
  const request = new IncomingMessage(new Socket());
  request.method = method;
  const response = new Exchange(request);
  response.assignSocket(new Socket());
  usage.arrived(request, response);
  return response;
}

function answer(response: Exchange, status: number, tookMs = 0): void {
  clock.advance(tookMs);
  response.writeHead(status);
  EventEmitter.prototype.emit.call(response, 'close');
}

const answered = () =>
  usage
    .stats()
    .answered.map(({ route, method, status, durations: { count, sumMs } }) => [
      `${method} ${status} ${route}`,
      count,
      sumMs,
    ]);

describe('the usage of routes', () => {
  it('counts requests of the ordinary path by route, method and status, with their time', () => {
    const response = arrive('GET');
    response.route = '/users/[id]';
    usage.page({ route: response.route, outcome: { tier: undefined, result: 'miss', collapsed: true } }, 100);
    answer(response, 200, 30);
    expect(answered()).toEqual([['GET 200 /users/[id]', 1, 30]]);
    expect(usage.stats().cache).toEqual([
      { route: '/users/[id]', tier: 'none', result: 'miss', requests: 1, collapsed: 1 },
    ]);
    expect(usage.stats().sent.get('/users/[id]')).toBe(100);
  });

  it('has names of its own for what is no page, and one for methods that are made up', () => {
    const file = arrive('GET');
    file.route = '_file';
    answer(file, 200);
    answer(arrive('BREW'), 405);
    answer(arrive('BOIL'), 405);
    expect(answered()).toEqual([
      ['GET 200 _file', 1, 0],
      ['_OTHER 405 _none', 2, 0],
    ]);
  });

  it('does not count a visitor who left before there was an answer', () => {
    EventEmitter.prototype.emit.call(arrive('GET'), 'close');
    expect(answered()).toEqual([]);
  });

  it('counts what the fast path adds as hits at once', () => {
    const use = usage.fastPath('/', 200, 'l1');
    expect(usage.fastPath('/', 200, 'l1')).toBe(use);
    use.full += 5;
    use.notModified += 2;
    use.headFull += 1;
    use.bytes += 700;
    const { cache, fastPath, sent } = usage.stats();
    expect(answered()).toEqual([
      ['GET 200 /', 5, 0],
      ['GET 304 /', 2, 0],
      ['HEAD 200 /', 1, 0],
    ]);
    expect(cache).toEqual([{ route: '/', tier: 'l1', result: 'hit', requests: 8, collapsed: 0 }]);
    expect([fastPath, sent.get('/')]).toEqual([8, 700]);
  });
});

it('does not count an answer that was ready behind another one when the visitor left', () => {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  const queued = new Exchange(request);
  usage.arrived(request, queued);
  answer(queued, 200);
  expect(answered()).toEqual([]);
});
