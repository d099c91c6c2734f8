#!/usr/bin/env node
// The probe for Docker and the like: asks the operations port whether the server is alive and ready, prints one
// line that says why, and exits 0 or 1. It imports nothing of the server, so that it starts fast and cannot
// fail with it; it therefore reads the two settings it needs by itself. node:http and not undici: a probe runs every ten
// seconds in each container, and undici alone is 52 MB and three quarters of its CPU time (docs/dependencies.md).
import { existsSync, readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { parseEnv } from 'node:util';

/** All in all. Below the timeout that Docker is told, so that the line is printed. */
const TIMEOUT_MS = 2000;

const environment = { ...(existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}), ...process.env };
const port = environment.OPS_PORT || '3001';
const origin = `http://${reachable(environment.OPS_HOST || '127.0.0.1')}:${port}`;
const signal = AbortSignal.timeout(TIMEOUT_MS);

/** The address that reaches a server which listens on this one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

async function ask(path: string): Promise<string | undefined> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${origin}${path}`, { agent: false, signal }, resolve).on('error', reject);
  });
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  const { statusCode } = response;
  return statusCode === 200 ? undefined : `${path} answered ${statusCode}: ${text.trim().slice(0, 300)}`;
}

async function check(): Promise<string | undefined> {
  try {
    return (await ask('/livez')) ?? (await ask('/readyz'));
  } catch (error) {
    return signal.aborted ? `no answer from ${origin} in ${TIMEOUT_MS} ms` : `${origin}: ${reason(error)}`;
  }
}

/** Connection errors of several addresses come as one error without a message. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ');
  return error instanceof Error ? error.message : String(error);
}

const problem = await check();
process.stdout.write(`${problem === undefined ? 'healthy' : `unhealthy: ${problem}`}\n`);
process.exit(problem === undefined ? 0 : 1);
