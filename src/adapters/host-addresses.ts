// Addresses of the interface that carries the default route, from the kernel's routing tables.
import { readFile } from 'node:fs/promises';
import os from 'node:os';

const flagUp = 0x1;
const flagGateway = 0x2;

export interface HostAddressOptions {
  /** Prefix of /proc; empty for this machine. */
  readonly systemRoot: string;
  /** Addresses by interface, as Node tells them; for tests. */
  readonly interfaces?: NodeJS.Dict<os.NetworkInterfaceInfo[]>;
}

/** @returns IPv4 before IPv6, link-local and internal ones left out; 127.0.0.1 when there is no other; never empty */
export async function defaultRouteAddresses({ systemRoot, interfaces = os.networkInterfaces() }: HostAddressOptions): Promise<readonly string[]> {
  const [table4, table6] = await Promise.all([readText(`${systemRoot}/proc/net/route`), readText(`${systemRoot}/proc/net/ipv6_route`)]);
  const name4 = defaultInterface4(table4);
  const name6 = defaultInterface6(table6);
  const found = [
    ...usable(interfaces, name4, 'IPv4').slice(0, 1),
    ...usable(interfaces, name6 ?? name4, 'IPv6').slice(0, 1),
  ];
  if (found.length > 0) return found;
  const any = Object.keys(interfaces).sort().flatMap((name) => usable(interfaces, name, 'IPv4'));
  return any.length > 0 ? any.slice(0, 1) : ['127.0.0.1'];
}

/** Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …; the least metric wins. */
function defaultInterface4(table: string): string | undefined {
  const routes = table.split('\n').slice(1).map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , flags, , , , mask]) => destination === '00000000' && mask === '00000000' && isUp(flags))
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  return routes[0]?.[0];
}

/** Columns: destination, its prefix, source, its prefix, next hop, metric, …, flags, interface. */
function defaultInterface6(table: string): string | undefined {
  const routes = table.split('\n').map((line) => line.trim().split(/\s+/))
    .filter(([destination, prefix, , , , , , , flags, name]) =>
      /^0{32}$/.test(destination ?? '') && prefix === '00' && isUp(flags) && (Number.parseInt(flags ?? '0', 16) & flagGateway) !== 0 && name !== 'lo')
    .sort((a, b) => Number.parseInt(a[5] ?? '0', 16) - Number.parseInt(b[5] ?? '0', 16));
  return routes[0]?.[9];
}

function isUp(flags: string | undefined): boolean {
  return (Number.parseInt(flags ?? '0', 16) & flagUp) !== 0;
}

function usable(interfaces: NodeJS.Dict<os.NetworkInterfaceInfo[]>, name: string | undefined, family: 'IPv4' | 'IPv6'): string[] {
  if (name === undefined) return [];
  return (interfaces[name] ?? [])
    .filter((entry) => entry.family === family && !entry.internal && !entry.address.startsWith('169.254.') && !/^fe[89ab]/i.test(entry.address))
    .map((entry) => entry.address);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // No such table: IPv6 is off, or this is no Linux.
    return '';
  }
}
