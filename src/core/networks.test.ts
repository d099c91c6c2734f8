import { describe, expect, test } from 'vitest';
import { parseNetworks, plainAddress } from './networks.ts';

describe('a list of networks', () => {
  const list = parseNetworks('10.0.0.0/8, 192.168.1.7,fd00::/8, ::1');

  test.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.168.1.7', true],
    ['192.168.1.8', false],
  ])('%s: %s', (address, isIn) => {
    expect(list.check(address, 'ipv4')).toBe(isIn);
  });

  test.each([
    ['fd12::1', true],
    ['fe80::1', false],
    ['::1', true],
  ])('%s: %s', (address, isIn) => {
    expect(list.check(address, 'ipv6')).toBe(isIn);
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0',
    'proxy.internal',
    'fd00::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '1.2.3.4,',
  ])('does not take %j', (text) => {
    expect(() => parseNetworks(text)).toThrow('neither an address nor a network');
  });
});

test('an IPv4 address in the clothes of IPv6 is that IPv4 address', () => {
  expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(plainAddress('::FFFF:10.0.0.1')).toBe('10.0.0.1');
  expect(plainAddress('fd00::1')).toBe('fd00::1');
});
