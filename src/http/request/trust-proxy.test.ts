import { describe, expect, test } from 'vitest';
import { type Arrived, TrustProxy } from './trust-proxy.ts';

const from = (remoteAddress: string, headers: Arrived['headers'] = {}): Arrived => ({
  socket: { remoteAddress },
  headers,
});
const trustProxy = new TrustProxy({ trustedProxies: '10.0.0.0/8,fd00::/8', hsts: 'max-age=60' });

describe('the address of a visitor', () => {
  test.each([
    ['is that of the connection', '203.0.113.7', undefined, '203.0.113.7'],
    ['is not what a stranger says', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['is what a proxy of ours says', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    [
      'is the last that is none of our proxies',
      '10.0.0.1',
      '6.6.6.6, 198.51.100.1, 10.9.9.9',
      '198.51.100.1',
    ],
    ['is a proxy where nobody is behind it', '10.0.0.1', undefined, '10.0.0.1'],
    ['is no word', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['is no markup', '10.0.0.1', '<script>', '10.0.0.1'],
    ['is read without its port', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['is read without brackets', 'fd00::1', '[2001:db8::7]:80', '2001:db8::7'],
    ['is one also in the clothes of IPv6', '::ffff:10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
  ])('%s', (_, peer, forwardedFor, expected) => {
    expect(trustProxy.clientAddress(from(peer, { 'x-forwarded-for': forwardedFor }))).toBe(expected);
  });

  test('is found in a chain of any length', () => {
    const chain = Array.from({ length: 5000 }, () => '10.0.0.1').join(',');
    expect(trustProxy.clientAddress(from('10.0.0.1', { 'x-forwarded-for': chain }))).toBe('10.0.0.1');
  });
});

describe('a header of a proxy', () => {
  test('reaches a page from a trusted one alone', () => {
    for (const name of ['x-forwarded-proto', 'x-forwarded-prefix', 'forwarded', 'x-real-ip']) {
      expect(trustProxy.header(from('10.0.0.1', { [name]: 'v' }), name)).toBe('v');
      expect(trustProxy.header(from('203.0.113.7', { [name]: 'v' }), name)).toBeUndefined();
      expect(new TrustProxy().header(from('127.0.0.1', { [name]: 'v' }), name)).toBeUndefined();
    }
    expect(trustProxy.header(from('203.0.113.7', { 'accept-language': 'eo' }), 'accept-language')).toBe('eo');
  });

  test('names no host that we do not answer for, whoever passed it on', () => {
    const listed = new TrustProxy({ trustedProxies: '10.0.0.0/8', allowedHosts: 'example.org' });
    const asked = (host: string) =>
      listed.header(from('10.0.0.1', { 'x-forwarded-host': host }), 'x-forwarded-host');
    expect(asked('example.org')).toBe('example.org');
    expect(asked('evil.example')).toBeUndefined();
  });
});

describe('Strict-Transport-Security', () => {
  const sent = ['strict-transport-security', 'max-age=60'];

  test('is sent where the public origin has TLS, whoever asks', () => {
    const https = new TrustProxy({ publicOrigin: 'https://a.test', hsts: 'max-age=60' });
    expect(https.transport({ remoteAddress: '203.0.113.7' }, undefined)).toEqual(sent);
    expect(https.transport({ remoteAddress: '203.0.113.7' }, 'http')).toBe(
      https.transport({ remoteAddress: '10.0.0.1' }, undefined),
    );
  });

  test('is sent where a trusted proxy says that it has TLS', () => {
    expect(trustProxy.transport({ remoteAddress: '10.0.0.1' }, 'https')).toEqual(sent);
    expect(trustProxy.transport({ remoteAddress: '10.0.0.1' }, 'http, HTTPS')).toEqual(sent);
    expect(trustProxy.transport({ remoteAddress: '10.0.0.1' }, 'https, http')).toEqual([]);
    expect(trustProxy.transport({ remoteAddress: '10.0.0.1' }, undefined)).toEqual([]);
  });

  test('is not sent because a stranger says so, nor without TLS, nor when it is off', () => {
    expect(trustProxy.transport({ remoteAddress: '203.0.113.7' }, 'https')).toEqual([]);
    expect(new TrustProxy({ hsts: 'max-age=60' }).transport({ remoteAddress: '127.0.0.1' }, 'https')).toEqual(
      [],
    );
    const plain = new TrustProxy({
      publicOrigin: 'http://a.test',
      trustedProxies: '10.0.0.1',
      hsts: 'max-age=60',
    });
    expect(plain.transport({ remoteAddress: '10.0.0.1' }, 'https')).toEqual([]);
    expect(
      new TrustProxy({ publicOrigin: 'https://a.test', hsts: 'off' }).transport(
        { remoteAddress: '10.0.0.1' },
        'https',
      ),
    ).toEqual([]);
  });
});
