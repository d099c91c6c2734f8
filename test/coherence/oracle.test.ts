// The judge of the coherence check, judged.
import { describe, expect, it } from 'vitest';
import { History, type Row } from './history.ts';
import { NonsenseError, PAGES, readShown } from './pages.ts';

function site() {
  const history = new History();
  const write = (row: Row | undefined, place: number | undefined, sentAt: number, returnedAt?: number) => {
    const returned = row?.writing(place, sentAt);
    if (returnedAt !== undefined) returned?.(returnedAt);
  };
  const staleness = (path: string, html: string, now: number, status = 200) => {
    const page = PAGES.find((each) => each.path === path);
    return page?.judge(readShown(status, html), history, now).stalenessMs;
  };
  /** Item 8 is in group 1 at first, as are 16, 24, ... */
  return { history, item: history.items[7], write, staleness };
}

describe('how stale a page is', () => {
  it('counts from the return of the first commit that it does not show', () => {
    const { item, write, staleness } = site();
    write(item, 1, 100, 110);
    write(item, 1, 200, 210);
    expect(staleness('/items/8', 'i8=1', 1000)).toBe(890);
    expect(staleness('/items/8', 'i8=2', 1000)).toBe(790);
    expect(staleness('/items/8', 'i8=3', 1000)).toBe(0);
  });

  it('is nothing while the commit has not returned, whether the page shows it or not', () => {
    const { item, write, staleness } = site();
    write(item, 1, 100);
    expect(staleness('/items/8', 'i8=1', 1000)).toBe(0);
    expect(staleness('/items/8', 'i8=2', 1000)).toBe(0);
  });

  it('counts a row that is still missing, and one that should be', () => {
    const { item, write, staleness } = site();
    write(item, undefined, 100, 110);
    expect(staleness('/items/8', 'i8=1', 500)).toBe(390);
    expect(staleness('/items/8', '', 500, 404)).toBe(0);
    write(item, 2, 200, 210);
    expect(staleness('/items/8', '', 500, 404)).toBe(290);
  });

  it('counts a row that has moved on as missing where it went, and as left behind where it was', () => {
    const { item, write, staleness } = site();
    write(item, 2, 100, 110);
    const others = (group: number) =>
      new History().items
        .filter(({ id, place }) => place === group && id !== 8)
        .map(({ id }) => `i${id}=1`)
        .join(' ');
    expect(staleness('/groups/1', `g1=1 ${others(1)} i8=1`, 500)).toBe(390);
    expect(staleness('/groups/1', `g1=1 ${others(1)}`, 500)).toBe(0);
    expect(staleness('/groups/2', `g2=1 ${others(2)}`, 500)).toBe(390);
    expect(staleness('/groups/2', `g2=1 ${others(2)} i8=2`, 500)).toBe(0);
  });

  it('knows of a sum only how many commits it must contain', () => {
    const { history, staleness } = site();
    for (const returnedAt of [100, 200]) history.total.returned(returnedAt);
    expect(staleness('/total', 't0=8', 500)).toBe(400);
    expect(staleness('/total', 't0=9', 500)).toBe(300);
    expect(staleness('/total', 't0=10', 500)).toBe(0);
    expect(staleness('/total', 't0=11', 500)).toBe(0);
  });

  it('of the highest five: a row that is higher than the lowest of them must be among them', () => {
    const { history, write, staleness } = site();
    for (let at = 0; at < 3; at++) write(history.items[20], 1, 100 + at, 110 + at);
    const shown = 'i1=1 i2=1 i3=1 i4=1 i5=1';
    expect(staleness('/latest', shown, 500)).toBe(390);
    expect(staleness('/latest', 'i21=4 i1=1 i2=1 i3=1 i4=1', 500)).toBe(0);
  });

  it('calls nonsense what the database never held', () => {
    const { staleness } = site();
    expect(() => staleness('/items/8', 'i8=2', 500)).toThrow(NonsenseError);
    expect(() => staleness('/items/8', '', 500, 404)).toThrow(NonsenseError);
    expect(() => staleness('/groups/2', 'g2=1 i8=1', 500)).toThrow(NonsenseError);
  });
});
