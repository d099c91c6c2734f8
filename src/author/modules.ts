// The modules of an application as their author writes them. Vite turns each file into JavaScript, and its module runner
// evaluates them in this process; packages are imported by Node itself. What is evaluated stays: after a change only the
// file and those that import it, directly or not, are evaluated again.
//
// Of Vite's own server nothing is reachable: no port, no websocket, no middleware.
import type { ViteDevServer } from 'vite';
import type { ModuleRunner } from 'vite/module-runner';
import { loadVite } from './vite.ts';

export interface AppModulesOptions {
  /** Of the application; absolute. */
  readonly folder: string;
  /** With the package.json, where vite.config is looked for; absolute. */
  readonly project: string;
  /** Tell of files that change. */
  readonly watch: boolean;
}

export interface FileChange {
  readonly kind: 'added' | 'changed' | 'removed';
  /** Absolute. */
  readonly file: string;
}

/** Files of one save, of a formatter or of a checkout come together. */
const GATHER_MS = 15;
const IGNORED = ['**/dist/**', '**/.data/**', '**/coverage/**', '**/*.tsbuildinfo'];

export class AppModules {
  readonly #server: ViteDevServer;
  readonly #runner: ModuleRunner;

  private constructor(server: ViteDevServer, runner: ModuleRunner) {
    this.#server = server;
    this.#runner = runner;
  }

  /** Errors: `E_TOOL_MISSING`, and what a broken vite.config throws. */
  static async open({ project, watch }: AppModulesOptions): Promise<AppModules> {
    const vite = await loadVite();
    const server = await vite.createServer({
      root: project,
      appType: 'custom',
      logLevel: 'silent',
      clearScreen: false,
      publicDir: false,
      server: {
        middlewareMode: true,
        hmr: false,
        ws: false,
        watch: watch ? { ignored: IGNORED } : null,
      },
      optimizeDeps: { noDiscovery: true, include: [] },
      // The application must share its packages with the server: there is one coherent-render-server in a process.
      ssr: { external: true },
    });
    return new AppModules(server, vite.createServerModuleRunner(server.environments.ssr, { hmr: false }));
  }

  /** `file`: absolute. Rejects with what is wrong in it, or what it throws. */
  import(file: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#runner.import(file);
  }

  /** Whether anything that was imported is made of it. */
  knows(file: string): boolean {
    return (this.#server.environments.ssr.moduleGraph.getModulesByFile(file)?.size ?? 0) > 0;
  }

  /** The file and what imports it are evaluated anew when they are imported next. */
  forget(file: string): void {
    const { moduleGraph } = this.#server.environments.ssr;
    for (const module of moduleGraph.getModulesByFile(file) ?? []) moduleGraph.invalidateModule(module);
    const { evaluatedModules } = this.#runner;
    const old = new Set(evaluatedModules.getModulesByFile(file));
    for (const module of old) {
      for (const importer of module.importers) {
        const known = evaluatedModules.getModuleById(importer);
        if (known !== undefined) old.add(known);
      }
    }
    for (const module of old) evaluatedModules.invalidateModule(module);
  }

  /** Everything is looked for and evaluated anew: what could not be found may be there by now. */
  forgetAll(): void {
    this.#server.environments.ssr.moduleGraph.invalidateAll();
    this.#runner.clearCache();
  }

  /** Told of what changes below the project, gathered. */
  onChange(listener: (changes: readonly FileChange[]) => void): void {
    const gathered = new Map<string, FileChange>();
    let timer: NodeJS.Timeout | undefined;
    const tell = () => {
      const changes = [...gathered.values()];
      gathered.clear();
      listener(changes);
    };
    const kinds = { add: 'added', change: 'changed', unlink: 'removed' } as const;
    for (const [event, kind] of Object.entries(kinds)) {
      this.#server.watcher.on(event, (file: string) => {
        gathered.set(file, { kind, file });
        clearTimeout(timer);
        timer = setTimeout(tell, GATHER_MS);
      });
    }
  }

  /** That files cannot be watched: the system allows no more. */
  onWatchError(listener: (error: unknown) => void): void {
    this.#server.watcher.on('error', listener);
  }

  /** Files beside the project's own that are to be watched: what is imported from elsewhere. */
  watchAlso(files: readonly string[]): void {
    this.#server.watcher.add([...files]);
  }

  async close(): Promise<void> {
    await this.#runner.close();
    await this.#server.close();
  }
}
