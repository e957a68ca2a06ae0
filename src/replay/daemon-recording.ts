// What `mqlet run --record` and `--record-all` add to the daemon: the agent is started with a recorder around its ports. Loaded only then.
import { RecordingFile } from '../adapters/recording-file.ts';
import { type Packing, RotatingRecording } from '../adapters/rotating-recording.ts';
import type { Agent } from '../agent.ts';
import type { AgentPorts, AgentSettings } from '../agent/agent-world.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { agentFacts, AgentRecording } from './agent-recording.ts';
import type { RecordedAgentFacts } from './entries.ts';
import { packetHeader, PacketRecording } from './packet-recording.ts';
import { startRecordedAgent } from './recorded-agent.ts';
import { recordingMqtt } from './recording-mqtt.ts';

/** A replay needs a recording of everything from its first line on, so that it is not rotated: it ends here. */
const recordingBytesMax = 1024 * 1024 * 1024;

export type StartAgent = (ports: AgentPorts, settings: AgentSettings) => Agent;

export interface DaemonRecordingOptions {
  /** File of packets; empty: none. */
  readonly record: string;
  /** File of everything; empty: none. */
  readonly recordAll: string;
  readonly masksSecrets: boolean;
  readonly packetBytesMax: number;
  readonly packetAgeMaxMs: number;
  readonly packetFilesMax: number;
  readonly packsFiles: Packing;
  readonly version: string;
  readonly dialect: RecordedAgentFacts['dialect'];
}

type Deps = Pick<AgentPorts, 'clock' | 'log'> & { readonly settings: AgentSettings };

/** @returns `start` with recorders around it; a line for the user where a file cannot be made */
export function recordedStart(start: StartAgent, options: DaemonRecordingOptions, deps: Deps): Result<StartAgent, string> {
  let recorded = start;
  if (options.record !== '') {
    const packets = recordPackets(recorded, options, deps);
    if (!packets.ok) return fail(`--record: ${packets.fault}`);
    recorded = packets.value;
  }
  if (options.recordAll !== '') {
    const all = recordAll(recorded, options, deps);
    if (!all.ok) return fail(`--record-all: ${all.fault}`);
    recorded = all.value;
  }
  return ok(recorded);
}

function recordPackets(start: StartAgent, options: DaemonRecordingOptions, { clock, log, settings: recorded }: Deps): Result<StartAgent, string> {
  const { record: path, masksSecrets, version: made } = options;
  const file = RotatingRecording.open({
    path, clock, header: packetHeader({ made, at: rfc3339Seconds(clock.nowMs()), masksSecrets, agent: agentFacts(recorded, [], options.dialect) }), bytesMax: options.packetBytesMax,
    ageMaxMs: options.packetAgeMaxMs, olderMax: options.packetFilesMax, packs: options.packsFiles, ended: (why) => log.error('recording.ended', { path, why }),
  });
  if (!file.ok) return file;
  return ok((ports, settings) => {
    const recording = new PacketRecording({ sink: file.value, masksSecrets, defer: (run) => void setImmediate(run) });
    const mqtt = ports.mqtt && { ...ports.mqtt, port: recordingMqtt(ports.mqtt.port, ports.clock, recording.write) };
    const agent = start({ ...ports, ...(mqtt === undefined ? {} : { mqtt }) }, settings);
    recording.watch(agent);
    log.info('recording.started', { path, what: 'packets', secrets: masksSecrets ? 'masked' : 'recorded' });
    return withEnd(agent, async () => {
      recording.flush();
      await file.value.close();
    });
  });
}

function recordAll(start: StartAgent, { recordAll: path, masksSecrets, version, dialect }: DaemonRecordingOptions, { clock, log }: Deps): Result<StartAgent, string> {
  const file = RecordingFile.create({ path, bytesMax: recordingBytesMax, ended: (why) => log.error('recording.ended', { path, why }) });
  if (!file.ok) return file;
  return ok(({ streams: _streams, ...ports }, settings) => {
    // What runs inside a stream cannot be run again: a node that records everything has none.
    const recording = new AgentRecording({ sink: file.value, made: version, at: rfc3339Seconds(clock.nowMs()), dialect, masksSecrets }, ports, settings);
    const agent = startRecordedAgent({
      ports, settings, start, started: (made) => recording.watch(made), traceText: recording.traceText,
      defer: (run) => void setImmediate(run),
      write: recording.write,
    });
    log.info('recording.started', { path, what: 'everything', secrets: masksSecrets ? 'masked' : 'recorded' });
    return withEnd(agent, () => {
      recording.flush();
      file.value.close();
      return Promise.resolve();
    });
  });
}

function withEnd(agent: Agent, end: () => Promise<void>): Agent {
  return {
    ...agent,
    stop: async () => {
      await agent.stop();
      await end();
    },
  };
}
