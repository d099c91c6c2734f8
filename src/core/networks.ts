// Lists of addresses and networks, as settings give them: `10.0.0.0/8, 192.168.1.7, fd00::/8`.
import { BlockList, isIP } from 'node:net';

/** Throws an Error that names the part which is neither an address nor a network. */
export function parseNetworks(text: string): BlockList {
  const list = new BlockList();
  for (const part of text.split(',').map((each) => each.trim())) {
    const [address = '', prefix, more] = part.split('/');
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (family === 0 || length < 0 || length > bits || more !== undefined) {
      throw new Error(`'${part}' is neither an address nor a network`);
    }
    list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** `::ffff:10.0.0.1`, as a socket that listens on :: names an IPv4 peer, is 10.0.0.1. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice('::ffff:'.length) : address;
}
