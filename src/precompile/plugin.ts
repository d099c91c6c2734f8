import { createUnplugin, type UnpluginInstance } from 'unplugin';
import { DEFAULT_SOURCE, precompileSource } from './precompile-source.ts';

export interface PrecompileOptions {
  /** The files whose JSX is looked at, by their path without a query. Unless told: `.tsx` and `.jsx` outside of node_modules. */
  readonly include?: (path: string) => boolean;
  /** The package that JSX is compiled for, `jsxImportSource`. Files that name another in a comment are left alone. */
  readonly importSource?: string;
}

/**
 * The plugin that turns the static parts of JSX into templates, for Vite, rolldown, rollup and esbuild. What it can't tell
 * stays JSX for the bundler to compile: components, spread attributes, elements that load programs.
 *
 * @example
 *     // vite.config.ts
 *     import { precompile } from 'coherent-render-server/precompile';
 *     export default { plugins: [precompile.vite()] };
 */
export const precompile: UnpluginInstance<PrecompileOptions | undefined, false> = createUnplugin(
  ({ include = isView, importSource = DEFAULT_SOURCE }: PrecompileOptions | undefined = {}) => ({
    name: 'coherent-render-server:precompile',
    enforce: 'pre',
    transformInclude: (id) => include(withoutQuery(id)),
    transform: (code, id) => precompileSource(code, withoutQuery(id), importSource),
  }),
);

function isView(path: string): boolean {
  return /\.[jt]sx$/.test(path) && !/[\\/]node_modules[\\/]/.test(path);
}

function withoutQuery(id: string): string {
  return id.replace(/\?.*$/, '');
}
