import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-url.ts';

describe('REDIS_URL', () => {
  it.each([
    ['redis://h', { kind: 'server', node: { host: 'h', port: 6379 }, tls: false, db: 0 }],
    ['rediss://u:p%40ss@h:7000/3', { kind: 'server', tls: true, username: 'u', password: 'p@ss', db: 3 }],
    ['redis://[::1]:7000', { kind: 'server', node: { host: '::1', port: 7000 } }],
    ['unix:///run/my%20redis.sock?db=2', { kind: 'socket', path: '/run/my redis.sock', db: 2 }],
    [
      'redis://s1/1?sentinel=mymaster&nodes=s2,s3:7',
      {
        kind: 'sentinel',
        master: 'mymaster',
        db: 1,
        nodes: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26379 },
          { host: 's3', port: 7 },
        ],
      },
    ],
    [
      'rediss://:pw@c1:7001?cluster&nodes=c2:7002,[::2]:7003',
      {
        kind: 'cluster',
        tls: true,
        password: 'pw',
        nodes: [
          { host: 'c1', port: 7001 },
          { host: 'c2', port: 7002 },
          { host: '::2', port: 7003 },
        ],
      },
    ],
  ])('%s', (text, target) => {
    expect(parseRedisUrl(text)).toMatchObject(target);
  });

  it.each([
    'h:6379x y',
    'http://h',
    'redis://h/x',
    'redis://h?nodes=a',
    'redis://h?cluster&sentinel=m',
    'redis://h/1?cluster',
    'redis://h?clustr',
  ])('refuses %s', (text) => {
    expect(() => parseRedisUrl(text)).toThrow(expect.objectContaining({ code: 'E_REDIS_URL' }));
  });

  it('does not repeat the password when it refuses', () => {
    expect(() => parseRedisUrl('redis://u:secret@h/x')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    );
  });
});
