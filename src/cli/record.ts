// `mqlet record --mqtt-url … FILE`: writes down what passes on a broker, without an agent. Any broker, any topics.
import { parseArgs } from 'node:util';
import { mqttClient } from '../adapters/mqtt-client.ts';
import { RotatingRecording } from '../adapters/rotating-recording.ts';
import { readSettingsFile } from '../adapters/settings-file.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { liteDialect } from '../bus/dialects/lite/lite-dialect.ts';
import { objectsIn } from '../bus/dialects/mqlet/rewrite-text.ts';
import { decodeObject } from '../bus/ingress/decode-object.ts';
import { parseConfig } from '../config.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';
import type { MqttPacket, MqttPort } from '../ports/mqtt-port.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { packetHeader, PacketRecording } from '../replay/packet-recording.ts';
import { linkLine, packetLine } from '../replay/packets.ts';
import { version } from '../version.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export const recordUsage = `Usage: mqlet record --mqtt-url URL [flags] FILE

Writes the packets that pass on a broker into FILE, one JSON line each, until it is interrupted. Broker and credentials are given as to
mqlet run (--mqtt-url, --mqtt-username, --mqtt-password-file, --mqtt-ca-file, --mqtt-cert-file, --mqtt-key-file, --mqtt-server-name).

  -t, --topic FILTER           what to listen to; may be repeated. Default: #
      --record-secrets         keep the values of secrets instead of masking those that can be told
      --max-megabytes N        size at which FILE becomes FILE.1.gz and a new one begins. Default: 64
      --files N                older files that are kept. Default: 8
      --compress HOW           gzip, zstd or none for them; zstd needs Node.js 22.15. Default: gzip
  -h, --help                   this text
`;

const ownFlags = {
  topic: { type: 'string', short: 't', multiple: true }, 'record-secrets': { type: 'boolean' }, 'max-megabytes': { type: 'string' }, files: { type: 'string' }, compress: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const reconnectMs = 5_000;
const day = 86_400_000;

/** Runs until `interrupted`. @returns the exit code */
export async function runRecord(argv: readonly string[], terminal: Terminal, interrupted: Promise<unknown>): Promise<number> {
  const { own, file, brokerFlags } = readWords(argv);
  if (own.help === true) {
    terminal.print(recordUsage);
    return 0;
  }
  if (file === undefined || file.startsWith('-')) throw wrongUsage('mqlet record needs a file at the end: mqlet record --mqtt-url URL FILE');
  const broker = brokerOf(brokerFlags, terminal);
  const clock = new SystemClock();
  const masksSecrets = own['record-secrets'] !== true;
  const bytesMax = positive(own['max-megabytes'] ?? '64', '--max-megabytes') * 1_000_000;
  const olderMax = positive(own.files ?? '8', '--files');
  const packs = own.compress ?? 'gzip';
  if (packs !== 'gzip' && packs !== 'zstd' && packs !== 'none') throw wrongUsage(`--compress must be gzip, zstd or none, not "${packs}"`);
  let sink: RotatingRecording | undefined;
  const openFile = (): PacketRecording => {
    const opened = RotatingRecording.open({
      path: file, clock, header: packetHeader({ made: version, at: rfc3339Seconds(clock.nowMs()), masksSecrets }),
      bytesMax, ageMaxMs: day, olderMax, packs, ended: (why) => terminal.complain(`mqlet record: ${file}: ${why}`),
    });
    if (!opened.ok) throw new Refusal(opened.fault);
    sink = opened.value;
    return new PacketRecording({ sink, masksSecrets, defer: (run) => void setImmediate(run) });
  };
  const listening = new Listening({ broker, topics: own.topic ?? ['#'], openFile, terminal, clock });
  await listening.begin();
  await interrupted;
  await listening.end();
  await sink?.close();
  terminal.print(`${listening.count} packets in ${file}\n`);
  return 0;
}

interface ListeningDeps {
  readonly broker: MqttConfig;
  readonly topics: readonly string[];
  /** Called once, when there is something to record: a broker that cannot be reached leaves older recordings where they are. @throws Refusal */
  openFile(): PacketRecording;
  readonly terminal: Terminal;
  readonly clock: SystemClock;
}

/** Connected for as long as it is wanted; the first attempt must succeed, so that a typing mistake is told at once. */
class Listening {
  count = 0;
  readonly #deps: ListeningDeps;
  readonly #port: MqttPort;
  #recording: PacketRecording | undefined;
  #wanted = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: ListeningDeps) {
    this.#deps = deps;
    this.#port = portTo(deps.broker);
  }

  async begin(): Promise<void> {
    const fault = await this.#open().catch(async (error: unknown) => {
      await this.end();
      throw error;
    });
    if (fault !== undefined) throw new Refusal(`${this.#deps.broker.host}:${this.#deps.broker.port}: ${fault}`);
    this.#deps.terminal.complain(`recording ${this.#deps.topics.join(', ')}; Ctrl-C ends it`);
  }

  async end(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    await this.#port.disconnect();
    this.#recording?.flush();
  }

  /** @returns why it is not open */
  async #open(): Promise<string | undefined> {
    const { openFile, clock, topics } = this.#deps;
    const connected = await this.#port.connect({
      message: (packet) => this.#take(packet),
      closed: ({ message }) => {
        this.#recording?.write(linkLine(clock.nowMs(), 'down', message));
        this.#again(message);
      },
    });
    if (!connected.ok) return connected.fault.message;
    this.#recording ??= openFile();
    this.#recording.write(linkLine(clock.nowMs(), 'up', ''));
    for (const topic of topics) {
      const granted = await this.#port.subscribe(topic, 1);
      if (!granted.ok) return granted.fault.message;
    }
    return undefined;
  }

  #again(why: string): void {
    if (!this.#wanted) return;
    this.#deps.terminal.complain(`mqlet record: ${why}; trying again`);
    this.#timer = setTimeout(() => void this.#open().then((fault) => fault !== undefined && this.#again(fault)), reconnectMs);
  }

  #take(packet: MqttPacket): void {
    this.count += 1;
    for (const secret of secretsIn(packet)) this.#recording?.learn(secret);
    this.#recording?.write(packetLine({ atMs: this.#deps.clock.nowMs(), direction: 'down', packet }));
  }
}

/** Secrets that a cloud side of one of our dialects sends to a node; what speaks otherwise is not understood here. */
function* secretsIn({ topic, payload }: MqttPacket) {
  for (const secret of objectsIn(payload, 'Secret')) {
    const object = decodeObject('Secret', secret);
    if (object.ok) yield object.value;
  }
  const dialect = liteDialect({ rootTopic: 'any', nodeName: 'any' });
  const decoded = dialect.decodeDown(topic, payload);
  if (!decoded.ok) return;
  const message = decoded.value;
  const started = message.kind === 'ack' && message.answer.kind === 'accepted' && message.answer.object !== undefined
    ? dialect.decodeStartAnswer(topic, message.answer.object) : undefined;
  const secrets = message.kind === 'pod' ? message.secrets : started?.ok === true ? started.value.secrets : [];
  for (const secret of secrets) {
    const object = decodeObject('Secret', secret);
    if (object.ok) yield object.value;
  }
}

export function portTo({ host, port, tls, identity, keepAliveSeconds, clientGroup = 'mqlet' }: MqttConfig): MqttPort {
  return mqttClient({
    host, port, keepAliveMs: keepAliveSeconds * 1_000, protocols: ['MQTT 5', 'MQTT 3.1.1'], clientId: `${clientGroup}-${new SystemRandom().uuid()}`,
    ...(identity.kind === 'password' ? { username: identity.username, password: identity.password } : {}),
    ...(tls === undefined ? {} : { tls: { ...tls, servername: tls.serverName } }),
  });
}

/** Broker settings are those of the daemon, read by the same table. */
export function brokerOf(argv: readonly string[], terminal: Terminal): MqttConfig {
  const parsed = parseConfig(['--mqtt-root-topic', 'any', '--mqtt-group', 'mqlet-record', ...argv], terminal.environment, readSettingsFile);
  if (parsed.kind === 'faults') throw wrongUsage(parsed.faults.join('; '));
  if (parsed.kind === 'help' || parsed.config.mqtt === undefined) throw wrongUsage('no broker is named; give --mqtt-url mqtt://host or mqtts://host');
  return parsed.config.mqtt;
}

/** Flags of ours are taken out; what is left is the broker's, and the file. */
function readWords(argv: readonly string[]) {
  const { values, tokens } = parseArgs({ args: [...argv], options: ownFlags, allowPositionals: true, strict: false, tokens: true });
  const taken = new Set(tokens.flatMap((token) => (token.kind === 'option' && token.name in ownFlags ? [token.index, ...(token.inlineValue === false ? [token.index + 1] : [])] : [])));
  const rest = argv.filter((_word, index) => !taken.has(index));
  // With `strict: false` a value may be of the wrong type: a flag without its value is `true`.
  const own = values as { readonly topic?: string[]; readonly 'record-secrets'?: boolean; readonly 'max-megabytes'?: string; readonly files?: string; readonly compress?: string; readonly help?: boolean };
  return { own, file: rest.at(-1), brokerFlags: rest.slice(0, -1) };
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw wrongUsage(`${flag} must be a whole number above 0, not "${text}"`);
}
