// `mqlet replay FILE`: runs a recorded agent again, tells what its pods did, and whether it did what was recorded.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Agent, AgentSettings } from '../agent.ts';
import type { AnyEnvelope } from '../bus/messages.ts';
import { liteDialect } from '../bus/dialects/lite/lite-dialect.ts';
import { mqletDialect } from '../bus/dialects/mqlet/mqlet-dialect.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import { koleDialect } from '../bus/dialects/kole/kole-dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import type { LogPort } from '../ports/log-port.ts';
import { RecordingReader } from '../replay/recording-reader.ts';
import type { RecordedAgentFacts } from '../replay/entries.ts';
import { type ReplayOutcome, replayAgent } from '../replay/replayed-agent.ts';
import { envelopeText } from '../replay/trace.ts';
import { decodeValue } from '../replay/values.ts';
import { version } from '../version.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { PacketWords } from './replay-packets.ts';
import type { Terminal } from './terminal.ts';

export const replayUsage = `Usage: mqlet replay FILE [flags]

Runs the agent of a recording (mqlet run --record-all FILE) again from the recording alone and prints what its pods went through.
Exit code 0: every call and every message was the same; 1: something differed, and the first difference is told.

      --messages               print every message on the bus, not only what pods went through
      --speed N                N times as fast as it was; without it as fast as possible
      --until SECONDS          stop so many seconds after the recording began
      --until-entry N          stop before entry N

Of a recording of MQTT packets (mqlet run --record FILE, mqlet record, mosquitto_sub -F %j):

      --publish URL            publish its packets to a broker, at their own rhythm or --speed N; --speed 0 does not wait
      --export                 print its packets as mosquitto_sub -F %j does
      --topic FILTER           only these topics
      --direction up|down      only what the recorder sent, or what it received

  -h, --help                   this text
`;

interface Words {
  readonly file: string;
  readonly messages: boolean;
  readonly speed: number | undefined;
  readonly untilMs: number;
  readonly untilEntry: number;
  /** What to do with packets, where that is asked for. */
  readonly packets: (PacketWords & { readonly publish: string | undefined }) | undefined;
}

/** @returns the exit code */
export async function runReplay(argv: readonly string[], terminal: Terminal): Promise<number> {
  const words = readWords(argv);
  if (words === 'help') {
    terminal.print(replayUsage);
    return 0;
  }
  if (words.packets !== undefined) {
    const { exportPackets, publishPackets } = await import('./replay-packets.ts');
    const { publish, ...packets } = words.packets;
    return publish === undefined ? exportPackets(packets, terminal) : publishPackets(packets, publish, terminal);
  }
  const opened = RecordingReader.open(words.file);
  if (!opened.ok) throw new Refusal(`${words.file}${opened.fault.line === 0 ? '' : `:${opened.fault.line}`}: ${opened.fault.message}`);
  const reader = opened.value;
  const { agent, made } = reader.header;
  if (reader.header.kind !== 'all' || agent === undefined) {
    throw new Refusal(`${words.file}: it holds MQTT packets only: --publish URL or --export; a recording of everything is made with mqlet run --record-all`);
  }
  if (made !== version) terminal.complain(`mqlet replay: recorded by mqlet ${made}, replayed by ${version}: it goes as far as they mean the same`);
  const outcome = await replay(reader, agent, words, terminal);
  return tell(outcome, reader, words, terminal);
}

async function replay(reader: RecordingReader, facts: RecordedAgentFacts, words: Words, terminal: Terminal): Promise<ReplayOutcome> {
  // The header's settings are those of the agent that was recorded; another version's may lack some, which the first difference tells.
  const settings = decodeValue(facts.settings, () => () => undefined) as Omit<AgentSettings, 'escalate'>;
  let startMs: number | undefined;
  let lastMs = 0;
  return replayAgent({
    entries: reader.entries(), settings, log: silent, dialect: dialectOf(facts, { nodeName: settings.node.nodeName, made: reader.header.made }), has: facts.has,
    settled: () => new Promise((resolve) => setImmediate(resolve)),
    started: (agent: Agent) => void agent.bus.tap((envelope) => show(envelope, words, terminal)),
    before: async (entry, ms) => {
      if (entry > 1) startMs ??= ms;
      const sinceMs = ms - (startMs ?? ms);
      if (words.speed !== undefined && sinceMs > lastMs) await delay((sinceMs - lastMs) / words.speed);
      lastMs = sinceMs;
      return sinceMs <= words.untilMs && entry < words.untilEntry;
    },
  });
}

function dialectOf({ dialect }: RecordedAgentFacts, { nodeName, made }: { readonly nodeName: string; readonly made: string }): Dialect | ReportingDialect | undefined {
  if (dialect === undefined) return undefined;
  // The recording does not hold the heartbeat's interval: another than the default shows as a difference.
  if (dialect.name === 'kole') return koleDialect({ nodeName, reportPeriodMs: 120_000 });
  if (dialect.name === 'mqlet') return mqletDialect({ rootTopic: dialect.rootTopic, nodeName, software: `mqlet ${made}` });
  if (dialect.name !== 'lite') throw new Refusal(`the recorded agent spoke the dialect ${dialect.name}, which cannot be replayed yet`);
  return liteDialect({ rootTopic: dialect.rootTopic, nodeName });
}

function show(envelope: AnyEnvelope, { messages }: Words, { print }: Terminal): void {
  const at = rfc3339Seconds(envelope.at);
  if (messages) return print(`${at} ${envelopeText(envelope)}\n`);
  const { topic, payload } = envelope;
  if (topic === 'pod.transitioned') print(`${at} ${payload.pod.namespace}/${payload.pod.name}: ${payload.from} → ${payload.to} (${payload.on})\n`);
  if (topic === 'pod.planned') print(`${at} ${payload.pod.namespace}/${payload.pod.name}: ${payload.steps.join(', ')}\n`);
  if (topic === 'event.noted') print(`${at} ${payload.subject.kind === 'Pod' ? `${payload.subject.pod.namespace}/${payload.subject.pod.name}` : 'node'}: ${payload.type} ${payload.reason}: ${payload.message}\n`);
  if (topic === 'mqtt.link') print(`${at} link: ${payload.state}${payload.reason === '' ? '' : ` (${payload.reason})`}\n`);
}

function tell({ inputs, messages, sum, divergence }: ReplayOutcome, reader: RecordingReader, { file }: Words, terminal: Terminal): number {
  if (divergence !== undefined) {
    terminal.complain(`mqlet replay: entry ${divergence.seq} differs\n  recorded: ${divergence.recorded}\n  now:      ${divergence.now}`);
    return 1;
  }
  if (reader.fault !== undefined) throw new Refusal(`${file}:${reader.fault.line}: ${reader.fault.message}; up to there all was the same`);
  terminal.print(`replayed ${inputs} inputs and ${messages} messages: the same (${sum})\n`);
  return 0;
}

function readWords(argv: readonly string[]): Words | 'help' {
  const options = {
    messages: { type: 'boolean' }, speed: { type: 'string' }, until: { type: 'string' }, 'until-entry': { type: 'string' }, publish: { type: 'string' },
    export: { type: 'boolean' }, topic: { type: 'string' }, direction: { type: 'string' }, help: { type: 'boolean', short: 'h' },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw wrongUsage(`${(error instanceof Error ? error.message : String(error)).split(/\.\s/)[0]} (see mqlet replay --help)`);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw wrongUsage('mqlet replay needs one recording: mqlet replay FILE');
  const { publish, direction } = values;
  if (direction !== undefined && direction !== 'up' && direction !== 'down') throw wrongUsage(`--direction must be up or down, not "${direction}"`);
  const packetSpeed = values.speed === undefined ? 1 : values.speed === '0' ? undefined : positive(values.speed, '--speed');
  const ofPackets = publish !== undefined || values.export === true;
  return {
    file,
    packets: ofPackets ? { file, publish, direction, topic: values.topic, speed: packetSpeed } : undefined,
    messages: values.messages ?? false,
    speed: ofPackets || values.speed === undefined ? undefined : positive(values.speed, '--speed'),
    untilMs: values.until === undefined ? Number.POSITIVE_INFINITY : positive(values.until, '--until') * 1_000,
    untilEntry: values['until-entry'] === undefined ? Number.POSITIVE_INFINITY : positive(values['until-entry'], '--until-entry'),
  };
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw wrongUsage(`${flag} must be a number above 0, not "${text}"`);
}

const silent: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
