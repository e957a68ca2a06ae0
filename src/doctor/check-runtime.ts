// Checks of the container runtime: its socket, what it says of itself, its sandbox image and its registries. Pure.
import type { MirrorFacts, RuntimeFacts } from '../ports/doctor-facts.ts';
import { check, type Check, type Finding, type Trouble } from './finding.ts';

/** The first containerd with CRI v1. */
const containerdOldest = { major: 1, minor: 6 } as const;

/** @param network what the CNI files are worth: the runtime may not have seen that they are good now */
export function checkRuntime(runtime: RuntimeFacts, network: 'good' | 'bad'): readonly Finding[] {
  const about = check('runtime.socket', 'Runtime');
  if (runtime.reach !== 'answers') return [about.fault(unreached(runtime, runtime.reach)), ...runc(runtime)];
  return [about.good(`answers on ${runtime.endpoint}`), ...version(runtime), ...conditions(runtime, network), ...driver(runtime), ...sandboxImage(runtime), ...runc(runtime)];
}

function unreached({ endpoint, message, programs, configFile }: RuntimeFacts, reach: Exclude<RuntimeFacts['reach'], 'answers'>): Trouble {
  const needed = 'a container runtime with CRI v1: containerd 1.6 or newer, or CRI-O';
  switch (reach) {
    case 'missing': {
      const mend = programs.includes('containerd') ? 'systemctl enable --now containerd' : 'apt-get install containerd (or your distribution\'s package)';
      return { found: `${endpoint} does not exist`, needed, mend: `${mend}; or name another socket with --container-runtime-endpoint` };
    }
    case 'no-socket': return { found: `${endpoint} is no socket`, needed, mend: 'name the runtime\'s socket with --container-runtime-endpoint, such as unix:///run/containerd/containerd.sock' };
    case 'not-permitted': return { found: `${endpoint} may not be opened: ${message}`, needed: 'root', mend: 'run as root' };
    case 'refused': return { found: `nobody listens on ${endpoint}: the runtime has ended`, needed, mend: 'systemctl restart containerd, and read journalctl -u containerd for why it ended' };
    case 'silent': return { found: `${endpoint} takes the connection and does not answer: ${message}`, needed, mend: 'systemctl restart containerd; a disk that hangs is the usual cause (dmesg)' };
    case 'no-cri': {
      const disabled = configFile?.disabledPlugins.filter((plugin) => /(^|\.)cri$/.test(plugin)) ?? [];
      if (configFile !== undefined && disabled.length > 0) {
        return { found: `${endpoint} answers without CRI: ${configFile.path} has disabled_plugins = [${disabled.map((one) => `"${one}"`).join(', ')}]`, needed, mend: `take ${disabled.join(' and ')} out of disabled_plugins in ${configFile.path}, then systemctl restart containerd` };
      }
      return { found: `${endpoint} answers without CRI v1: ${message}`, needed, mend: 'for containerd, journalctl -u containerd tells why its cri plugin did not load; for Docker, name containerd\'s socket: unix:///run/containerd/containerd.sock' };
    }
    case 'failed': return { found: `${endpoint}: ${message}`, needed, mend: 'systemctl status containerd, journalctl -u containerd' };
    default: return reach satisfies never;
  }
}

function version({ version: found }: RuntimeFacts): readonly Finding[] {
  if (found === undefined) return [];
  const about = check('runtime.version', 'Version of the runtime');
  const { runtimeName, runtimeVersion } = found;
  const [major = Number.NaN, minor = Number.NaN] = runtimeVersion.replace(/^v/, '').split('.').map(Number);
  const old = runtimeName === 'containerd' && (major < containerdOldest.major || (major === containerdOldest.major && minor < containerdOldest.minor));
  if (!old) return [about.good(`${runtimeName} ${runtimeVersion}`)];
  return [about.fault({ found: `${runtimeName} ${runtimeVersion}`, needed: `${containerdOldest.major}.${containerdOldest.minor} or newer`, mend: 'install a newer containerd: apt-get install containerd, or the release of its project' })];
}

function conditions({ conditions: found, setup }: RuntimeFacts, files: 'good' | 'bad'): readonly Finding[] {
  const titles: Readonly<Record<string, string>> = { RuntimeReady: 'Runtime ready', NetworkReady: 'Network of pods ready' };
  return found.flatMap(({ type, status, reason, message }) => {
    const title = titles[type];
    if (title === undefined) return [];
    const about = check(type === 'RuntimeReady' ? 'runtime.ready' : 'runtime.network', title);
    if (status) return [about.good('yes')];
    const network = type === 'NetworkReady';
    return [about.fault({
      found: network && setup?.cniProblem !== undefined ? setup.cniProblem : `${reason}: ${message}`, needed: network ? 'a CNI network that loads' : 'the runtime\'s own yes',
      mend: !network ? 'systemctl status containerd, journalctl -u containerd'
        : files === 'bad' ? 'mend the CNI configuration named below; the runtime reads a file again when it is written'
          : 'the CNI configuration below is good now, and the runtime has not taken it (containerd does not see a file that was moved there): write the file again, or systemctl restart containerd',
    })];
  });
}

function driver({ cgroupDriver, setup, ownCgroupDriver }: RuntimeFacts): readonly Finding[] {
  const about = check('runtime.cgroup-driver', 'Cgroup driver');
  // A runtime that can be asked is believed by mqlet, so that there is nothing to differ.
  if (cgroupDriver !== undefined) return [about.good(`${cgroupDriver}, as the runtime says`)];
  if (setup?.systemdCgroup === undefined) return [];
  const theirs = setup.systemdCgroup ? 'systemd' : 'cgroupfs';
  if (theirs === ownCgroupDriver) return [about.good(`${theirs} in both`)];
  return [about.fault({
    found: `the runtime has ${theirs}, mqlet has ${ownCgroupDriver}`, needed: 'the same in both: otherwise no pod starts',
    mend: `--cgroup-driver ${theirs} (field cgroupDriver), or SystemdCgroup = ${ownCgroupDriver === 'systemd'} for runc in /etc/containerd/config.toml and systemctl restart containerd`,
  })];
}

function sandboxImage({ setup, sandboxImagePresent }: RuntimeFacts): readonly Finding[] {
  if (setup?.sandboxImage === undefined || sandboxImagePresent === undefined) return [];
  const about = check('runtime.sandbox-image', 'Sandbox image');
  if (sandboxImagePresent) return [about.good(setup.sandboxImage)];
  return [about.warning({
    found: `${setup.sandboxImage} is not on this machine`, needed: 'every pod starts with it; the first one pulls it',
    mend: `ctr -n k8s.io images pull ${setup.sandboxImage}; where that registry is not reached, ctr -n k8s.io images import FILE, or set sandbox_image in the runtime's configuration`,
  })];
}

function runc({ reach, programs, setup }: RuntimeFacts): readonly Finding[] {
  if (reach !== 'answers' && !programs.includes('containerd')) return [];
  const about = check('runtime.runc', 'Program that starts containers');
  const wanted = setup?.runcBinary ?? 'runc';
  if (programs.includes(wanted) || (setup?.runcBinary === undefined && programs.includes('crun'))) return [about.good(wanted)];
  return [about.fault({ found: `${wanted} is not installed`, needed: 'the runtime starts containers with it', mend: wanted === 'runc' ? 'apt-get install runc' : `install ${wanted}, or take BinaryName out of the runtime's configuration` })];
}

export function checkMirrors(mirrors: readonly MirrorFacts[]): readonly Finding[] {
  const about = check('registries', 'Registries');
  return mirrors.map((mirror) => judgeMirror(about, mirror));
}

function judgeMirror(about: Check, { file, registry, problems, unreachable, hosts }: MirrorFacts): Finding {
  if (problems.length > 0) return about.fault({ found: `${file}: ${problems.join('; ')}`, needed: 'a hosts.toml that containerd reads', mend: `correct ${file}; pulls from ${registry} fail until then. Its form: [host."https://mirror.example"] with capabilities = ["pull", "resolve"]` });
  if (unreachable.length > 0) return about.warning({ found: `${file}: ${unreachable.join('; ')}`, needed: `mirrors of ${registry} that answer`, mend: `start the mirror, or take it out of ${file}` });
  return about.good(`${registry}: ${hosts.join(', ') || 'without mirrors'}`);
}
