// Whether what an agent in a container sees is the host's: compared with the host's root, which is mounted at a place of its own.
// Asks nothing of other processes, which hardened machines hide even from root.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { ContainerFacts, SharedDirectory } from '../ports/container-facts.ts';

/** capabilities(7): CAP_SYS_ADMIN, which mounting needs. */
const mountCapability = 21n;

/** @param hostRoot where the root of the host is mounted */
export function compareWithHost(hostRoot: string): Omit<ContainerFacts, 'hostRoot' | 'root' | 'podLogs'> {
  return {
    seesHost: identity(`${hostRoot}/proc/self`) !== undefined,
    // The same process has another number where processes are counted apart.
    hasHostProcesses: link(`${hostRoot}/proc/self`) === link('/proc/self'),
    hasHostNetwork: hasInterfacesOf(`${hostRoot}/sys/class/net`),
    hasHostCgroups: isSame('/sys/fs/cgroup', hostRoot),
    mayMount: mayMount(),
  };
}

export function compareDirectory(path: string, hostRoot: string): SharedDirectory {
  return { path, isHosts: isSame(path, hostRoot), isShared: isSharedWithHost(path, hostRoot) };
}

function isSame(path: string, hostRoot: string): boolean {
  const [here, there] = [identity(path), identity(`${hostRoot}${path}`)];
  return here !== undefined && here === there;
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** A sysfs shows the network it was mounted in, /proc that of who reads. */
function hasInterfacesOf(directory: string): boolean {
  try {
    const own = new Set([...readFileSync('/proc/self/net/dev', 'utf8').matchAll(/^\s*([^\s:]+):/gm)].map(([, name]) => name));
    const hosts = readdirSync(directory).filter((name) => name !== 'bonding_masters');
    return hosts.every((name) => own.has(name)) && hosts.length === own.size;
  } catch {
    return false;
  }
}

function mayMount(): boolean {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return (BigInt(`0x${mask}`) >> mountCapability & 1n) === 1n;
}

/** Mounts made below the path reach the host: the path's mount is of a group that the host's own mounts, seen at its root, hear. */
function isSharedWithHost(path: string, hostRoot: string): boolean {
  const mounts = mountsHere();
  const below = (point: string): boolean => point === '/' || path === point || path.startsWith(`${point}/`);
  // Of several at one place the last is on top.
  const holder = mounts.filter(({ point }) => below(point)).reduce<MountLine | undefined>((best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best), undefined);
  const heard = new Set(mounts.filter(({ point }) => point === hostRoot || point.startsWith(`${hostRoot}/`)).flatMap(({ groups }) => groups.map(({ id }) => id)));
  return holder !== undefined && holder.groups.some(({ kind, id }) => kind === 'shared' && heard.has(id));
}

interface MountLine {
  readonly point: string;
  /** `shared`: hands mounts on to the group and hears of its; `master`: hears only. */
  readonly groups: readonly { readonly kind: string; readonly id: string }[];
}

/** proc(5): the fifth field is the mount point; optional ones follow the sixth, up to a dash. */
function mountsHere(): readonly MountLine[] {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line !== '').map((line) => {
    const fields = line.split(' ');
    const optional = fields.slice(6, fields.indexOf('-', 6)).map((field) => field.split(':'));
    return { point: fields[4] ?? '', groups: optional.filter(([kind]) => kind === 'shared' || kind === 'master').map(([kind = '', id = '']) => ({ kind, id })) };
  });
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
