// Source of views in JSX, compiled as a bundler does it, with and without precompiling.
import { transformSync } from 'esbuild';
import * as runtime from '../../src/jsx-runtime.ts';
import { precompileSource } from '../../src/precompile.ts';
import { trusted } from '../../src/render/trust.ts';

/** What the module exports. It may import jsx-runtime alone, and sees `trusted`. */
export function compileViews(source: string, { precompiled }: { readonly precompiled: boolean }): Views {
  const code = precompiled ? (precompileSource(source, 'views.tsx')?.code ?? source) : source;
  const compiled = transformSync(code, {
    loader: 'tsx',
    format: 'cjs',
    jsx: 'automatic',
    jsxImportSource: 'coherent-render-server',
  }).code;
  const module = { exports: {} as Views };
  const require = (name: string) => {
    if (name === 'coherent-render-server/jsx-runtime') return runtime;
    throw new Error(`These views may not import ${name}.`);
  };
  new Function('require', 'module', 'trusted', compiled)(require, module, trusted);
  return module.exports;
}

export type Views = Readonly<Record<string, (...values: readonly unknown[]) => unknown>>;

/** One tree as the source of JSX: all that can be static is. Undefined: JSX has no way to say it. */
export function asSource(node: unknown): string | undefined {
  if (Array.isArray(node)) {
    const all = node.map(asSource);
    return all.includes(undefined) ? undefined : `<>${all.join('')}</>`;
  }
  if (typeof node !== 'object' || node === null) return `{${JSON.stringify(node) ?? 'undefined'}}`;
  const entries = Object.entries(node);
  const [tag, value] = entries[0] ?? [];
  if (entries.length !== 1 || tag === undefined || !/^[a-z][a-z0-9-]*$/.test(tag)) return undefined;
  const props: Record<string, unknown> =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { children: value };
  let attributes = '';
  let inside = '';
  for (const [name, prop] of Object.entries(props)) {
    if (name === 'children' || (name === 'text' && typeof prop === 'string')) continue;
    if (!/^[a-zA-Z_][\w-]*(?::[\w-]+)?$/.test(name)) return undefined;
    attributes += ` ${name}={${JSON.stringify(prop)}}`;
  }
  if (typeof props.text === 'string') inside += `{${JSON.stringify(props.text)}}`;
  if ('children' in props) {
    const children = asSource(props.children);
    if (children === undefined) return undefined;
    inside += children;
  }
  return `<${tag}${attributes}>${inside}</${tag}>`;
}
