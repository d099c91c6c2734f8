// The views of in-tsx.tsx as a bundler with the plugin makes them, beside what tsc made of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { precompileSource } from '../../src/precompile.ts';
import type { ViewSet } from './workload.ts';

export async function precompiledViews(): Promise<ViewSet<Buffer>> {
  const path = fileURLToPath(new URL('../../../bench/render/in-tsx.tsx', import.meta.url));
  const code = precompileSource(readFileSync(path, 'utf8'), path)?.code;
  if (code === undefined) throw new Error(`${path} has nothing to precompile.`);
  const compiled = transformSync(code, {
    loader: 'tsx',
    jsx: 'automatic',
    jsxImportSource: 'coherent-render-server',
  }).code.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"');
  const file = fileURLToPath(new URL('in-tsx.precompiled.js', import.meta.url));
  writeFileSync(file, compiled);
  return ((await import(pathToFileURL(file).href)) as { tsxViews: ViewSet<Buffer> }).tsxViews;
}
