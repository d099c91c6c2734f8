// deploy/nginx.conf itself, with its addresses exchanged for those of a test, run by the nginx of this machine.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, NGINX } from '../support/programs.ts';
import { freePort, until } from '../support/redis.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));

export const SITE = 'www.example.org';
export const nginxProgram = findProgram(NGINX);

export interface NginxOptions {
  /** In the place of server1, server2 and server3. */
  readonly ports: readonly [number, number, number];
  readonly microCache?: boolean;
}

export class Nginx {
  readonly port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  static async start({ ports, microCache = false }: NginxOptions): Promise<Nginx> {
    const program = nginxProgram ?? 'nginx';
    const folder = mkdtempSync(join(tmpdir(), 'coherent-nginx-'));
    // Started by root its workers are somebody else, who has to get in.
    chmodSync(folder, 0o755);
    const port = await freePort();
    let conf = readFileSync(join(deploy, 'nginx.conf'), 'utf8')
      .replaceAll('/tmp/', `${folder}/`)
      .replaceAll('/dev/stdout', `${folder}/access.log`)
      .replaceAll('/dev/stderr', `${folder}/error.log`)
      .replaceAll('listen 8080', `listen 127.0.0.1:${port}`)
      .replace('worker_processes auto', 'worker_processes 2');
    for (const [index, upstream] of ports.entries())
      conf = conf.replace(`server${index + 1}:3000`, `127.0.0.1:${upstream}`);
    if (microCache) conf = conf.replace('#include nginx-micro-cache', `include ${deploy}/nginx-micro-cache`);
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, conf);
    execFileSync(program, ['-t', '-q', '-p', folder, '-c', file], { stdio: 'pipe' });
    const child = spawn(program, ['-p', folder, '-c', file, '-g', 'daemon off;'], { stdio: 'ignore' });
    const nginx = new Nginx(port, folder, child);
    await until(async () => {
      if (child.exitCode !== null) throw new Error(readFileSync(`${folder}/error.log`, 'utf8'));
      return await fetch(`http://127.0.0.1:${port}/`).then(
        ({ status }) => status === 421,
        () => false,
      );
    });
    return nginx;
  }

  /** The lines of its access log. */
  log(): Record<string, unknown>[] {
    return readFileSync(join(this.#folder, 'access.log'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
