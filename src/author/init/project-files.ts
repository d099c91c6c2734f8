// What every new application has, whatever its pages are.
import { createRequire } from 'node:module';

/** As this server was tested with them. */
function rangeOf(name: string, fallback: string): string {
  try {
    const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
    return `^${version}`;
  } catch {
    return fallback;
  }
}

export function packageJson(name: string, version: string, tsx: boolean) {
  return {
    name: packageName(name),
    private: true,
    type: 'module',
    scripts: {
      dev: 'coherent-server dev',
      build: 'coherent-server build',
      start: 'coherent-server start',
    },
    dependencies: {
      'coherent-render-server': `^${version}`,
      zod: rangeOf('zod', '^4.0.0'),
    },
    devDependencies: {
      '@types/node': '^20.19.0',
      typescript: rangeOf('typescript', '^5.9.0'),
      vite: '^7.3.0 || ^8.0.0',
      // What precompiles JSX in a build.
      ...(tsx && {
        'magic-string': rangeOf('magic-string', '^0.30.0'),
        'oxc-parser': '>=0.120.0 <1',
        unplugin: '^3.0.0',
      }),
    },
  };
}

function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-._]+/, '');
  return name === '' ? 'my-site' : name;
}

export function configFiles(tsx: boolean): ReadonlyMap<string, string> {
  return new Map([
    ['tsconfig.json', tsconfig(tsx)],
    ['.gitignore', 'node_modules/\ndist/\n.data/\n.env\n'],
    ['.env.example', ENV_EXAMPLE],
  ]);
}

function tsconfig(tsx: boolean): string {
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: ['node'],
    ...(tsx && { jsx: 'react-jsx', jsxImportSource: 'coherent-render-server' }),
    strict: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  };
  return `${JSON.stringify({ compilerOptions, exclude: ['dist', 'node_modules'] }, null, 2)}\n`;
}

const ENV_EXAMPLE = `# Copy to .env. Settings of the environment win over these.
# Without a DATABASE_URL coherent-server runs a Postgres of its own in .data/, except in production.
# DATABASE_URL=postgres://user:password@localhost:5432/database
# PORT=3000
`;
