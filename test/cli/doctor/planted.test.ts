// Faults planted one by one on a machine that is good otherwise: the doctor names each, with the mend, and nothing else.
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DoctorWorld, goodNetwork, startDoctorWorld } from '../../support/doctor-world.ts';

let world: DoctorWorld;
beforeEach(async () => {
  world = await startDoctorWorld();
});
afterEach(() => world.stop());

interface Row {
  readonly fault: string;
  readonly plant: (here: DoctorWorld) => unknown;
  readonly flags?: (here: DoctorWorld) => readonly string[];
  /** All that is told, in order: outcome, check, what is wrong, what mends it. */
  readonly told: readonly (readonly ['fault' | 'warning', string, RegExp, RegExp])[];
}

const cgroupV1 = '27 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw shared:2 - cgroup cgroup rw,cpu\n36 31 0:36 / /sys/fs/cgroup/pids rw shared:3 - cgroup cgroup rw,pids\n';
const runcSystemd = { containerd: { snapshotter: 'overlayfs', defaultRuntimeName: 'runc', runtimes: { runc: { options: { SystemdCgroup: true } } } } };

const kernelRows: readonly Row[] = [
  { fault: 'a kernel from before', plant: (here) => here.put('/proc/sys/kernel/osrelease', '3.16.0-4-amd64'), told: [['fault', 'kernel.version', /3\.16/, /newer kernel/]] },
  { fault: 'no overlay', plant: (here) => here.put('/proc/filesystems', 'nodev\tproc\n\text4\n'), told: [['fault', 'kernel.overlay', /overlay/, /modprobe overlay/]] },
  { fault: 'no network namespaces', plant: (here) => here.remove('/proc/self/ns/net'), told: [['fault', 'kernel.namespaces', /none for net/, /CONFIG_NET_NS/]] },
  { fault: 'no seccomp', plant: (here) => here.remove('/proc/sys/kernel/seccomp'), told: [['warning', 'kernel.seccomp', /cannot filter/, /CONFIG_SECCOMP_FILTER/]] },
  { fault: 'no cgroups', plant: (here) => here.put('/proc/self/mountinfo', '27 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n'), told: [['fault', 'kernel.cgroups', /no cgroups/, /mount -t cgroup2/]] },
  { fault: 'memory off in cgroup v2', plant: (here) => here.put('/sys/fs/cgroup/cgroup.controllers', 'cpuset cpu io pids\n'), told: [['fault', 'kernel.cgroups', /v2 without the controller memory/, /cgroup_enable=memory cgroup_memory=1/]] },
  {
    fault: 'memory off in cgroup v1 by the command line', plant: (here) => {
      here.put('/proc/self/mountinfo', cgroupV1);
      here.put('/proc/cmdline', 'quiet cgroup_disable=memory');
      mkdirSync(`${here.directory}/tree/sys/fs/cgroup/cpu`, { recursive: true });
    }, told: [['fault', 'kernel.cgroups', /v1 without.*memory.*cgroup_disable=memory/, /take cgroup_disable=memory off/]],
  },
  { fault: 'forwarding off', plant: (here) => here.put('/proc/sys/net/ipv4/ip_forward', '0\n'), told: [['fault', 'kernel.forwarding', /ip_forward = 0/, /sysctl -w net\.ipv4\.ip_forward=1/]] },
  { fault: 'br_netfilter not loaded', plant: (here) => here.remove('/proc/sys/net/bridge'), told: [['warning', 'kernel.bridge-filter', /br_netfilter/, /modprobe br_netfilter/]] },
  { fault: 'few inotify instances', plant: (here) => here.put('/proc/sys/fs/inotify/max_user_instances', '8\n'), told: [['warning', 'kernel.inotify', /max_user_instances = 8/, /sysctl -w fs\.inotify\.max_user_instances=512/]] },
  { fault: 'few process IDs', plant: (here) => here.put('/proc/sys/kernel/pid_max', '1000\n'), told: [['warning', 'kernel.pids', /pid_max = 1000/, /sysctl -w kernel\.pid_max/]] },
  { fault: 'swap', plant: (here) => here.put('/proc/swaps', 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 1048576 0 -2\n'), told: [['warning', 'kernel.swap', /1\.0 GiB/, /swapoff -a/]] },
  { fault: 'private mounts', plant: (here) => here.put('/proc/self/mountinfo', '27 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n'), told: [['warning', 'kernel.mounts', /private/, /make-rshared/]] },
  { fault: 'no default route', plant: (here) => here.put('/proc/net/route', 'Iface\tDestination\tGateway\tFlags\n'), told: [['warning', 'kernel.route', /none/, /ip route add default|--node-ip/]] },
  { fault: 'little memory', plant: (here) => here.put('/proc/meminfo', 'MemTotal: 65536 kB\nMemAvailable: 30000 kB\n'), told: [['fault', 'program.memory', /64\.0 MiB/, /more memory/]] },
  { fault: 'few open files', plant: (here) => here.put('/proc/self/limits', 'Max open files            256              256              files\n'), told: [['warning', 'program.open-files', /256/, /LimitNOFILE/]] },
];

const runtimeRows: readonly Row[] = [
  { fault: 'no runtime', plant: (here) => here.runtime(undefined), told: [['fault', 'runtime.socket', /does not exist/, /systemctl enable --now containerd/]] },
  {
    fault: 'no runtime installed', plant: async (here) => {
      await here.runtime(undefined);
      here.remove('/usr/bin/containerd');
    }, told: [['fault', 'runtime.socket', /does not exist/, /apt-get install containerd/]],
  },
  {
    fault: 'a file in place of the socket', plant: async (here) => {
      await here.runtime(undefined);
      writeFileSync(here.socket, '');
    }, told: [['fault', 'runtime.socket', /nobody listens|no socket/, /container-runtime-endpoint|restart containerd/]],
  },
  {
    fault: 'CRI switched off', plant: async (here) => {
      await here.runtime({ cri: false });
      here.put('/etc/containerd/config.toml', 'version = 2\ndisabled_plugins = ["cri"]\n');
    }, told: [['fault', 'runtime.socket', /disabled_plugins = \["cri"\]/, /take cri out of disabled_plugins/]],
  },
  { fault: 'a runtime from before CRI v1', plant: (here) => here.runtime({ version: '1.4.13~ds1' }), told: [['fault', 'runtime.version', /1\.4\.13/, /newer containerd/]] },
  { fault: 'a runtime whose network is not ready', plant: (here) => here.runtime({ networkReady: false }), told: [['fault', 'runtime.network', /cni plugin not initialized/, /good now.*restart containerd/]] },
  { fault: 'another cgroup driver', plant: (here) => here.runtime({ config: { sandboxImage: 'registry.example/pause:3.9', ...runcSystemd } }), told: [['fault', 'runtime.cgroup-driver', /systemd, mqlet has cgroupfs/, /--cgroup-driver systemd/]] },
  { fault: 'no sandbox image', plant: (here) => here.runtime({ images: [] }), told: [['warning', 'runtime.sandbox-image', /pause:3\.9 is not on this machine/, /images pull|images import/]] },
  { fault: 'no runc', plant: (here) => here.remove('/usr/sbin/runc'), told: [['fault', 'runtime.runc', /runc is not installed/, /apt-get install runc/]] },
  { fault: 'no CNI configuration', plant: (here) => here.remove('/etc/cni/net.d/10-pods.conflist'), told: [['fault', 'cni.configuration', /no \.conflist/, /10-mqlet\.conflist/]] },
  { fault: 'a first CNI file that is no JSON', plant: (here) => here.put('/etc/cni/net.d/00-old.conf', '{"name": "old",'), told: [['fault', 'cni.configuration', /00-old\.conf: is no JSON.*10-pods\.conflist come/, /take it out/]] },
  { fault: 'a CNI file without plugins', plant: (here) => here.put('/etc/cni/net.d/10-pods.conflist', '{"name": "pods", "plugins": []}'), told: [['fault', 'cni.configuration', /has no "plugins"/, /correct/]] },
  { fault: 'a CNI plugin that is missing', plant: (here) => here.remove('/opt/cni/bin/portmap'), told: [['fault', 'cni.plugins', /portmap not in \/opt\/cni\/bin/, /containernetworking-plugins/]] },
  { fault: 'no loopback plugin', plant: (here) => here.remove('/opt/cni/bin/loopback'), told: [['fault', 'cni.plugins', /loopback/, /containernetworking-plugins/]] },
  { fault: 'no iptables', plant: (here) => here.remove('/usr/sbin/iptables'), told: [['fault', 'network.iptables', /not installed/, /apt-get install iptables/]] },
  { fault: 'no NAT in the kernel', plant: (here) => here.program('/usr/sbin/iptables', 'echo "iptables: table does not exist (do you need to insmod?)" >&2; exit 3'), told: [['fault', 'network.iptables', /table does not exist/, /modprobe iptable_nat/]] },
  { fault: 'a mirror whose URL is none', plant: (here) => here.put('/etc/containerd/certs.d/docker.io/hosts.toml', 'server = "https://registry-1.docker.io"\n[host."mirror.example:5000"]\n'), told: [['fault', 'registries', /line 2: "mirror\.example:5000" is no URL/, /hosts\.toml/]] },
  { fault: 'a mirror whose CA is missing', plant: (here) => here.put('/etc/containerd/certs.d/docker.io/hosts.toml', 'server = "https://registry.example"\nca = "/etc/ssl/missing.pem"\ncapabilities = ["pull", "fetch"]\n'), told: [['fault', 'registries', /missing\.pem, which does not exist.*"fetch"/, /correct/]] },
  { fault: 'a mirror that does not answer', plant: (here) => here.put('/etc/containerd/certs.d/docker.io/hosts.toml', '[host."http://127.0.0.1:9"]\n  capabilities = ["pull", "resolve"]\n'), told: [['warning', 'registries', /127\.0\.0\.1:9.*ECONNREFUSED/, /start the mirror/]] },
];

const nodeRows: readonly Row[] = [
  { fault: 'an unknown flag', plant: () => undefined, flags: () => ['--node-lables', 'a=b'], told: [['fault', 'settings', /did you mean --node-labels/, /mqlet run --help/]] },
  { fault: 'a file for the root directory', plant: (here) => writeFileSync(`${here.directory}/node`, ''), told: [['fault', 'places.access', /no directory/, /--root-dir/]] },
  {
    fault: 'a root directory for everybody', plant: (here) => {
      mkdirSync(`${here.directory}/node`);
      chmodSync(`${here.directory}/node`, 0o777);
    }, told: [['fault', 'places.access', /mode 777/, /chmod go-w/]],
  },
  {
    fault: 'a clock that has gone back', plant: (here) => {
      mkdirSync(`${here.directory}/node/cache`, { recursive: true });
      writeFileSync(`${here.directory}/node/cache/pods.json`, '{}');
      utimesSync(`${here.directory}/node/cache/pods.json`, new Date('2090-01-01'), new Date('2090-01-01'));
    }, told: [['fault', 'clock', /written at 2090/, /timedatectl set-ntp true/]],
  },
  { fault: 'a time service that has not got through', plant: (here) => here.put('/run/systemd/timesync/x', ''), told: [['warning', 'clock', /not reached a server/, /timesyncd/]] },
  { fault: 'no resolver', plant: (here) => here.remove('/etc/resolv.conf'), told: [['fault', 'names.resolver', /does not exist/, /--resolv-conf/]] },
  { fault: 'a resolver without servers', plant: (here) => here.put('/etc/resolv.conf', 'search example\n'), told: [['fault', 'names.resolver', /names no server/, /nameserver ADDRESS/]] },
  {
    fault: 'a resolver of the host alone', plant: (here) => {
      here.put('/etc/resolv.conf', 'nameserver 127.0.0.53\n');
      here.put('/run/systemd/resolve/resolv.conf', 'nameserver 192.0.2.53\n');
    }, told: [['warning', 'names.resolver', /127\.0\.0\.53/, /--resolv-conf \/run\/systemd\/resolve\/resolv\.conf/]],
  },
  {
    fault: 'a broken manifest', plant: (here) => {
      mkdirSync(`${here.directory}/manifests`);
      writeFileSync(`${here.directory}/manifests/web.yaml`, 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app}]}\n');
    }, flags: (here) => ['--pod-manifest-path', `${here.directory}/manifests`], told: [['fault', 'manifests', /web\.yaml.*image/, /--dry-run/]],
  },
  { fault: 'no directory of manifests', plant: () => undefined, flags: (here) => ['--pod-manifest-path', `${here.directory}/none`], told: [['warning', 'manifests', /does not exist/, /mkdir -p/]] },
  { fault: 'a kubelet', plant: (here) => here.put('/proc/4711/cmdline', `/usr/bin/kubelet\0--container-runtime-endpoint=${here.endpoint}\0`), told: [['fault', 'neighbours.agents', /kubelet runs as process 4711/, /systemctl disable --now kubelet.*mqlet migrate/]] },
  { fault: 'another mqlet', plant: (here) => here.put('/proc/4712/cmdline', `node\0/usr/lib/mqlet/dist/agent.cjs\0run\0--container-runtime-endpoint\0${here.endpoint}\0`), told: [['fault', 'neighbours.agents', /mqlet runs as process 4712/, /--root-dir/]] },
  {
    fault: 'a service that has failed', plant: (here) => {
      here.put('/run/systemd/system/x', '');
      here.program('/usr/bin/systemctl', 'echo "LoadState=loaded"; echo "ActiveState=failed"; echo "Result=exit-code"; echo "UnitFileState=enabled"');
    }, told: [['fault', 'neighbours.services', /failed \(exit-code\)/, /journalctl -u mqlet\.service/]],
  },
  {
    fault: 'a configuration with a secret that everybody may read', plant: (here) => {
      writeFileSync(`${here.directory}/config.yaml`, 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmqttUrl: mqtt://127.0.0.1:1\nmqttRootTopic: fleet\nmqttUsername: node\nmqttPassword: secret\n');
      chmodSync(`${here.directory}/config.yaml`, 0o644);
    }, flags: (here) => ['--config', `${here.directory}/config.yaml`, '--no-broker'], told: [['fault', 'secrets.mode', /config\.yaml has mode 644/, /chmod 600/]],
  },
];

describe('mqlet doctor', () => {
  test('given a machine on which nothing is wrong, when it is asked, then it says so and ends with 0', async () => {
    const { code, told, findings } = await world.ask();
    expect({ code, told }).toEqual({ code: 0, told: [] });
    expect(findings.length).toBeGreaterThan(30);
  });

  test.each([...kernelRows, ...runtimeRows, ...nodeRows])('given $fault, when it is asked, then it names that with the mend, and nothing else', async ({ plant, flags, told }) => {
    await plant(world);
    const answer = await world.ask(flags?.(world));
    expect(answer.told).toEqual(told.map(([outcome, name]) => expect.stringMatching(new RegExp(`^${outcome} ${name.replaceAll('.', '\\.')}: `))));
    told.forEach(([, , found, mend], index) => {
      const [what = '', how = ''] = answer.told[index]?.split(' → ') ?? [];
      expect(what).toMatch(found);
      expect(how).toMatch(mend);
    });
    expect(answer.code).toBe(told.some(([outcome]) => outcome === 'fault') ? 1 : 0);
  });

  test('given a port that something else has, when it is asked, then it names the port and the setting', async () => {
    const server = net.createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const { told } = await world.ask(['--healthz-port', String(port)]);
    server.close();
    expect(told).toEqual([expect.stringMatching(new RegExp(`^fault neighbours\\.ports: .*127\\.0\\.0\\.1:${port} → .*--healthz-port`))]);
  });

  test('given two CNI files, when it is asked, then it says which one is used and why the other is not', async () => {
    world.put('/etc/cni/net.d/87-podman.conflist', goodNetwork);
    const { findings } = await world.ask();
    expect(findings.find(({ check }) => check === 'cni.configuration')?.found).toMatch(/10-pods\.conflist, network pods .*; 87-podman\.conflist not used, because only the first/);
  });
});
