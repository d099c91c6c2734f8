// What a build is made of, module by module, as the bundler knows it: no text is searched for imports.
import type { Plugin } from 'vite';
import type { BuildManifest, BuiltModule } from '../../page/application/build-manifest.ts';
import { shortHash } from '../../page/application/public-files.ts';

/** `manifest()`: after the build. */
export function manifestPlugin(): { readonly plugin: Plugin; readonly manifest: () => BuildManifest } {
  const modules: Record<string, BuiltModule> = {};
  const plugin: Plugin = {
    name: 'coherent-manifest',
    // After whatever else changes what is written.
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const [file, output] of Object.entries(bundle)) {
        if (output.type !== 'chunk') continue;
        const imports = [...output.imports, ...output.dynamicImports];
        modules[file] = {
          hash: shortHash(output.code),
          imports: imports.filter((name) => name in bundle).sort(),
          packages: imports.filter((name) => !(name in bundle)).sort(),
        };
      }
    },
  };
  const sorted = () => Object.fromEntries(Object.entries(modules).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { plugin, manifest: () => ({ version: 1, modules: sorted() }) };
}
