import { describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { loadConfig } from './load.ts';

function wrongIn(environment: Record<string, string>): string[] {
  try {
    loadConfig({ environment, cwd: '/nonexistent' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(({ name }) => name);
  }
  return [];
}

describe('telling others of purges', () => {
  test('a webhook is signed: without a secret the server does not start', () => {
    const PURGE_WEBHOOK_URL = 'https://hooks.example.org/purged';
    expect(wrongIn({ PURGE_WEBHOOK_URL })).toEqual(['PURGE_WEBHOOK_SECRET']);
    expect(wrongIn({ PURGE_WEBHOOK_URL, PURGE_WEBHOOK_SECRET: 'short' })).toContain('PURGE_WEBHOOK_SECRET');
    expect(wrongIn({ PURGE_WEBHOOK_URL, PURGE_WEBHOOK_SECRET: 'a-secret-of-sixteen' })).toEqual([]);
    expect(wrongIn({ PURGE_WEBHOOK_URL: 'ftp://x', PURGE_WEBHOOK_SECRET: 'a-secret-of-sixteen' })).toEqual([
      'PURGE_WEBHOOK_URL',
    ]);
  });

  test('a CDN needs all of its parts', () => {
    expect(wrongIn({ CDN_PURGE: 'fastly' })).toEqual(['CDN_PURGE_URL', 'CDN_PURGE_TOKEN', 'SURROGATE_KEYS']);
    const rest = {
      CDN_PURGE_URL: 'https://api.fastly.com/service/S',
      CDN_PURGE_TOKEN: 'T',
      SURROGATE_KEYS: 'on',
    };
    expect(wrongIn({ CDN_PURGE: 'fastly', ...rest })).toEqual([]);
    expect(wrongIn({ CDN_PURGE: 'another', ...rest })).toEqual(['CDN_PURGE']);
  });
});
