// Makes the history that the inspector shows from a recording: by running the recorded agent again, or from a window of another inspector.
import { basename } from 'node:path';
import { SystemClock } from '../adapters/system-clock.ts';
import type { AgentSettings } from '../agent/agent-world.ts';
import { inspectionOf } from '../daemon/inspector.ts';
import type { Inspection } from '../inspector/inspection.ts';
import { isWindow, windowFeed } from '../inspector/window-feed.ts';
import { machines } from '../machines/machines.ts';
import { watchFailures } from '../replay/agent-failures.ts';
import { deskSettings, recordedSoftware } from '../replay/desk-settings.ts';
import { linesIn, openRecording, textOfLine } from '../replay/recording-lines.ts';
import { RecordingReader } from '../replay/recording-reader.ts';
import { replayAgent } from '../replay/replayed-agent.ts';
import { replayPackets } from '../replay/replayed-packets.ts';
import { SecretMask } from '../replay/secret-mask.ts';
import { silentLog } from '../replay/silent-log.ts';
import { spokenWire } from '../replay/spoken-wire.ts';
import { TrafficReader } from '../replay/traffic.ts';
import { collectTraffic, transcriptOf } from '../replay/transcript.ts';
import { decodeValue } from '../replay/values.ts';
import { version } from '../version.ts';
import { Refusal } from './refusal.ts';
import { dialectOf } from './replay.ts';
import { faultText, refusal } from './replay-fault.ts';
import type { Terminal } from './terminal.ts';

/** Steps of a replay between two lines of progress. */
const progressEvery = 20_000;

export interface InspectedRecording {
  readonly inspection: Inspection;
  /** What the reader has to know of it; empty where all is well. */
  readonly remark: string;
}

/** @throws Refusal with the file and the line where it is no recording */
export async function inspectRecording(file: string, terminal: Terminal): Promise<InspectedRecording> {
  const opened = await openRecording(file);
  if (!opened.ok) throw refusal(file, opened.fault);
  const lines = textsIn(opened.value.descriptor);
  const first = lines.next();
  if (first.done !== true && isWindow(first.value)) return inspectWindow(file, first.value, lines);
  lines.return(undefined);
  const holds = await TrafficReader.open(file);
  if (!holds.ok) throw refusal(file, holds.fault);
  holds.value.close();
  return holds.value.header?.kind === 'all' ? inspectEverything(file, terminal) : inspectPackets(file);
}

function inspectionFor(file: string, node: string, made: string): Inspection {
  return inspectionOf({ clock: new SystemClock(), node, version: made, mode: 'recording', file: basename(file) });
}

async function inspectEverything(file: string, terminal: Terminal): Promise<InspectedRecording> {
  const opened = await RecordingReader.open(file);
  if (!opened.ok) throw refusal(file, opened.fault);
  const reader = opened.value;
  const { agent: facts, made } = reader.header;
  if (facts === undefined) throw new Refusal(`${file}:1: the header says nothing of the agent`);
  // The header's settings are those of the agent that was recorded; another version's may lack some, which the first difference tells.
  const settings = decodeValue(facts.settings, () => () => undefined) as Omit<AgentSettings, 'escalate'>;
  const nodeName = String(settings.node?.nodeName);
  const inspection = inspectionFor(file, nodeName, made);
  const failures = watchFailures();
  const outcome = await replayAgent({
    entries: reader.entries(), settings, log: silentLog, has: facts.has, dialect: dialectOf(facts, { nodeName, made }), observe: inspection.observe, failure: () => failures.first(),
    settled: () => new Promise((resolve) => setImmediate(resolve)),
    before: ({ seq }) => {
      if (seq > 0 && seq % progressEvery === 0) terminal.complain(`${file}: ${seq} entries read`);
      return true;
    },
  }).catch((error: unknown) => { throw new Refusal(`${file}: this version fails on it: ${error instanceof Error ? error.message : String(error)}`); })
    .finally(() => failures.off());
  inspection.feed.catchUp();
  const { divergence } = outcome;
  const differs = divergence === undefined ? '' : `entry ${divergence.seq}, line ${divergence.line} differs from what this version does; what follows it may not be what was`;
  return { inspection, remark: reader.fault === undefined ? differs : `${faultText(file, reader.fault)}; what is before it is shown` };
}

async function inspectPackets(file: string): Promise<InspectedRecording> {
  const opened = await TrafficReader.open(file);
  if (!opened.ok) throw refusal(file, opened.fault);
  const reader = opened.value;
  const traffic = collectTraffic(reader.entries());
  if (!traffic.ok) throw refusal(file, traffic.fault);
  const packets = traffic.value.flatMap((entry) => (entry.kind === 'packet' ? [entry.packet] : []));
  const wire = spokenWire(packets, reader.header, { dialect: undefined, nodeName: undefined, rootTopic: undefined });
  if (!wire.ok) throw new Refusal(`${file}: ${wire.fault}`);
  const transcript = transcriptOf(traffic.value, wire.value);
  if (!transcript.ok) throw refusal(file, transcript.fault);
  const made = reader.header?.made ?? version;
  const { nodeName } = wire.value;
  const inspection = inspectionFor(file, nodeName, made);
  const settings = deskSettings({ nodeName, transcript: transcript.value, header: reader.header }, { version });
  await replayPackets({
    transcript: transcript.value, wire: wire.value, settings, software: recordedSoftware(transcript.value) ?? `mqlet ${made}`, seed: '1', log: silentLog,
    observe: inspection.observe, escalate: (message) => { throw new Refusal(`${file}: this version fails on it: ${message}`); },
  });
  inspection.feed.catchUp();
  const assumed = 'packets only: the runtime is simulated, so that what pods did there is a guess';
  return { inspection, remark: reader.fault === undefined ? assumed : `${faultText(file, reader.fault)}; what is before it is shown` };
}

/** @throws for a line that is too long */
function* textsIn(descriptor: number): Generator<string, undefined> {
  for (const line of linesIn(descriptor)) {
    const text = textOfLine(line);
    yield text.ok ? text.value : '\ufffd';
  }
  return undefined;
}

function* withFirst(first: string, rest: Iterable<string>): Generator<string> {
  yield first;
  yield* rest;
}

function inspectWindow(file: string, first: string, rest: Iterable<string>): InspectedRecording {
  const read = windowFeed(withFirst(first, rest), new SecretMask());
  if (!read.ok) throw new Refusal(`${file}:${read.fault.line}: ${read.fault.message}`);
  const { feed, header } = read.value;
  const inspection = inspectionFor(file, header.node, header.version);
  inspection.take(feed, machines);
  return { inspection, remark: '' };
}
