// DATABASE_URL in every form that the driver takes, brought into one that an ordinary URL parser reads as well:
//
//   postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/path/ca.pem
//   postgres://user:password@/database?host=/cloudsql/project:region:instance      a folder with a unix socket
//   postgres://user@%2Fvar%2Frun%2Fpostgresql/database                             the same
//   socket:/var/run/postgresql?db=database, /var/run/postgresql database           the same

/** As the driver has them. libpq's `allow` is not one. */
const SSL_MODES = new Set(['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']);
/** The driver takes these for the texts that they are, and encodes them. */
const ILL_ENCODED = / |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i;

/** Throws where the driver would not connect by it, or not to what was meant: several hosts, an unknown sslmode. */
export function canonicalDatabaseUrl(given: string): string {
  if (given.startsWith('/')) {
    const [folder = '', database = ''] = given.split(' ');
    return socketUrl(folder, database);
  }
  const text = ILL_ENCODED.test(given) ? encodeURI(given).replace(/%25(\d\d)/g, '%$1') : given;
  // No parser of URLs takes a user without a host; the driver does.
  const url = new URL(URL.canParse(text) ? text : text.replace('@/', '@localhost/'));
  if (url.protocol === 'socket:') return socketUrl(decodeURI(url.pathname), url.searchParams.get('db') ?? '');
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw new Error('another scheme');
  const hosts = [decodeURIComponent(url.hostname), url.searchParams.get('host') ?? ''];
  if (hosts.some((host) => host.includes(','))) throw new Error('several hosts');
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && !SSL_MODES.has(mode)) throw new Error('an unknown sslmode');
  // Throws for what the driver cannot decode.
  decodeURIComponent(url.username + url.password);
  return url.href;
}

function socketUrl(folder: string, database: string): string {
  const url = new URL(`postgres://localhost/${encodeURIComponent(database)}`);
  url.searchParams.set('host', folder);
  return url.href;
}

/** Files with certificates and keys that it names. */
export function filesOf(databaseUrl: string): string[] {
  const { searchParams } = new URL(databaseUrl);
  return ['sslrootcert', 'sslcert', 'sslkey'].flatMap((name) => searchParams.get(name) ?? []);
}
