// Checks of mqlet itself on this machine: rights, Node.js, memory, settings, clock and names. Pure.
import type { ClockFacts, NameFacts, ProgramFacts, SettingsFacts } from '../ports/doctor-facts.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { check, type Finding, sizeText } from './finding.ts';

const nodeOldest = { major: 20, minor: 10 } as const;
/** The agent, the runtime and one small pod. */
const memoryBytesMin = 128 * 1_024 * 1_024;
const memoryAvailableBytesMin = 64 * 1_024 * 1_024;
const openFilesMin = 1_024;
/** File times that are a little ahead come from rounding and from other machines. */
const clockGrainMs = 60 * 60_000;
/** What resolv.conf may name (resolv.conf(5)); further ones are not used. */
const serversMax = 3;

export function checkProgram(program: ProgramFacts): readonly Finding[] {
  return [rights(program), node(program), ...memory(program), ...openFiles(program)];
}

function rights({ userId }: ProgramFacts): Finding {
  const about = check('program.rights', 'Rights');
  if (userId === 0) return about.good('runs as root');
  return about.fault({
    found: `runs as user ${userId}`, needed: 'root: pods need mounts, cgroups and the runtime\'s socket',
    mend: 'run it as root: sudo mqlet doctor, sudo mqlet run. What only root can see is judged below as far as it can be seen',
  });
}

function node({ nodeVersion }: ProgramFacts): Finding {
  const about = check('program.node', 'Node.js');
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > nodeOldest.major || (major === nodeOldest.major && minor >= nodeOldest.minor)) return about.good(nodeVersion);
  return about.fault({
    found: nodeVersion, needed: `${nodeOldest.major}.${nodeOldest.minor} or newer`,
    mend: 'install a newer Node.js, or name one with MQLET_NODE=/path/to/node',
  });
}

function memory({ memoryBytes, memoryAvailableBytes }: ProgramFacts): readonly Finding[] {
  if (memoryBytes === undefined) return [];
  const about = check('program.memory', 'Memory');
  if (memoryBytes < memoryBytesMin) {
    return [about.fault({ found: `${sizeText(memoryBytes)} in all`, needed: `${sizeText(memoryBytesMin)} or more`, mend: 'take a machine with more memory' })];
  }
  if (memoryAvailableBytes !== undefined && memoryAvailableBytes < memoryAvailableBytesMin) {
    return [about.warning({
      found: `${sizeText(memoryAvailableBytes)} of ${sizeText(memoryBytes)} available`, needed: `${sizeText(memoryAvailableBytesMin)} or more`,
      mend: 'end what is not needed; with less than evictionHard memory.available pods are evicted',
    })];
  }
  return [about.good(`${sizeText(memoryBytes)}${memoryAvailableBytes === undefined ? '' : `, ${sizeText(memoryAvailableBytes)} available`}`)];
}

function openFiles({ openFilesMax }: ProgramFacts): readonly Finding[] {
  if (openFilesMax === undefined) return [];
  const about = check('program.open-files', 'Open files');
  if (openFilesMax >= openFilesMin) return [about.good(`limit ${openFilesMax}`)];
  return [about.warning({ found: `limit ${openFilesMax}`, needed: `${openFilesMin} or more`, mend: 'ulimit -n 65536 before mqlet run, or LimitNOFILE=65536 in the service' })];
}

export function checkSettings({ file, faults, warnings }: SettingsFacts): readonly Finding[] {
  const about = check('settings', 'Settings');
  const mend = 'correct the flag or field; mqlet run --help and docs/operating.md list all of them';
  if (faults.length + warnings.length === 0) return [about.good(file === undefined ? 'as given, all understood' : `${file} is understood`)];
  return [...faults.map((line) => about.fault({ found: line, mend })), ...warnings.map((line) => about.warning({ found: line, mend: 'leave it out, or see docs/operating.md for what takes its place' }))];
}

export function checkClock({ nowMs, builtAtMs, newestFile, synchronized }: ClockFacts): readonly Finding[] {
  const about = check('clock', 'Clock');
  const now = rfc3339Seconds(nowMs);
  const mend = 'set it: timedatectl set-ntp true, or date -s, or the network\'s NTP server in chrony or systemd-timesyncd; a wrong clock breaks TLS and leases';
  if (nowMs < builtAtMs - clockGrainMs) {
    return [about.fault({ found: `says ${now}, which is before this program was made (${rfc3339Seconds(builtAtMs)})`, needed: 'the time of day', mend })];
  }
  if (newestFile !== undefined && newestFile.modifiedAtMs > nowMs + clockGrainMs) {
    return [about.fault({ found: `says ${now}, and ${newestFile.path} was written at ${rfc3339Seconds(newestFile.modifiedAtMs)}: it has gone back, or was ahead then`, needed: 'the time of day', mend })];
  }
  if (synchronized === false) return [about.warning({ found: `says ${now}, and the time service has not reached a server yet`, needed: 'a synchronised clock', mend })];
  return [about.good(`says ${now}${synchronized === true ? ', synchronised' : ''}`)];
}

export function checkNames(names: NameFacts): readonly Finding[] {
  return [nodeName(names), ...resolver(names)];
}

function nodeName({ nodeName: name, nodeNameSetting }: NameFacts): Finding {
  const about = check('names.node', 'Node name');
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) {
    return about.fault({ found: `the host name "${name}" is no DNS name in lower case`, needed: 'letters, digits, - and .', mend: 'give a name with --hostname-override, or change it: hostnamectl set-hostname NAME' });
  }
  if (!nodeNameSetting && (name === 'localhost' || name.startsWith('localhost.'))) {
    return about.fault({ found: `the host name is ${name}, as on many machines`, needed: 'a name that only this node has', mend: 'give a name with --hostname-override, or change it: hostnamectl set-hostname NAME' });
  }
  return about.good(name);
}

function resolver({ resolvConf, resolvedFile }: NameFacts): readonly Finding[] {
  if (resolvConf === undefined) return [];
  const { path, exists, servers } = resolvConf;
  const about = check('names.resolver', 'Resolver of pods');
  if (!exists) return [about.fault({ found: `${path} does not exist`, needed: 'the DNS servers that pods with dnsPolicy Default get', mend: `write ${path} with a line "nameserver ADDRESS", or name another file with --resolv-conf; an empty --resolv-conf gives pods none` })];
  if (servers.length === 0) return [about.fault({ found: `${path} names no server`, needed: 'DNS servers that pods can reach', mend: `write a line "nameserver ADDRESS" into ${path}, or name another file with --resolv-conf` })];
  const own = servers.filter((server) => server.startsWith('127.') || server === '::1');
  if (own.length > 0) {
    return [about.warning({
      found: `${path} names ${own.join(', ')}, which is another machine inside a pod`, needed: 'servers that pods can reach',
      mend: resolvedFile === undefined ? 'name a file with the real servers with --resolv-conf' : `--resolv-conf ${resolvedFile}`,
    })];
  }
  if (servers.length > serversMax) {
    return [about.warning({ found: `${path} names ${servers.length} servers`, needed: `${serversMax} at most`, mend: `pods get the first ${serversMax}; remove the others` })];
  }
  return [about.good(`${servers.join(', ')} (${path})`)];
}
