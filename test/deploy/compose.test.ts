// What deploy/compose.yaml says, held against the parts it is made of. Read as text: it is written with two spaces a
// level, and there is no engine here to run it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { settings } from '../../config/settings.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const compose = read('deploy/compose.yaml');
const nginx = read('deploy/nginx.conf');

/** The lines below `name:`, up to the next key of its level. */
function section(text: string, name: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => new RegExp(`^ *${name}:( &\\w+)?$`).test(line));
  expect(start, name).toBeGreaterThanOrEqual(0);
  const indent = /^ */.exec(lines[start] ?? '')?.[0].length ?? 0;
  const length = lines
    .slice(start + 1)
    .findIndex((line) => line !== '' && (/^ */.exec(line)?.[0].length ?? 0) <= indent);
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n');
}

function pairs(text: string): Record<string, string> {
  const found = [...text.matchAll(/^ *([A-Z0-9_]+): "?([^"\n]*)"?$/gm)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}

const server = section(compose, 'x-server');
const environment = pairs(section(server, 'environment'));
const services = section(compose, 'services');

test('is indented with spaces, two a level, and names each anchor it uses', () => {
  expect(compose).not.toContain('\t');
  for (const line of compose.split('\n')) expect((/^ */.exec(line)?.[0].length ?? 0) % 2, line).toBe(0);
  for (const [, anchor] of compose.matchAll(/\*(\w+)/g)) expect(compose).toContain(`&${anchor}`);
});

test('gives the servers settings that they take, and that fit together', () => {
  const names = new Set(Object.values(settings).map(({ name }) => name));
  for (const name of Object.keys(environment)) expect(names).toContain(name.replace(/_FILE$/, ''));
  const { DATABASE_URL_FILE: _, SESSION_SECRET_FILE: __, ...given } = environment;
  const config = loadConfig({
    environment: {
      ...given,
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://a@postgres/a',
      SESSION_SECRET: 's'.repeat(44),
    },
  });
  expect(config).toMatchObject({ production: true, trustedProxies: '172.30.0.10' });
});

test('waits before it kills for as long as a server takes to stop', () => {
  const [, seconds] = /stop_grace_period: (\d+)s/.exec(server) ?? [];
  const { SHUTDOWN_DELAY_MS, DRAIN_TIMEOUT_MS, GRACE_MS } = environment;
  expect(Number(seconds) * 1000).toBeGreaterThanOrEqual(Number(GRACE_MS));
  expect(Number(GRACE_MS)).toBeGreaterThanOrEqual(
    Number(SHUTDOWN_DELAY_MS) + Number(DRAIN_TIMEOUT_MS) + 3000,
  );
});

test('has the servers that nginx asks, by the name that nginx gives them, and believes nginx alone', () => {
  const asked = [...nginx.matchAll(/^ *server (\w+):3000/gm)].map(([, name]) => name);
  expect(asked).toEqual(['server1', 'server2', 'server3']);
  for (const name of asked) expect(section(services, String(name))).toContain('<<: *server');
  const [, site] = /# SITE\n *server_name ([^;]+);/.exec(nginx) ?? [];
  expect(environment.ALLOWED_HOSTS).toBe(site);
  expect(environment.PUBLIC_ORIGIN).toBe(`http://${site}`);
  expect(section(services, 'nginx')).toContain(`ipv4_address: ${environment.TRUSTED_PROXIES}`);
});

test('opens one port, that of nginx; data is reached from inside only', () => {
  expect([...compose.matchAll(/^ *ports:$/gm)]).toHaveLength(1);
  expect(section(services, 'nginx')).toContain('"8080:8080"');
  expect(nginx).toContain('listen 8080');
  expect(section(compose.slice(compose.indexOf('\nnetworks:')), 'back')).toContain('internal: true');
  for (const name of ['postgres', 'redis']) {
    expect(section(services, name)).toMatch(/networks:\n *- back/);
    expect(section(services, name)).not.toContain('front');
  }
});

test('lets the change feed read the log', () => {
  expect(section(services, 'postgres')).toContain('"wal_level=logical"');
  expect(section(services, 'postgres')).toContain('pg_isready');
});

test('gives away nothing: no secret in it, no new rights, no file system to write to', () => {
  expect(compose).not.toMatch(/(PASSWORD|TOKEN|SECRET|DATABASE_URL): /);
  expect(compose).not.toMatch(/^[^#\n]*:\/\/[^/\s]*:[^/\s]*@/m);
  for (const part of [server, section(services, 'redis'), section(services, 'nginx')]) {
    expect(part).toContain('no-new-privileges:true');
    expect(part).toContain('read_only: true');
  }
  expect(section(services, 'postgres')).toContain('no-new-privileges:true');
  expect(read('.gitignore')).toContain('deploy/secrets');
});

test('keeps what nginx writes below /tmp, the only place it has', () => {
  const paths = [...nginx.matchAll(/^\s*(?:pid|\w+_temp_path|proxy_cache_path) ([^ ;]+)/gm)].map(
    ([, path]) => path,
  );
  expect(paths.length).toBeGreaterThanOrEqual(7);
  for (const path of paths) expect(path).toMatch(/^\/tmp\//);
});
