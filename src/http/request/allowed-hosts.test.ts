import { describe, expect, test } from 'vitest';
import { AllowedHosts } from './allowed-hosts.ts';

describe('a list of hosts', () => {
  const hosts = new AllowedHosts(
    'example.org, *.Shop.example.org,admin.test:8443, [::1]',
    'https://www.example.com',
  );

  test.each([
    'example.org',
    'EXAMPLE.org',
    'example.org.',
    'example.org:3000',
    'a.shop.example.org',
    'a.b.shop.example.org:80',
    'admin.test:8443',
    '[::1]:3000',
    'www.example.com',
  ])('allows %s', (host) => {
    expect(hosts.allows(host)).toBe(true);
  });

  test.each([
    undefined,
    '',
    'evil.example',
    'example.org.evil.example',
    'evilexample.org',
    'www.example.org',
    'shop.example.org',
    'evilshop.example.org',
    'admin.test',
    'admin.test:8444',
    '127.0.0.1',
    '[::2]',
    'example.com',
  ])('refuses %s', (host) => {
    expect(hosts.allows(host)).toBe(false);
  });
});

test('without a list every host is allowed', () => {
  expect(new AllowedHosts(undefined, 'https://www.example.com').allows('evil.example')).toBe(true);
});
