// Simulated nodes whose MQTT traffic is recorded, and `mqlet replay` of it as a user has it, in this process.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Agent, startAgent } from '../../src/agent.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import { agentFacts, AgentRecording } from '../../src/replay/agent-recording.ts';
import { packetHeader } from '../../src/replay/packet-recording.ts';
import { linkLine, packetLine } from '../../src/replay/packets.ts';
import { startRecordedAgent } from '../../src/replay/recorded-agent.ts';
import { recordingMqtt } from '../../src/replay/recording-mqtt.ts';
import { version } from '../../src/version.ts';
import { calmOptions, type SimOptions } from '../sim/options.ts';
import { rootTopic, World, type WorldTweaks } from '../sim/world.ts';

export interface RecordedWorld {
  readonly world: World;
  /** By the agent itself: its header, packets of both directions, its link. */
  readonly own: readonly string[];
  /** By somebody who listens to everything on the broker. */
  readonly beside: readonly string[];
}

/** A world in which nothing happens by itself, recorded from the first moment on; the daemon is not started. */
export async function recordedWorld(seed: string, part: Partial<SimOptions> = {}, tweaks: WorldTweaks = {}): Promise<RecordedWorld> {
  const own: string[] = [];
  const beside: string[] = [];
  const world = new World({ ...calmOptions(seed), ...part }, {
    ...tweaks,
    start: (ports, settings) => {
      const dialect = ports.mqtt === undefined ? undefined : { name: ports.mqtt.dialect.name, rootTopic };
      own.push(packetHeader({ made: version, at: '2026-01-01T00:00:00Z', masksSecrets: true, agent: agentFacts(settings, [], dialect) }));
      const mqtt = ports.mqtt && { ...ports.mqtt, port: recordingMqtt(ports.mqtt.port, ports.clock, (line) => own.push(line)) };
      return startAgent({ ...ports, ...(mqtt === undefined ? {} : { mqtt }) }, settings);
    },
  });
  await listenBeside(world, world.broker.port({ clientId: 'beside' }), beside);
  return { world, own, beside };
}

async function listenBeside({ clock }: World, port: MqttPort, lines: string[]): Promise<void> {
  lines.push(packetHeader({ made: version, at: '2026-01-01T00:00:00Z', masksSecrets: false }));
  let listens = false;
  void port.connect({
    message: (packet) => void lines.push(packetLine({ atMs: clock.nowMs(), direction: 'down', packet })),
    closed: ({ message }) => void lines.push(linkLine(clock.nowMs(), 'down', message)),
  }).then(async () => {
    await port.subscribe('#', 1);
    listens = true;
  });
  await clock.runUntil(() => listens, { limitMs: 5_000 });
}

/** The lines of a recording of everything, made while the world lives. */
export async function recordedEverything(seed: string, part: Partial<SimOptions>, live: (world: World) => Promise<void>): Promise<readonly string[]> {
  const lines: string[] = [];
  const sink = { writeLine: (line: string) => void lines.push(line), flush: () => undefined };
  const options = { ...calmOptions(seed), ...part };
  const world = new World(options, {
    start: (ports, settings): Agent => {
      const deps = { sink, made: version, at: '2026-01-01T00:00:00Z', dialect: { name: options.dialect, rootTopic }, masksSecrets: true };
      const recording = new AgentRecording(deps, ports, settings);
      const agent = startRecordedAgent({
        ports, settings, start: startAgent, write: recording.write, traceText: recording.traceText, started: (made) => recording.watch(made),
        defer: (run) => void ports.clock.setTimeout(run, 0),
      });
      return { ...agent, stop: async () => {
        await agent.stop();
        recording.flush();
      } };
    },
  });
  await live(world);
  return lines;
}

export interface ReplayedCommand {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param recording its bytes, or its lines @param typed what the user types, line by line */
export async function replayCommand(recording: Uint8Array | readonly string[], flags: readonly string[] = [], typed: readonly string[] = []): Promise<ReplayedCommand> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-test-replay-'));
  const file = path.join(directory, 'recording.jsonl');
  writeFileSync(file, recording instanceof Uint8Array ? recording : `${recording.join('\n')}\n`);
  const output = { stdout: '', stderr: '' };
  try {
    const code = await runCommand(['replay', file, ...flags], {
      print: (text) => { output.stdout += text; },
      complain: (line) => { output.stderr += `${line}\n`.replaceAll(`${directory}/`, ''); },
      environment: {}, readFile: () => new Uint8Array(), readStandardInput: () => Promise.resolve(''),
      readLines: async function* () { yield* typed; },
      nowMs: () => 0,
    });
    return { code, ...output };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
