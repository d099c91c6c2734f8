import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where the proxy passes connections on to: a port of this machine or a unix socket. */
export type ProxyTarget = { readonly port: number } | { readonly path: string };

/** Sees every piece on its way; one that it says is lost does not arrive, and the connection stays. */
export type Inspector = (piece: Buffer, from: 'client' | 'server') => 'pass' | 'lose';

/** One direction of one connection. */
interface Way {
  readonly from: 'client' | 'server';
  /** When its connection was made. */
  readonly number: number;
  readonly into: Socket;
  /** Pieces that are being held back. */
  held: number;
  /** Of the last of them. */
  lastDueMs: number;
}

const KEPT_OF_TALK = 2000;

/** A connection's way to a server that can be delayed, cut, or go silent. */
export class TcpProxy {
  readonly #server: Server;
  #target: ProxyTarget;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #delayMs = 0;
  #silent = false;
  /** By their numbers: they pass nothing ever again. */
  readonly #silenced = new Set<number>();
  /** The beginning of what the client of each connection that stands has said. */
  readonly #said = new Map<number, string>();
  #accepted = 0;
  #inspector: Inspector | undefined;
  #refusing = false;

  private constructor(target: ProxyTarget) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(target: ProxyTarget): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** How many connections were ever accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Holds every byte back for so long, both ways. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Half-open: connections stay and are accepted, but nothing passes any more. What came meanwhile is lost. */
  silence(silent = true): void {
    this.#silent = silent;
  }

  /**
   * As a firewall or NAT that has forgotten its table: connections that stand now pass nothing ever again, in neither
   * direction, and neither side hears that the other has closed; new ones work. `which`: only those whose client has
   * begun like this.
   */
  silenceExisting(which: (said: string) => boolean = () => true): void {
    for (const [number, said] of this.#said) if (which(said)) this.#silenced.add(number);
  }

  /** What goes together goes as one piece where nobody is in a hurry; whoever counts on that has to look. */
  inspect(inspector: Inspector | undefined): void {
    this.#inspector = inspector;
  }

  /** New connections go elsewhere, as after a takeover; those that stand stay. */
  retarget(target: ProxyTarget): void {
    this.#target = target;
  }

  /** Cuts every connection; new ones are cut as well until `refuse(false)`. */
  refuse(refusing = true): void {
    this.#refusing = refusing;
    if (refusing) this.cut();
  }

  cut(): void {
    for (const [client, upstream] of this.#pairs) {
      client.resetAndDestroy();
      // It may be a unix socket, which knows no reset.
      upstream.destroy();
    }
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...this.#target });
    const number = ++this.#accepted;
    const pair = [client, upstream] as const;
    this.#pairs.add(pair);
    this.#said.set(number, '');
    for (const [from, into] of [pair, [upstream, client] as const]) {
      const way: Way = { from: from === client ? 'client' : 'server', number, into, held: 0, lastDueMs: 0 };
      from.setNoDelay(true);
      from.on('data', (data) => this.#pass(data, way));
      from.on('error', () => {});
      from.on('close', () => {
        this.#said.delete(number);
        if (this.#silenced.has(number)) return;
        into.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  #pass(data: Buffer, way: Way): void {
    if (way.from === 'client') this.#listen(data, way.number);
    const isSilent = this.#silent || this.#silenced.has(way.number);
    if (isSilent || this.#inspector?.(data, way.from) === 'lose') return;
    if (this.#delayMs === 0 && way.held === 0) {
      way.into.write(data);
      return;
    }
    // Bytes keep their order, also when the delay has just become shorter.
    const nowMs = performance.now();
    way.lastDueMs = Math.max(way.lastDueMs, nowMs + this.#delayMs);
    way.held++;
    setTimeout(() => {
      way.held--;
      if (way.into.writable) way.into.write(data);
    }, way.lastDueMs - nowMs);
  }

  #listen(data: Buffer, number: number): void {
    const said = this.#said.get(number);
    if (said !== undefined && said.length < KEPT_OF_TALK)
      this.#said.set(number, said + data.toString('latin1', 0, KEPT_OF_TALK));
  }
}
