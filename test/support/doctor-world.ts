// A machine on which nothing is wrong, as a tree of files and a runtime that talks; tests plant one fault each and ask the doctor.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runDoctor } from '../../src/cli/doctor/doctor.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { serveToldRuntime, type ToldRuntime } from './told-runtime.ts';

export const sandboxImage = 'registry.example/pause:3.9';
const goodRuntime: ToldRuntime = {
  version: '1.6.20', networkReady: true, images: [sandboxImage], cri: true,
  config: {
    sandboxImage, cni: { confDir: '/etc/cni/net.d', binDir: '/opt/cni/bin' }, registry: { configPath: '/etc/containerd/certs.d' },
    containerd: { snapshotter: 'overlayfs', defaultRuntimeName: 'runc', runtimes: { runc: { options: { SystemdCgroup: false } } } },
  },
};
export const goodNetwork = JSON.stringify({
  cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'bridge', ipMasq: true, ipam: { type: 'host-local' } }, { type: 'portmap' }],
});

/** What a kernel of these days shows; by path. */
const goodFiles: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.1.0-18-amd64\n',
  '/proc/sys/kernel/pid_max': '4194304\n',
  '/proc/sys/kernel/seccomp/actions_avail': 'kill_process errno allow\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
  '/proc/sys/fs/inotify/max_user_instances': '128\n',
  '/proc/sys/fs/inotify/max_user_watches': '65536\n',
  '/proc/filesystems': 'nodev\tproc\nnodev\tcgroup2\nnodev\toverlay\n\text4\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  '/proc/meminfo': 'MemTotal:        1000000 kB\nMemFree:          500000 kB\nMemAvailable:     700000 kB\n',
  '/proc/self/limits': 'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1048576              1048576              files\n',
  '/proc/self/mountinfo': '27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n',
  '/proc/cmdline': 'quiet\n',
  '/proc/net/route': 'Iface\tDestination\tGateway\tFlags\neth0\t00000000\t0101A8C0\t0003\n',
  '/proc/1/cmdline': '/sbin/init\0',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids\n',
  '/sys/fs/cgroup/cgroup.subtree_control': 'cpuset cpu io memory hugetlb pids\n',
  '/etc/resolv.conf': 'nameserver 192.0.2.53\n',
  '/etc/cni/net.d/10-pods.conflist': goodNetwork,
};
const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const programs = ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/sbin/iptables', ...['bridge', 'host-local', 'portmap', 'loopback'].map((name) => `/opt/cni/bin/${name}`)];

export interface DoctorWorld {
  readonly directory: string;
  readonly endpoint: string;
  /** Where the runtime's socket is. */
  readonly socket: string;
  /** Writes a file of the machine's tree, with its folders. */
  put(file: string, content: string, mode?: number): void;
  remove(file: string): void;
  /** A program that says so much and ends with this code. */
  program(file: string, script?: string): void;
  /** Serves another runtime in place of the good one; `undefined`: none. */
  runtime(told: Partial<ToldRuntime> | undefined): Promise<void>;
  /** @param flags beside those that make it a node of this world */
  ask(flags?: readonly string[], environment?: Readonly<Record<string, string>>): Promise<DoctorAnswer>;
  stop(): Promise<void>;
}

export interface DoctorAnswer {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** Everything that is not good, one line each: outcome, check, found → mend. */
  readonly told: readonly string[];
}

export async function startDoctorWorld(): Promise<DoctorWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-doctor-'));
  const root = path.join(directory, 'tree');
  const socket = path.join(directory, 'cri.sock');
  const endpoint = `unix://${socket}`;
  let stopRuntime: () => Promise<void> = async () => undefined;
  const world: DoctorWorld = {
    directory, endpoint, socket,
    put: (file, content, mode = 0o644) => {
      mkdirSync(path.dirname(root + file), { recursive: true });
      writeFileSync(root + file, content, { mode });
      chmodSync(root + file, mode);
    },
    remove: (file) => rmSync(root + file, { recursive: true, force: true }),
    program: (file, script = 'exit 0') => world.put(file, `#!/bin/sh\n${script}\n`, 0o755),
    runtime: async (told) => {
      await stopRuntime();
      rmSync(socket, { force: true });
      stopRuntime = told === undefined ? async () => undefined : await serveToldRuntime(endpoint, { ...goodRuntime, ...told });
    },
    ask: async (flags = [], environment = {}) => {
      const printed: string[] = [];
      const node = ['--container-runtime-endpoint', endpoint, '--root-dir', `${directory}/node`, '--pod-logs-dir', `${directory}/logs`, '--hostname-override', 'edge-07', '--healthz-port', '0'];
      const code = await runDoctor(['--json', ...node, ...flags], doctorTerminal(printed, environment), { systemRoot: root });
      // It is what runDoctor printed: report.ts has its shape.
      const { findings } = JSON.parse(printed.join('')) as { findings: Finding[] };
      const told = findings.filter(({ outcome }) => outcome !== 'good').map(({ outcome, check, found, mend }) => `${outcome} ${check}: ${found} → ${mend ?? ''}`);
      return { code, findings, told };
    },
    stop: async () => {
      await stopRuntime();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  for (const [file, content] of Object.entries(goodFiles)) world.put(file, content);
  for (const name of namespaces) world.put(`/proc/self/ns/${name}`, '');
  for (const file of programs) world.program(file);
  await world.runtime({});
  return world;
}

/** Of a command that asks nothing; what it prints is gathered. */
export function doctorTerminal(printed: string[], environment: Readonly<Record<string, string>>): Terminal {
  const never = (): never => {
    throw new Error('the doctor asks for nothing');
  };
  return {
    print: (text) => void printed.push(text), complain: (line) => void printed.push(line), environment, readFile: never, readStandardInput: never, readLines: never, nowMs: () => Date.now(),
  };
}
