// What a private containerd changes on the host outside its directory: bridge, iptables, CNI's cache, cgroups, forwarding.
// Touches only what carries its names, and shared things only where they were not there before.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './child-process.ts';
import type { ContainerdLayout } from './containerd-config.ts';

/** Shared settings of the host as they were before the start. */
export interface HostBefore {
  /** Content of /proc/sys/net/ipv4/ip_forward; the bridge plugin sets it to 1. */
  readonly ipForward: string;
  /** Whether the chains that all users of CNI's portmap share existed. */
  readonly hostPortChains: boolean;
  /** Whole paths of cgroups of CRI that existed. */
  readonly cgroups: readonly string[];
}

const ipForwardFile = '/proc/sys/net/ipv4/ip_forward';
const cniCache = '/var/lib/cni';
const cgroupRoot = '/sys/fs/cgroup';
/** Top-level cgroups that CRI (`k8s.io`) and an agent (`kubepods`) make. */
const cgroupNames = ['k8s.io', 'kubepods', 'kubepods.slice'];
const hostPortChains = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ'];

export async function lookAtHost(): Promise<HostBefore> {
  const rules = await natRules();
  return {
    ipForward: readFileSync(ipForwardFile, 'utf8').trim(),
    hostPortChains: rules.some((rule) => rule === '-N CNI-HOSTPORT-DNAT'),
    cgroups: await cgroupsNamed(cgroupNames),
  };
}

/** @returns what could not be removed, one line each */
export async function removeNetwork(options: {
  readonly layout: ContainerdLayout;
  readonly before: HostBefore | undefined;
}): Promise<readonly string[]> {
  const { layout, before } = options;
  const problems: string[] = [];
  const rules = await natRules();
  const ours = rules.filter((rule) => rule.startsWith('-A ') && rule.includes(`name: \\"${layout.network}\\"`));
  const chains = new Set(ours.flatMap((rule) => /-j (CNI-[0-9a-zA-Z-]+)/.exec(rule)?.[1] ?? []).filter((chain) => !hostPortChains.includes(chain)));
  if (ours.length > 0) problems.push(...await restoreNat(nuke({ rules: ours, chains: [...chains] })));
  if (before?.hostPortChains === false) await removeHostPortChains();
  if (existsSync(`/sys/class/net/${layout.bridge}`)) {
    const deleted = await runCommand('ip', ['link', 'delete', layout.bridge]);
    if (deleted.code !== 0) problems.push(`bridge ${layout.bridge} stays: ${deleted.stderr.trim()}`);
  }
  await removeCachedResults(layout.network);
  if (before?.ipForward === '0' && !await hasBridge()) writeFileSync(ipForwardFile, '0\n');
  return problems;
}

/**
 * CNI keeps one result per network and sandbox, `<network>-<sandbox>-<interface>`. The loopback's carries a name that all
 * containerds share, so it is known as ours by its sandbox.
 */
async function removeCachedResults(network: string): Promise<void> {
  for (const directory of [path.join(cniCache, 'results'), path.join(cniCache, 'cache', 'results'), path.join(cniCache, 'cache'), cniCache]) {
    const names = await readdir(directory).catch(() => []);
    const ours = names.filter((name) => name.startsWith(`${network}-`));
    const sandboxes = new Set(ours.map((name) => name.slice(network.length + 1).split('-')[0]));
    const loopbacks = names.filter((name) => name.startsWith('cni-loopback-') && sandboxes.has(name.split('-')[2]));
    for (const name of [...ours, ...loopbacks]) await rm(path.join(directory, name), { force: true });
    await rmdir(directory).catch(() => undefined);
  }
}

/**
 * Removes the empty cgroups below our own, and below the names of CRI that did not exist before. One with a process in it cannot be
 * removed.
 * @param before undefined where it is not known: then what is shared is left alone
 */
export async function removeCgroups({ before, own }: { readonly before: HostBefore | undefined; readonly own: string }): Promise<void> {
  const shared = before === undefined ? [] : (await cgroupsNamed(cgroupNames)).filter((cgroup) => !before.cgroups.includes(cgroup));
  for (const cgroup of [...(await cgroupsNamed([own])), ...shared]) await removeCgroupTree(cgroup);
}

async function removeCgroupTree(cgroup: string): Promise<void> {
  for (const entry of await readdir(cgroup, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeCgroupTree(path.join(cgroup, entry.name));
  }
  await rmdir(cgroup).catch(() => undefined);
}

/** With cgroup v2 they lie at the root, with v1 below each controller. */
async function cgroupsNamed(names: readonly string[]): Promise<string[]> {
  const controllers = (await readdir(cgroupRoot, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory()).map((entry) => path.join(cgroupRoot, entry.name));
  return [cgroupRoot, ...controllers].flatMap((base) => names.map((name) => path.join(base, name))).filter(existsSync);
}

async function natRules(): Promise<readonly string[]> {
  const listed = await runCommand('iptables', ['--wait', '--table', 'nat', '--list-rules']);
  return listed.code === 0 ? listed.stdout.split('\n') : [];
}

/** Lines for iptables-restore: rules first, for a chain in use cannot be deleted. */
function nuke(options: { readonly rules: readonly string[]; readonly chains: readonly string[] }): string {
  const inOurChains = (rule: string): boolean => options.chains.includes(rule.split(' ')[1] ?? '');
  return [
    '*nat',
    ...options.rules.filter((rule) => !inOurChains(rule)).map((rule) => rule.replace(/^-A/, '-D')),
    ...options.chains.map((chain) => `-F ${chain}`),
    ...options.chains.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}

async function restoreNat(lines: string): Promise<readonly string[]> {
  const restored = await runCommand('iptables-restore', ['--wait', '--noflush'], { input: lines });
  return restored.code === 0 ? [] : [`iptables rules stay: ${restored.stderr.trim()}`];
}

/** The chains shared by all users of portmap go only when nobody's port is in them. */
async function removeHostPortChains(): Promise<void> {
  const rules = await natRules();
  const chains = hostPortChains.filter((chain) => rules.includes(`-N ${chain}`));
  if (chains.length === 0 || rules.some((rule) => rule.startsWith('-A CNI-HOSTPORT-DNAT '))) return;
  const jumps = rules.filter((rule) => rule.startsWith('-A ') && chains.some((chain) => rule.includes(`-j ${chain}`)));
  await restoreNat(nuke({ rules: jumps, chains }));
}

async function hasBridge(): Promise<boolean> {
  const links = await readdir('/sys/class/net').catch(() => []);
  return links.some((link) => existsSync(`/sys/class/net/${link}/bridge`));
}
