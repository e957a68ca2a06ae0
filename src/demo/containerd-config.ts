// What a private containerd is told: its configuration, its CNI network, the names it uses on the host.
// Pure but for looking which addresses are taken; writes nothing.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

/** All paths and host-wide names of one private containerd; a function of its directory alone, so a cleanup finds them again. */
export interface ContainerdLayout {
  readonly directory: string;
  readonly configFile: string;
  readonly logFile: string;
  /** Facts of the host before the start, needed by the cleanup. */
  readonly hostFile: string;
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  readonly runcRoot: string;
  readonly cniConfDirectory: string;
  readonly cniDataDirectory: string;
  /** Name of the CNI network: in iptables comments and in the CNI result cache. */
  readonly network: string;
  /** Bridge interface; Linux allows 15 characters. */
  readonly bridge: string;
  /** Cgroup for the agents that use it, from the root of the tree: each agent of a machine needs its own. */
  readonly cgroup: string;
}

/** A unix socket's path may have 107 bytes. */
export const socketPathBytesMax = 107;

export function containerdLayout(directory: string): ContainerdLayout {
  const id = directoryHash(directory).toString('hex').slice(0, 8);
  const state = path.join(directory, 'run');
  return {
    directory,
    configFile: path.join(directory, 'containerd.toml'),
    logFile: path.join(directory, 'containerd.log'),
    hostFile: path.join(directory, 'host-before.json'),
    root: path.join(directory, 'root'),
    state,
    socket: path.join(state, 'c.sock'),
    runcRoot: path.join(state, 'runc'),
    cniConfDirectory: path.join(directory, 'cni', 'conf'),
    cniDataDirectory: path.join(directory, 'cni', 'data'),
    network: `mqlet-${id}`,
    bridge: `mq${id}`,
    cgroup: `/mqlet-${id}`,
  };
}

/** Configuration version 2, which containerd 1.3 to 2.x reads. */
export function containerdConfig(options: {
  readonly layout: ContainerdLayout;
  readonly snapshotter: string;
  readonly cniBinDirectory: string;
  readonly sandboxImage: string;
}): string {
  const { layout } = options;
  const text = JSON.stringify;
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${text(layout.root)}
state = ${text(layout.state)}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.restart", "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp", "io.containerd.nri.v1.nri"
]
[grpc]
  address = ${text(layout.socket)}
[${cri}]
  sandbox_image = ${text(options.sandboxImage)}
  # Without CAP_SYS_RESOURCE no oom_score_adj below our own may be set.
  restrict_oom_score_adj = true
  # Network namespaces lie below our own directory, not in /run/netns.
  netns_mounts_under_state_dir = true
  systemd_cgroup = false
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
[${cri}.cni]
  bin_dir = ${text(options.cniBinDirectory)}
  conf_dir = ${text(layout.cniConfDirectory)}
[${cri}.containerd]
  snapshotter = ${text(options.snapshotter)}
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  Root = ${text(layout.runcRoot)}
  SystemdCgroup = false
`;
}

/** Bridge with host-local addresses, masquerading and host ports. Version 0.4.0 is read by all plugins since 0.7. */
export function cniNetwork(options: { readonly layout: ContainerdLayout; readonly subnet: string }): string {
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: options.layout.network,
    plugins: [
      {
        type: 'bridge',
        bridge: options.layout.bridge,
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: options.layout.cniDataDirectory,
          ranges: [[{ subnet: options.subnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }, null, 2);
}

/**
 * A /22 (about 1,000 pods) of 10.0.0.0/8 that no interface and no route of this host uses.
 * The directory decides where the search starts, so that two demos on one host do not meet.
 */
export function freeSubnet(directory: string): string {
  const taken = takenRanges();
  const start = directoryHash(directory).readUInt16BE(0);
  const subnets = 1 << 14;
  for (let tried = 0; tried < subnets; tried += 1) {
    const base = ((10 << 24) | (((start + tried) % subnets) << 10)) >>> 0;
    const last = base + 1023;
    if (!taken.some((range) => range.first <= last && base <= range.last)) return `${dotted(base)}/22`;
  }
  return '10.88.0.0/22';
}

interface AddressRange {
  readonly first: number;
  readonly last: number;
}

function takenRanges(): readonly AddressRange[] {
  const ranges: AddressRange[] = [];
  const add = (address: number, mask: number): void => {
    const first = (address & mask) >>> 0;
    ranges.push({ first, last: first + (~mask >>> 0) });
  };
  for (const addresses of Object.values(networkInterfaces())) {
    for (const entry of addresses ?? []) if (entry.family === 'IPv4') add(number(entry.address), number(entry.netmask));
  }
  for (const line of routeTable().split('\n').slice(1)) {
    const [, destination, , , , , , mask] = line.split('\t');
    // The default route (mask 0) would take everything.
    if (destination === undefined || mask === undefined || /^0+$/.test(mask)) continue;
    add(littleEndian(destination), littleEndian(mask));
  }
  return ranges;
}

function routeTable(): string {
  try {
    return readFileSync('/proc/net/route', 'utf8');
  } catch {
    return '';
  }
}

/** Addresses in /proc/net/route are hexadecimal in the host's byte order, which is little endian on all we run on but s390x. */
function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE(0);
}

function number(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

function directoryHash(directory: string): Buffer {
  return createHash('sha256').update(path.resolve(directory)).digest();
}
