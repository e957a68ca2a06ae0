// Facts of containerd's registry mirrors: each hosts.toml below its directories, and whether the hosts it names answer.
// Reads the lines that matter of a TOML file, not TOML.
// @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
import net from 'node:net';
import type { MirrorFacts } from '../../ports/doctor-facts.ts';
import type { SystemTree } from './system-tree.ts';

const connectTimeoutMs = 3_000;
/** Registries looked at; further ones are left out. */
const registriesMax = 20;
const capabilitiesKnown: readonly string[] = ['pull', 'resolve', 'push'];

export async function readMirrorFacts(tree: SystemTree, directories: readonly string[]): Promise<readonly MirrorFacts[]> {
  const files = directories.flatMap((directory) => (tree.names(directory) ?? []).map((registry) => ({ registry, directory: `${directory}/${registry}` })))
    .filter(({ directory }) => tree.stats(`${directory}/hosts.toml`)?.isFile() === true);
  return Promise.all(files.slice(0, registriesMax).map(({ registry, directory }) => readOne(tree, registry, directory)));
}

async function readOne(tree: SystemTree, registry: string, directory: string): Promise<MirrorFacts> {
  const file = `${directory}/hosts.toml`;
  const { hosts, problems } = judgeHostsFile(tree.text(file) ?? '', (name) => tree.exists(name.startsWith('/') ? name : `${directory}/${name}`));
  const unreachable = await Promise.all(hosts.map(knock));
  return { file, registry, hosts, problems, unreachable: unreachable.filter((one) => one !== undefined) };
}

/** @param exists whether a file of certificates is there, by its path or its name beside the file */
export function judgeHostsFile(toml: string, exists: (name: string) => boolean): { readonly hosts: readonly string[]; readonly problems: readonly string[] } {
  const hosts: string[] = [];
  const problems: string[] = [];
  for (const [index, raw] of toml.split('\n').entries()) {
    const line = raw.trim();
    const place = `line ${index + 1}`;
    if (line === '' || line.startsWith('#')) continue;
    const host = /^\[host\.(?:"([^"]*)"|'([^']*)')\]/.exec(line);
    if (host !== null) {
      const url = host[1] ?? host[2] ?? '';
      if (isUrl(url)) hosts.push(url);
      else problems.push(`${place}: "${url}" is no URL; write http:// or https:// in front`);
    } else if (/^\[host\b(?!s)/.test(line) && !/^\[host\.(["']).*\1(\.header)?\]/.test(line)) problems.push(`${place}: ${line}: the URL must stand in quotes, [host."https://…"]`);
    problems.push(...judgeValue(line, place, exists));
  }
  return { hosts, problems };
}

function judgeValue(line: string, place: string, exists: (name: string) => boolean): readonly string[] {
  const [, key = '', value = ''] = /^(server|capabilities|ca|client)\s*=\s*(.+)$/.exec(line) ?? [];
  const texts = (value.match(/"[^"]*"|'[^']*'/g) ?? []).map((one) => one.slice(1, -1));
  switch (key) {
    case 'server': return texts[0] === undefined || (texts[0].includes('://') && !isUrl(texts[0])) ? [`${place}: server is no URL`] : [];
    case 'capabilities': return texts.filter((one) => !capabilitiesKnown.includes(one)).map((one) => `${place}: there is no capability "${one}"; there are ${capabilitiesKnown.join(', ')}`);
    case 'ca':
    case 'client': return texts.filter((one) => !exists(one)).map((one) => `${place}: ${key} names ${one}, which does not exist`);
    default: return [];
  }
}

function isUrl(text: string): boolean {
  return /^https?:\/\/[^/\s]+/.test(text) && URL.canParse(text);
}

/** @returns why a host does not answer */
function knock(url: string): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(url);
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  return new Promise((resolve) => {
    const socket = net.connect({ host: hostname.replace(/^\[|\]$/g, ''), port: number, timeout: connectTimeoutMs });
    const end = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end(`${url} does not answer within ${connectTimeoutMs / 1_000} s`));
    socket.once('error', (error) => end(`${url}: ${error.message}`));
  });
}
