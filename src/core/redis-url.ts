// How a Redis is named, in one string:
//
//   redis://user:password@host:6379/0                           one server (rediss:// with TLS)
//   unix:///run/redis.sock?db=0                                 one server on this machine
//   redis://h1:26379/0?sentinel=mymaster&nodes=h2:26379,h3      what the sentinels call mymaster
//   redis://h1:6379?cluster&nodes=h2:6379,h3:6379               a cluster
import { CoherentError } from './errors.ts';

interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
}

export type RedisTarget =
  | (Login & { readonly kind: 'socket'; readonly path: string })
  | (Login & { readonly kind: 'server'; readonly node: RedisNode; readonly tls: boolean })
  | (Login & {
      readonly kind: 'sentinel';
      readonly nodes: readonly RedisNode[];
      readonly master: string;
      readonly tls: boolean;
    })
  | (Login & { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[]; readonly tls: boolean });

/** The URL of the Redis cannot be understood. The password is not repeated in the message. */
class RedisUrlError extends CoherentError {
  readonly code = 'E_REDIS_URL';

  constructor(why: string) {
    super(
      `REDIS_URL ${why}. Write redis://user:password@host:6379/0 (rediss:// for TLS), unix:///path/to.sock, ` +
        'redis://host:26379/0?sentinel=NAME&nodes=HOST:PORT,HOST:PORT or redis://host:6379?cluster&nodes=HOST:PORT.',
    );
  }
}

export function parseRedisUrl(text: string): RedisTarget {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RedisUrlError('is not a URL');
  }
  const query = url.searchParams;
  for (const name of query.keys()) {
    if (!['db', 'sentinel', 'cluster', 'nodes'].includes(name))
      throw new RedisUrlError(`has an unknown option, ${name}`);
  }
  const login = {
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
  };
  if (url.protocol === 'unix:') {
    return { kind: 'socket', ...login, db: toDb(query.get('db')), path: decodeURIComponent(url.pathname) };
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new RedisUrlError(`has the scheme ${url.protocol}// instead of redis:// or rediss://`);
  }
  const tls = url.protocol === 'rediss:';
  const db = toDb(query.get('db') ?? url.pathname.slice(1));
  const master = query.get('sentinel');
  const first = { host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(url.port || 6379) };
  const nodes = [first, ...toNodes(query.get('nodes'), master === null ? 6379 : 26379)];
  if (master !== null && query.has('cluster'))
    throw new RedisUrlError('asks for a sentinel and a cluster at once');
  if (master !== null) {
    if (url.port === '') first.port = 26379;
    return { kind: 'sentinel', ...login, db, nodes, master, tls };
  }
  if (query.has('cluster')) {
    if (db !== 0) throw new RedisUrlError('names a database, but a cluster has only database 0');
    return { kind: 'cluster', ...login, db, nodes, tls };
  }
  if (nodes.length > 1) throw new RedisUrlError('has nodes, but says neither ?cluster nor ?sentinel=NAME');
  return { kind: 'server', ...login, db, node: first, tls };
}

function toDb(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^\d{1,4}$/.test(text))
    throw new RedisUrlError(`has "${text}" where the number of a database belongs`);
  return Number(text);
}

function toNodes(list: string | null, defaultPort: number): RedisNode[] {
  if (list === null || list === '') return [];
  return list.split(',').map((item) => {
    const [, host, port] = /^\[?([^\]]+?)\]?(?::(\d{1,5}))?$/.exec(item.trim()) ?? [];
    if (host === undefined) throw new RedisUrlError(`has "${item}" where a HOST:PORT belongs`);
    return { host, port: Number(port ?? defaultPort) };
  });
}
