// Imports point one way: core <- render, cache, invalidation, data <- page <- http <- worker <- workers/, and
// core <- invalidation/bus <- host-link <- cluster <- server.ts. Siblings do not import each other.
// Parsed with swc, because the native TypeScript compiler has no JavaScript API.
// scripts/check-imports.test.ts plants violations and sees them reported.
const code = '^(server|healthcheck|config|workers|src|app)';
const notTest = '(\\.test\\.ts|\\.test-d\\.tsx?|\\.contract\\.ts|\\.chaos\\.ts)$';
const only = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: notTest },
  to: { path: '^(config|workers|src|app|server\\.ts)/?', pathNot: to },
});

// What passes purges and renders on between the processes of a host runs in the primary where there is no Redis.
const relayed = '^src/(host-link|invalidation/(bus|clock|errors))';

/**
 * The rooms of a folder, from the ground up. Each imports those below it, and nothing beside or above it.
 * Several in one row stand side by side.
 */
function floors(folder, rows) {
  const below = [];
  const rules = [];
  for (const row of rows) {
    for (const room of row) {
      const [name] = room.match(/[\w-]+/);
      rules.push({
        name: `${folder.replaceAll('/', '-')}-${name}-stands-on-its-floor`,
        comment: `src/${folder}: a room imports the rooms below it.`,
        severity: 'error',
        from: { path: `^src/${folder}/${room}`, pathNot: notTest },
        to: {
          path: `^src/${folder}/`,
          pathNot: [room, ...below].map((each) => `^src/${folder}/${each}`).join('|'),
        },
      });
    }
    below.push(...row);
  }
  const known = rows
    .flat()
    .map((each) => `^src/${folder}/${each}`)
    .join('|');
  rules.push({
    name: `${folder.replaceAll('/', '-')}-has-no-other-rooms`,
    comment: `src/${folder}: a file that stands in no room of the list above.`,
    severity: 'error',
    from: { path: `^src/`, pathNot: notTest },
    to: { path: `^src/${folder}/`, pathNot: `${known}|${notTest}` },
  });
  return rules;
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no bottom to read from.',
      severity: 'error',
      from: { path: code },
      to: { circular: true },
    },
    only('core-imports-nothing', 'core is what everything stands on.', '^src/core/', '^src/core/'),
    only(
      'render-knows-no-io',
      'render turns nodes into text; it knows core only.',
      '^src/render/',
      '^src/(core|render)/',
    ),
    only(
      'precompile-runs-in-builds',
      'The plugin knows how the renderer writes, and nothing of servers.',
      '^src/precompile',
      '^src/(core|render|precompile)/',
    ),
    only(
      'cache-stands-alone',
      'The cache knows neither pages nor databases.',
      '^src/cache/',
      '^src/(core|cache)/|^src/host-link/flight-relay\\.ts$',
    ),
    ...floors('cache', [
      ['(entry|contract|key|canonical|errors)\\.ts$'],
      ['rollout/'],
      ['memory/'],
      ['shared/'],
      ['redis/', 'disk/'],
      ['render/', 'warm/'],
      ['stack/'],
    ]),
    only(
      'invalidation-stands-alone',
      'Purging knows neither pages nor caches.',
      '^src/invalidation/',
      '^src/(core|invalidation)/',
    ),
    ...floors('invalidation', [['errors\\.ts$'], ['clock/'], ['bus/'], ['redis/', 'graph/'], ['measure/']]),
    only(
      'host-link-stays-light',
      'What crosses the host between processes: the purge relay stands on the bus and the clock, and on nothing heavier.',
      '^src/host-link/',
      `^src/core/|^config/|${relayed}`,
    ),
    only(
      'watchers-tell-others',
      'Telling others of purges knows keys, and neither pages nor databases.',
      '^src/watchers/',
      '^src/(core|invalidation|watchers)/',
    ),
    only(
      'data-stands-alone',
      'Reading and following the database knows no page.',
      '^src/data/',
      '^src/(core|data)/',
    ),
    ...floors('data', [
      ['(db|errors|observer|seed|transaction|statement-shape)\\.ts$'],
      ['keys/'],
      ['schema/'],
      ['statement/', 'pool/'],
      ['record/', 'changes/', 'read/'],
      ['feed/'],
    ]),
    only(
      'embedded-stands-alone',
      'Servers that run beside ours know core and data.',
      '^src/embedded/',
      '^src/(core|data|embedded)/',
    ),
    only(
      'page-joins-the-rooms',
      'A page is made from data, render and cache; it knows no HTTP.',
      '^src/page/',
      '^src/(core|render|cache|invalidation|data|watchers|visitor|page)/',
    ),
    ...floors('page', [
      ['(errors|timeouts)\\.ts$'],
      ['definitions/'],
      ['(application|endpoint)/', 'encode/'],
      ['render/'],
      ['request/'],
    ]),
    only(
      'visitors-know-no-page',
      'Sessions and cookies know neither pages nor HTTP.',
      '^src/visitor/',
      '^src/(core|data|visitor)/|^src/host-link/throttle-relay\\.ts$',
    ),
    only(
      'the-author-stands-beside',
      "The author's commands use the rooms; they serve no visitor.",
      '^src/author/',
      '^(src/(core|render|cache|data|embedded|host-link|visitor|page|http|cli|cluster|logging|author)|config)/',
    ),
    {
      name: 'serving-knows-no-author',
      comment: 'What visitors are served by holds nothing of dev, build or check.',
      severity: 'error',
      from: { path: code, pathNot: `^(src/author/|workers/dev\\.ts$|server\\.ts$)|${notTest}` },
      to: { path: '^(src/author/|workers/dev|node_modules/(vite|@babel)/)' },
    },
    only(
      'http-is-the-door',
      'http hands requests to page and writes entries.',
      '^src/http/',
      '^src/(core|cache|visitor|page|http)/',
    ),
    ...floors('http', [
      ['limits/'],
      ['request/', 'response/'],
      ['observability/'],
      ['fast-path/'],
      ['(form-handler|static)\\.ts$'],
      ['endpoint/'],
      ['handler\\.ts$'],
      ['server\\.ts$'],
    ]),
    only(
      'logging-is-for-all',
      'Every process writes its log by it.',
      '^src/logging/',
      '^(src/(core|logging)|config)/',
    ),
    only(
      'monitor-watches',
      'Monitoring knows counts, not the rooms they come from.',
      '^src/monitor/',
      '^src/(core|monitor)/',
    ),
    only(
      'operations-is-a-server',
      'The operations port: who may ask, and how much. What is asked comes as routes from elsewhere.',
      '^src/operations/',
      '^(src/(core|operations)|config)/',
    ),
    only(
      'primary-stays-light',
      'The primary runs no page, render, data, cache or Redis code: it must never be what dies.',
      '^src/cluster/',
      `^(src/(core|logging|monitor|operations|dashboard/(data|server)|cluster)|config)/|${relayed}`,
    ),
    ...floors('cluster', [
      ['(errors|database-reach|session-secret)\\.ts$'],
      ['slots/'],
      ['children/', 'stats/'],
      ['primary\\.ts$'],
      ['routes/', 'banner\\.ts$'],
      ['run\\.ts$'],
    ]),
    only(
      'dashboard-shows-what-monitor-knows',
      'The dashboard is shown with no worker alive; only its pages, which the build renders, know the renderer.',
      '^src/dashboard/(data|server)/',
      '^src/(core|host-link|monitor|operations|dashboard)/',
    ),
    ...floors('dashboard', [['data/'], ['server/', 'page/', 'browser/']]),
    only(
      'dashboard-pages-are-rendered-by-the-build',
      'They know the renderer and nothing else.',
      '^src/dashboard/page/',
      '^src/(core|render|dashboard/page)/',
    ),
    only(
      'dashboard-scripts-run-in-browsers',
      'What runs in the browser imports nothing of the server, except the types of what it is told.',
      '^src/dashboard/browser/',
      '^src/dashboard/(browser/|data/frame\\.ts$)',
    ),
    only(
      'command-line-asks-a-server',
      'Commands ask a running server over the operations port.',
      '^src/cli/',
      '^src/(core|dashboard/data|cli)/',
    ),
    only(
      'worker-knows-no-primary',
      'A worker speaks to the primary by messages.',
      '^(src/worker|workers)/',
      '^(src/(?!cluster/|cli/)|config/)',
    ),
    only(
      'config-reads-the-world',
      'config is read by all and reads nothing of ours but core.',
      '^config/',
      '^(config|src/core)/',
    ),
    only(
      'the-app-uses-the-public-door',
      'The sample imports the server by its public name.',
      '^app/',
      '^(app/|src/index\\.ts)',
    ),
    only(
      'healthcheck-is-alone',
      'The probe must work when nothing else does.',
      '^healthcheck\\.ts$',
      '^config/',
    ),
    only(
      'server-starts',
      'The entry point starts the primary; rooms are wired in workers.',
      '^server.ts$',
      '^(config|src/(core|cli|cluster|logging|embedded|author|data/feed/(install-sql|remove)))',
    ),
    {
      name: 'redis-client-has-two-homes',
      comment: 'Redis is behind the cache tier and the purge bus.',
      severity: 'error',
      from: {
        path: code,
        pathNot: `^src/(cache|invalidation)/redis/|${notTest}`,
      },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'postgres-client-has-one-home',
      comment:
        'Only data talks to Postgres, and the sample programs that stand for another program that writes to it.',
      severity: 'error',
      from: { path: code, pathNot: `^(src/data|app/scripts)/|${notTest}` },
      to: { path: 'node_modules/(pg|pg-[^/]+|libpg-query)/' },
    },
    {
      name: 'tracing-has-one-door',
      comment: 'The OpenTelemetry API is behind src/core/trace.ts; rooms are given a Tracing.',
      severity: 'error',
      from: { path: code, pathNot: `^src/core/open-telemetry\\.ts$|${notTest}` },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'no-unresolved',
      comment: 'A file that is not there.',
      severity: 'error',
      from: { path: code },
      to: { couldNotResolve: true, pathNot: '^coherent-render-server$' },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What ships may only use what is installed with it.',
      severity: 'error',
      from: { path: code, pathNot: notTest },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|bench/peers|app/public)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
