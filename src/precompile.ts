// The build's door: what a bundler's configuration imports from 'coherent-render-server/precompile'. Needs unplugin,
// oxc-parser and magic-string, which a server that runs does not load.
export { type PrecompileOptions, precompile } from './precompile/plugin.ts';
export { type Precompiled, precompileSource } from './precompile/precompile-source.ts';
