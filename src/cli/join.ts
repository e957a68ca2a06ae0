// `mqlet join`: this device becomes a node of a fleet. It reads words, composes, and says what came of it; nothing else.
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { JoinCertificates } from '../adapters/join-certificates.ts';
import { JoinLink } from '../adapters/join-link.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { readToken } from '../bus/join/join-token.ts';
import { joinNode, type JoinNodeWish, pemCertificates } from '../join/join-node.ts';
import { isPin } from '../join/pin-authority.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { brokerAddress } from './broker-url.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export const joinUsage = `Usage: mqlet join mqtts://HOST[:PORT] --token TOKEN --discovery-ca-cert-hash sha256:HASH [flags]

Makes this device a node: trusts the broker's CA by its hash, shows a token that works once, gets a certificate for a key made
here, and writes the settings of mqlet run. mqlet bridge token create --print-join-command prints the whole command.

      --token TOKEN            also as MQLET_JOIN_TOKEN, which other users do not see in the process list
      --discovery-ca-cert-hash sha256:HASH   of the CA's public key; may be repeated
      --ca-file FILE           the CA, where the broker does not send it; its hash must be the one given all the same
      --node-name NAME         default: this host's name in lower case
      --mqtt-root-topic TOPIC  first levels of all topics; default: mqlet
      --mqtt-server-name NAME  that the broker's certificate carries; default: the host
      --root-dir DIRECTORY     where the key is kept; default: /var/lib/mqlet
      --config FILE            the settings of mqlet run; what it says beside stays; default: /etc/mqlet/config.yaml
      --again                  of a device that has joined before: anew, with a token for its very name
  -h, --help                   this text
`;

const text = { type: 'string' } as const;
const flags = {
  token: text, 'discovery-ca-cert-hash': { type: 'string', multiple: true }, 'ca-file': text, 'node-name': text, 'mqtt-root-topic': text, 'mqtt-server-name': text, 'root-dir': text, config: text,
  again: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
} as const;

/** @returns the exit code @throws Refusal */
export async function runJoin(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parsed(argv);
  if (values.help === true) {
    terminal.print(joinUsage);
    return 0;
  }
  const wish = wishOf(values, positionals, terminal);
  const settingsFile = path.resolve(values.config ?? '/etc/mqlet/config.yaml');
  const directory = path.join(path.resolve(values['root-dir'] ?? '/var/lib/mqlet'), 'identity');
  const joined = await joinNode({ link: new JoinLink(), clock: new SystemClock(), certificates: new JoinCertificates(), place: { files: new NodeFiles(), directory, settingsFile } }, wish);
  if (!joined.ok) throw new Refusal(joined.fault.message);
  const { nodeName, url, notAfterMs } = joined.value;
  terminal.print(`this device is the node ${nodeName}; its certificate is good until ${rfc3339Seconds(notAfterMs)} and is renewed before\n`);
  terminal.print(`${settingsFile} names ${url}; start the node with: systemctl restart mqlet, or mqlet run --config ${settingsFile}\n`);
  return 0;
}

type Values = ReturnType<typeof parsed>['values'];

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, allowPositionals: true });
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw wrongUsage(`${line.replace(/\.$/, '')} (see mqlet join --help)`);
  }
}

function wishOf(values: Values, [url, ...more]: readonly string[], terminal: Terminal): JoinNodeWish {
  if (url === undefined || more.length > 0) throw wrongUsage('one broker is joined: mqlet join mqtts://HOST[:PORT] … (see mqlet join --help)');
  const address = brokerAddress(url, values['mqtt-server-name']);
  if (address === undefined) throw wrongUsage(`${url} is not mqtts://host[:port]; without TLS nobody can be told from somebody else`);
  const given = values.token ?? terminal.environment['MQLET_JOIN_TOKEN'] ?? '';
  const token = readToken(given);
  // The token is a secret: what was typed is not repeated.
  if (token === undefined) throw wrongUsage(`--token must be six characters, a dot and sixteen (a-z, 0-9)${given === '' ? '' : `, not ${given.length} characters of another form`}`);
  const pins = (values['discovery-ca-cert-hash'] ?? []).map((pin) => pin.toLowerCase());
  const wrong = pins.find((pin) => !isPin(pin));
  if (wrong !== undefined || pins.length === 0) throw wrongUsage(`--discovery-ca-cert-hash must be sha256: and 64 hexadecimal digits${wrong === undefined ? '' : `, not "${wrong}"`}`);
  const nodeName = values['node-name'] ?? os.hostname().toLowerCase();
  if (!/^[a-z0-9]([-a-z0-9.]{0,238}[a-z0-9])?$/.test(nodeName)) throw wrongUsage(`--node-name must be a DNS name in lower case, not "${nodeName}"`);
  const rootTopic = values['mqtt-root-topic'] ?? 'mqlet';
  if (/[+#\0]/.test(rootTopic) || rootTopic.replaceAll('/', '') === '') throw wrongUsage('--mqtt-root-topic must be levels of a topic, without the wildcards + and #');
  const caFile = values['ca-file'] === undefined ? undefined : certificatesIn(values['ca-file'], terminal);
  return { url, address, pins, ...(caFile === undefined ? {} : { caFile }), token, nodeName, rootTopic, again: values.again ?? false };
}

function certificatesIn(file: string, terminal: Terminal): readonly string[] {
  let content: string;
  try {
    content = new TextDecoder().decode(terminal.readFile(file));
  } catch (error) {
    throw new Refusal(`--ca-file: ${error instanceof Error ? error.message : String(error)}`);
  }
  return pemCertificates(content);
}
