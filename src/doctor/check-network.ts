// Checks of the network of pods: which CNI file counts, whether its programs are there, whether addresses can be translated. Pure.
import type { CniFacts, CniFile, RuntimeFacts } from '../ports/doctor-facts.ts';
import { check, type Finding } from './finding.ts';

/** Programs that call iptables. */
const translating: readonly string[] = ['portmap', 'bridge', 'ptp', 'firewall'];
const installPlugins = 'apt-get install containernetworking-plugins';

/** @param runtime tells whether it has a network already, whatever the files say now */
export function checkNetwork(cni: CniFacts, runtime: Pick<RuntimeFacts, 'reach'>): readonly Finding[] {
  if (runtime.reach !== 'answers' && !cni.confDirectoryExists) return [];
  const [first] = cni.files;
  return [...configuration(cni, first), ...(first === undefined || first.problem !== undefined ? [] : programs(cni, first)), ...iptables(cni, first)];
}

/** The first file that counts, when it is a good one. */
export function networkOf({ files: [first] }: CniFacts): CniFile | undefined {
  return first?.problem === undefined ? first : undefined;
}

function configuration({ confDirectory, confDirectoryExists, files }: CniFacts, first: CniFile | undefined): readonly Finding[] {
  const about = check('cni.configuration', 'CNI configuration');
  if (first === undefined) {
    return [about.fault({
      found: confDirectoryExists ? `${confDirectory} has no .conflist, .conf or .json` : `${confDirectory} does not exist`, needed: 'a network for pods',
      mend: `write ${confDirectory}/10-mqlet.conflist as docs/doctor.md shows it, or install a network such as flannel that writes its own`,
    })];
  }
  if (first.problem !== undefined) {
    return [about.fault({
      found: `${confDirectory}/${first.name}: ${first.problem}${files.length > 1 ? `; ${others(files)} come after it in order of name and are not used` : ''}`,
      needed: 'the first file in order of name must be good', mend: `correct ${confDirectory}/${first.name}, or take it out of the directory`,
    })];
  }
  const rest = files.length > 1 ? `; ${others(files)} not used, because only the first in order of name counts` : '';
  return [about.good(`${confDirectory}/${first.name}, network ${first.network} (${first.plugins.join(', ')})${rest}`)];
}

function others([, ...rest]: readonly CniFile[]): string {
  return rest.map(({ name }) => name).join(', ');
}

function programs({ binDirectories, programs: found }: CniFacts, { name, plugins }: CniFile): readonly Finding[] {
  const about = check('cni.plugins', 'CNI plugins');
  const wanted = [...new Set([...plugins, 'loopback'])];
  const missing = wanted.filter((plugin) => !found.includes(plugin));
  if (missing.length === 0) return [about.good(`${wanted.join(', ')} in ${binDirectories.join(', ')}`)];
  const loopback = missing.length === 1 && missing[0] === 'loopback' && !plugins.includes('loopback');
  return [about.fault({
    found: `${missing.join(', ')} not in ${binDirectories.join(', ')}`, needed: loopback ? 'the runtime calls it for every pod' : `${name} calls ${missing.length === 1 ? 'it' : 'them'}`,
    mend: `${installPlugins}, and point the runtime at them: bin_dir = "/usr/lib/cni" under [plugins."io.containerd.grpc.v1.cri".cni], or copy them to ${binDirectories[0] ?? '/opt/cni/bin'}`,
  })];
}

function iptables({ iptables: found }: CniFacts, first: CniFile | undefined): readonly Finding[] {
  if (found === undefined || first === undefined || !first.plugins.some((plugin) => translating.includes(plugin))) return [];
  const about = check('network.iptables', 'iptables');
  if (found.works) return [about.good('the NAT table can be read')];
  const absent = /not installed/.test(found.message);
  return [about.fault({
    found: found.message, needed: `${first.plugins.filter((plugin) => translating.includes(plugin)).join(' and ')} translate addresses with it`,
    mend: absent ? 'apt-get install iptables' : 'modprobe iptable_nat (or nft_compat for iptables-nft); update-alternatives --config iptables chooses between the two kinds',
  })];
}
