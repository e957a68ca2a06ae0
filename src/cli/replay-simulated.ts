// `mqlet replay FILE` of packets: the agent against a simulated runtime, with the recorded cloud at the other end.
import { setTimeout as delay } from 'node:timers/promises';
import type { VirtualClock } from '../adapters/sim/virtual-clock.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import { watchFailures } from '../replay/agent-failures.ts';
import { compareTold, passingMs } from '../replay/differences.ts';
import { deskSettings, recordedSoftware } from '../replay/desk-settings.ts';
import { type PacketReplayOutcome, replayPackets } from '../replay/replayed-packets.ts';
import { spokenWire } from '../replay/spoken-wire.ts';
import { ToldObjects } from '../replay/told-objects.ts';
import { type TrafficEntry, TrafficReader } from '../replay/traffic.ts';
import { collectTraffic, type Step, type Transcript, transcriptOf } from '../replay/transcript.ts';
import type { Wire } from '../replay/wire/wire.ts';
import { silentLog } from '../replay/silent-log.ts';
import { version } from '../version.ts';
import { Pace } from './pace.ts';
import { Refusal } from './refusal.ts';
import { faultText, refusal } from './replay-fault.ts';
import { showDifferences, showMessage } from './replay-show.ts';
import type { ReplayWords } from './replay-words.ts';
import type { Terminal } from './terminal.ts';

/** Real time between two slices of virtual time, where a speed is asked for. */
const sliceMs = 50;

/** @returns the exit code */
export async function replaySimulated(words: ReplayWords, terminal: Terminal): Promise<number> {
  const opened = await TrafficReader.open(words.file);
  if (!opened.ok) throw refusal(words.file, opened.fault);
  const reader = opened.value;
  const traffic = collectTraffic(reader.entries());
  if (!traffic.ok) throw refusal(words.file, traffic.fault);
  if (reader.fault !== undefined && traffic.value.length === 0) throw refusal(words.file, reader.fault);
  if (reader.fault !== undefined) terminal.complain(`mqlet replay: ${faultText(words.file, reader.fault)}; what is before it is replayed`);
  const wire = spokenWire(packetsIn(traffic.value), reader.header, { dialect: words.dialect, nodeName: words.node, rootTopic: words.rootTopic });
  if (!wire.ok) throw new Refusal(`${words.file}: ${wire.fault}`);
  const transcript = transcriptOf(traffic.value, wire.value);
  if (!transcript.ok) throw refusal(words.file, transcript.fault);
  const made = reader.header?.made;
  if (made !== undefined && made !== version) terminal.complain(`mqlet replay: recorded by mqlet ${made}, replayed by ${version}`);
  const settings = deskSettings({ nodeName: wire.value.nodeName, transcript: transcript.value, header: reader.header }, { version });
  const software = recordedSoftware(transcript.value) ?? `mqlet ${made ?? version}`;
  const outcome = await run(words, { terminal, transcript: transcript.value, wire: wire.value, settings, software });
  const code = tell(words, outcome, { terminal, transcript: transcript.value, wire: wire.value });
  return reader.fault === undefined ? code : 1;
}

interface Scene {
  readonly terminal: Terminal;
  readonly transcript: Transcript;
  readonly wire: Wire;
}

async function run(words: ReplayWords, scene: Scene & { readonly settings: ReturnType<typeof deskSettings>; readonly software: string }): Promise<PacketReplayOutcome> {
  const { terminal, transcript } = scene;
  const pace = new Pace({ ...words, speed: undefined }, terminal);
  const failures = watchFailures();
  const { speed } = words;
  try {
    return await replayPackets({
      ...scene, seed: words.seed, log: silentLog, escalate: (message) => failures.note(message),
      started: (agent) => void agent.bus.tap((envelope) => showMessage(envelope, words, terminal)),
      before: (step) => {
        const failure = failures.first();
        if (failure !== undefined) throw new Refusal(`${words.file}:${step.line}: this version fails before it: ${failure}`);
        return pace.goesOn({ ...step, wallMs: transcript.startMs + step.sinceMs, what: stepText(step) });
      },
      ...(speed === undefined ? {} : { pass: (clock: VirtualClock, byMs: number) => passSlowly(clock, byMs, speed) }),
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${words.file}: this version fails on it: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    failures.off();
    await pace.close();
  }
}

async function passSlowly(clock: VirtualClock, byMs: number, speed: number): Promise<void> {
  for (let leftMs = byMs; leftMs > 0;) {
    const nextMs = Math.min(leftMs, sliceMs * speed);
    await delay(nextMs / speed);
    await clock.advance(nextMs);
    leftMs -= nextMs;
  }
  await clock.settle();
}

function tell({ diff }: ReplayWords, { steps, told, packets, unanswered }: PacketReplayOutcome, { terminal, transcript, wire }: Scene): number {
  const down = steps.filter(({ kind }) => kind === 'pushed' || kind === 'answered').length;
  terminal.print(`replayed ${steps.length} of ${transcript.steps.length} entries for ${wire.nodeName} (${wire.name}): ${down} packets came down, ${packets} were published\n`);
  if (transcript.unasked > 0) terminal.print(`${transcript.unasked} answers are to requests from before the recording\n`);
  const requests = [...unanswered].map(([request, count]) => `${request}${count > 1 ? ` (${count} times)` : ''}`);
  if (requests.length > 0) terminal.print(`without an answer in the recording: ${requests.join(', ')}\n`);
  if (!diff) return 0;
  const recorded = new ToldObjects(wire.name);
  for (const step of steps) if (step.kind === 'told') for (const said of step.facts.said) recorded.tell(said, step);
  const { objects, states, passing, differences } = compareTold(recorded, told);
  if (passing > 0) terminal.print(`${passing} states were passed in less than ${passingMs / 1_000} s by one of the two runs only\n`);
  return showDifferences(differences, `no difference: ${objects} objects, ${states} states`, terminal);
}

function stepText(step: Step): string {
  switch (step.kind) {
    case 'pushed': return `down ${step.packet.topic}, ${step.packet.payload.byteLength} bytes`;
    case 'answered': return 'an answer';
    case 'told': return step.facts.request !== '' ? `recorded: ${step.facts.request}` : `recorded: ${step.facts.said.map(({ object }) => object).join(', ') || 'a sign of life'}`;
    case 'link': return `link: ${step.state}${step.reason === '' ? '' : ` (${step.reason})`}`;
    case 'other': return 'a packet of others';
    default: return step satisfies never;
  }
}

function* packetsIn(entries: readonly TrafficEntry[]): Generator<MqttPacket> {
  for (const entry of entries) if (entry.kind === 'packet') yield entry.packet;
}
