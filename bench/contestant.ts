// A server under measurement: a process of its own, on a port of its own, ended when we are done.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

export interface Launch {
  readonly name: string;
  /** What stands behind the name, for the table. */
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Requested until it answers 200. */
  readonly readyPath: string;
}

export class Contestant implements AsyncDisposable {
  readonly name: string;
  readonly what: string;
  readonly pid: number;
  readonly origin: string;
  readonly #process: ChildProcess;

  static async start(launch: Launch): Promise<Contestant> {
    const { command, args, port, env, readyPath, name } = launch;
    const child = spawn(command, args, {
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const failed = once(child, 'exit').then(() => {
      throw new Error(`${name} did not start:\n${said}`);
    });
    failed.catch(() => {});
    const contestant = new Contestant(launch, child, port);
    try {
      await Promise.race([failed, contestant.#answers(readyPath)]);
    } catch (error) {
      await contestant[Symbol.asyncDispose]();
      throw error;
    }
    return contestant;
  }

  private constructor({ name, what }: Launch, child: ChildProcess, port: number) {
    this.name = name;
    this.what = what;
    this.pid = child.pid ?? 0;
    this.origin = `http://127.0.0.1:${port}`;
    this.#process = child;
  }

  async #answers(path: string): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt++) {
      const answer = await fetch(this.origin + path).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.status === 200) return;
      await pause(100);
    }
    throw new Error(`${this.name} did not answer 200 to ${path} within 30 s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const impatient = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(impatient);
  }
}

/** Those who are up for one benchmark; all of them end with it. */
export class Field implements AsyncDisposable {
  readonly #all: Contestant[] = [];

  async add(starting: Promise<Contestant>): Promise<Contestant> {
    const contestant = await starting;
    this.#all.push(contestant);
    return contestant;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((contestant) => contestant[Symbol.asyncDispose]()));
  }
}
