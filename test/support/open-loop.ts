// Load from people who do not wait for each other: requests leave at a constant rate, whatever has become of those
// before them. Latency counts from the moment at which a request was due, so that a server (or this process) that stalls
// is charged with the time it kept them from leaving (no coordinated omission).
import { Agent, type ClientRequest, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface OpenLoop {
  readonly origin: string;
  /** Of the nth request. */
  readonly path: (n: number) => string;
  readonly perSecond: number;
  readonly seconds: number;
  /** After this a visitor has gone. */
  readonly patienceMs: number;
}

export interface Answered {
  readonly status: number;
  /** From the moment it was due to its last byte. */
  readonly latencyMs: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface OpenLoopResult {
  readonly sent: number;
  readonly seconds: number;
  readonly answers: readonly Answered[];
  /** Visitors who went away without an answer. */
  readonly gone: number;
  /** Connections that broke. */
  readonly failed: number;
}

export async function openLoop({
  origin,
  path,
  perSecond,
  seconds,
  patienceMs,
}: OpenLoop): Promise<OpenLoopResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const answers: Answered[] = [];
  const counts = { gone: 0, failed: 0 };
  const total = Math.round(perSecond * seconds);
  const beganAtMs = performance.now();
  const flying: Promise<void>[] = [];
  while (flying.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - beganAtMs) / 1000) * perSecond) + 1);
    while (flying.length < due) {
      const n = flying.length;
      const dueAtMs = beganAtMs + (n / perSecond) * 1000;
      flying.push(visit(get(new URL(path(n), origin), { agent }), dueAtMs, patienceMs, answers, counts));
    }
    await pause(1);
  }
  await Promise.all(flying);
  agent.destroy();
  return { sent: total, seconds: (performance.now() - beganAtMs) / 1000, answers, ...counts };
}

function visit(
  request: ClientRequest,
  dueAtMs: number,
  patienceMs: number,
  answers: Answered[],
  counts: { gone: number; failed: number },
): Promise<void> {
  return new Promise((resolve) => {
    let isGone = false;
    const leave = setTimeout(
      () => {
        isGone = true;
        request.destroy();
      },
      dueAtMs + patienceMs - performance.now(),
    );
    request.on('response', (response) => {
      response.resume().once('end', () => {
        const { statusCode: status = 0, headers } = response;
        answers.push({ status, headers, latencyMs: performance.now() - dueAtMs });
      });
    });
    request.on('error', () => {
      if (!isGone) counts.failed++;
    });
    request.once('close', () => {
      clearTimeout(leave);
      if (isGone) counts.gone++;
      resolve();
    });
  });
}

/** Visitors who come back as soon as they have been answered: as many a second as the server can do. */
export async function closedLoop({
  origin,
  path,
  visitors,
  seconds,
}: Pick<OpenLoop, 'origin' | 'path' | 'seconds'> & { readonly visitors: number }): Promise<OpenLoopResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: visitors });
  const answers: Answered[] = [];
  const counts = { gone: 0, failed: 0 };
  const beganAtMs = performance.now();
  let sent = 0;
  const visitor = async (): Promise<void> => {
    while (performance.now() - beganAtMs < seconds * 1000) {
      const request = get(new URL(path(sent++), origin), { agent });
      await visit(request, performance.now(), 60_000, answers, counts);
    }
  };
  await Promise.all(Array.from({ length: visitors }, visitor));
  agent.destroy();
  return { sent, seconds: (performance.now() - beganAtMs) / 1000, answers, ...counts };
}

/** The share `p` (0 to 1) of the values is not larger. NaN of none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
