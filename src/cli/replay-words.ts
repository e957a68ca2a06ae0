// The words of `mqlet replay`, read once, and its help.
import { parseArgs } from 'node:util';
import { duration } from '../config/kinds.ts';
import { parseRfc3339 } from '../ports/rfc3339.ts';
import type { WireName } from '../replay/wire/wire.ts';
import { wrongUsage } from './refusal.ts';

export const replayUsage = `Usage: mqlet replay FILE [flags]

Runs a recorded agent again and prints what its pods go through. A recording of everything (mqlet run --record-all) is run from the
recording alone, and must do the same again. A recording of packets (mqlet run --record, mqlet record, mosquitto_sub -F %j, a capture
of plain MQTT by tcpdump) is run against a simulated runtime: what came down comes down again, and the agent answers. FILE may be
packed with gzip, or with zstd where Node.js knows it.
Exit code 0: all was the same, or nothing was compared; 1: something differed, or the recording cannot be read.

      --diff                   compare what is published now with what was recorded, by object and field
      --messages               print every message on the bus, not only what pods go through
      --speed N                N times as fast as it was; without it as fast as possible
      --until TIME             stop so long after the recording began (90, 1m30s), at a time (2026-01-31T12:00:00Z),
                               or before an entry (#120)
      --step                   one entry after the other: Enter goes on, a number so many entries, c to the end, q ends

Of a recording of packets:

      --node NAME              the node, where several are in it
      --dialect NAME           lite, mqlet or kole; and
      --root-topic TOPIC       its root, where the topics do not tell
      --seed TEXT              of the simulated runtime. Default: 1
      --simulated              take a recording of everything for one of packets

Instead of running an agent:

      --publish URL            publish the packets to a broker, at their own rhythm or --speed N; --speed 0 does not wait
      --export                 print them as mosquitto_sub -F %j does
      --topic FILTER           only these topics
      --direction up|down      only what the recorder sent, or what it received

  -h, --help                   this text
`;

/** Where a replay ends; what is absent is no end. */
export interface Until {
  readonly sinceMs?: number;
  readonly wallMs?: number;
  readonly entry?: number;
}

export interface ReplayWords {
  readonly file: string;
  readonly messages: boolean;
  readonly diff: boolean;
  readonly step: boolean;
  readonly simulated: boolean;
  /** undefined: as fast as possible. */
  readonly speed: number | undefined;
  readonly until: Until;
  readonly seed: string;
  readonly node: string | undefined;
  readonly dialect: WireName | undefined;
  readonly rootTopic: string | undefined;
}

/** What to do with the packets of a recording, without an agent. */
export interface PacketWords {
  readonly file: string;
  /** 1 is the original rhythm; undefined is as fast as possible. */
  readonly speed: number | undefined;
  readonly topic: string | undefined;
  readonly direction: 'up' | 'down' | undefined;
  /** Absent: they are printed. */
  readonly publish: string | undefined;
}

const options = {
  messages: { type: 'boolean' }, diff: { type: 'boolean' }, step: { type: 'boolean' }, simulated: { type: 'boolean' }, speed: { type: 'string' },
  until: { type: 'string' }, 'until-entry': { type: 'string' }, seed: { type: 'string' }, node: { type: 'string' }, dialect: { type: 'string' }, 'root-topic': { type: 'string' },
  publish: { type: 'string' }, export: { type: 'boolean' }, topic: { type: 'string' }, direction: { type: 'string' }, help: { type: 'boolean', short: 'h' },
} as const;

export type ReplayTask = { readonly kind: 'help' } | ({ readonly kind: 'packets' } & PacketWords) | ({ readonly kind: 'agent' } & ReplayWords);

/** @throws Refusal for what cannot be meant */
export function readReplayWords(argv: readonly string[]): ReplayTask {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw wrongUsage(`${(error instanceof Error ? error.message : String(error)).split(/\.\s/)[0]} (see mqlet replay --help)`);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw wrongUsage('mqlet replay needs one recording: mqlet replay FILE');
  const { publish, direction, topic, dialect, speed } = values;
  if (direction !== undefined && direction !== 'up' && direction !== 'down') throw wrongUsage(`--direction must be up or down, not "${direction}"`);
  if (publish !== undefined || values.export === true) {
    return { kind: 'packets', file, publish, direction, topic, speed: speed === '0' ? undefined : positive(speed ?? '1', '--speed') };
  }
  if (topic !== undefined || direction !== undefined) throw wrongUsage('--topic and --direction choose packets of --publish and --export');
  if (dialect !== undefined && !isWireName(dialect)) throw wrongUsage(`--dialect must be lite, mqlet or kole, not "${dialect}"`);
  return {
    kind: 'agent', file, messages: values.messages ?? false, diff: values.diff ?? false, step: values.step ?? false, simulated: values.simulated ?? false,
    speed: speed === undefined ? undefined : positive(speed, '--speed'),
    until: { ...untilOf(values.until), ...(values['until-entry'] === undefined ? {} : { entry: positive(values['until-entry'], '--until-entry') }) },
    seed: values.seed ?? '1', node: values.node, dialect, rootTopic: values['root-topic'],
  };
}

function isWireName(text: string): text is WireName {
  return text === 'lite' || text === 'mqlet' || text === 'kole';
}

function untilOf(text: string | undefined): Until {
  if (text === undefined) return {};
  if (text.startsWith('#')) return { entry: positive(text.slice(1), '--until #') };
  const wallMs = parseRfc3339(text);
  if (wallMs !== undefined) return { wallMs };
  const since = duration({ zero: 'refused' }).fromText(/^[\d.]+$/.test(text) ? `${text}s` : text);
  if (since.ok) return { sinceMs: since.value };
  throw wrongUsage(`--until must be a duration (90, 1m30s), a time (2026-01-31T12:00:00Z) or an entry (#120), not "${text}"`);
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw wrongUsage(`${flag} must be a number above 0, not "${text}"`);
}
