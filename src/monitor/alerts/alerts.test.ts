import { describe, expect, it } from 'vitest';
import { LogLines } from '../../../test/support/log-lines.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Alerts, type Notice, type Reading } from './alerts.ts';
import type { Level } from './gate.ts';

function start() {
  const clock = new ManualClock();
  const logger = new LogLines();
  const notices: Notice[] = [];
  const times = { holdMs: 30_000, clearMs: 60_000 };
  const alerts = new Alerts({ clock, logger, times, notify: (notice) => notices.push(notice) });
  const judge = (level: Level, reading: Partial<Reading> = {}) =>
    alerts.judge([
      {
        code: 'high_memory',
        severity: 'warning',
        level,
        says: 'memory is high',
        figures: { percent: 91 },
        ...reading,
      },
    ]);
  const during = (seconds: number, level: Level, reading?: Partial<Reading>) => {
    for (let at = 0; at < seconds; at += 5, clock.advance(5000)) judge(level, reading);
  };
  return { clock, logger, notices, alerts, judge, during };
}

describe('alerts', () => {
  it('are raised once however long they last, and resolved once', () => {
    const { alerts, notices, logger, during } = start();
    during(600, 'over');
    expect(notices).toHaveLength(1);
    expect(alerts.standing).toMatchObject([{ code: 'high_memory', figures: { percent: 91 } }]);
    during(120, 'well');
    expect(notices.map(({ state }) => state)).toEqual(['raised', 'resolved']);
    expect(notices[0]?.alert.id).toBe(notices[1]?.alert.id);
    expect(alerts.standing).toEqual([]);
    expect(alerts.resolved).toHaveLength(1);
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn memory is high',
      'warn resolved: memory is high',
    ]);
    expect(logger.lines[0]?.fields).toMatchObject({ alert: 'high_memory', severity: 'warning', percent: 91 });
    expect(logger.lines[1]?.fields.lastedMs).toBe(630_000);
  });

  it('are no alerts before they have lasted, except those of what has happened', () => {
    const { notices, judge } = start();
    judge('over');
    expect(notices).toEqual([]);
    judge('over', { code: 'restarts', holdMs: 0, severity: 'critical' });
    expect(notices).toMatchObject([{ state: 'raised', alert: { code: 'restarts', severity: 'critical' } }]);
  });

  it('are told ten at once at most, then one a minute, and those untold are counted', () => {
    const { alerts, clock, notices, judge, logger } = start();
    for (let code = 0; code < 25; code++) judge('over', { code: `code${code}`, holdMs: 0 });
    expect(notices).toHaveLength(10);
    expect(alerts.standing).toHaveLength(25);
    expect(logger.lines).toHaveLength(25);
    clock.advance(60_000);
    judge('over', { code: 'later', holdMs: 0 });
    judge('over', { code: 'and another', holdMs: 0 });
    expect(notices.slice(10)).toMatchObject([{ untold: 15, alert: { code: 'later' } }]);
  });

  it('that were not told are not told to be over', () => {
    const { clock, notices, judge } = start();
    for (let code = 0; code < 11; code++) judge('over', { code: `code${code}`, holdMs: 0 });
    for (let code = 0; code < 11; code++) judge('well', { code: `code${code}` });
    clock.advance(60_000);
    for (let code = 0; code < 11; code++) judge('well', { code: `code${code}` });
    expect(notices.filter(({ state }) => state === 'resolved')).toHaveLength(10);
  });

  it('keep a bounded past', () => {
    const { alerts, during } = start();
    for (let round = 0; round < 150; round++) {
      during(35, 'over');
      during(65, 'well');
    }
    expect(alerts.resolved).toHaveLength(100);
  });

  it('do not depend on the wall clock', () => {
    const { clock, notices, judge } = start();
    judge('over');
    clock.jump(-3_600_000);
    clock.advance(30_000);
    judge('over');
    expect(notices).toHaveLength(1);
  });
});
