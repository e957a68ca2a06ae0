// A cloud side and a node with nothing but streams between them, on virtual time and a simulated broker.
import { startStreamDoor } from '../../src/agent/stream-door.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { SimPipes } from '../../src/adapters/sim/sim-pipes.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { NodeLogReader } from '../../src/adapters/node-log-reader.ts';
import { CloudStreams } from '../../src/bridge/cloud-streams.ts';
import { StreamGate } from '../../src/bus/streams/stream-gate.ts';
import type { NodeView, PodView } from '../../src/actors/node-view.ts';
import type { ClockPort } from '../../src/ports/clock-port.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import type { ExecRequest, NodeStream, StreamRequest } from '../../src/ports/node-streams-port.ts';
import type { ContainerId, PodStatus } from '../../src/ports/pod-types.ts';
import type { RandomPort } from '../../src/ports/random-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import type { RuntimePort } from '../../src/ports/runtime-port.ts';
import { nodeSettings } from './node-settings.ts';
import { aPod } from './pods.ts';
import { silentLog } from './silent-log.ts';

export const streamNode = 'edge-07';
export const containerId = 'c0ffee' as ContainerId; // What the status of the world's pod says.

export interface StreamWorld extends StreamEnds {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly broker: SimBroker;
  open(request: StreamRequest): Promise<NodeStream>;
  exec(command: readonly string[], options?: Partial<ExecRequest>): Promise<NodeStream>;
}

export interface StreamWorldOptions {
  readonly seed?: number;
  /** Around the node's connection. */
  readonly nodePort?: (port: MqttPort, clock: VirtualClock) => MqttPort;
}

export async function startStreamWorld({ seed = 1, nodePort = (port) => port }: StreamWorldOptions = {}): Promise<StreamWorld> {
  // Virtual time does not wait for a module that is read from the disk.
  await import('../../src/actors/streams/node-streams.ts');
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const broker = new SimBroker({ clock, random });
  const ends = startStreamEnds({ clock, random, nodePort: nodePort(broker.port({ clientId: streamNode }), clock), cloudPort: broker.port({ clientId: 'cloud' }), reconnectMs: 500 });
  await clock.advance(100);
  const open = async (request: StreamRequest): Promise<NodeStream> => {
    const opened = await during(clock, ends.cloud.open(streamNode, request));
    if (!opened.ok) throw new Error(`${opened.fault.code}: ${opened.fault.message}`);
    return opened.value;
  };
  return { ...ends, clock, random, broker, open, exec: (command, options = {}) => open(execRequest(command, options)) };
}

export function execRequest(command: readonly string[], options: Partial<ExecRequest> = {}): ExecRequest {
  return { kind: 'exec', namespace: 'default', pod: 'web', container: 'app', command, stdin: false, stdout: true, stderr: false, tty: false, ...options };
}

export interface StreamEnds extends Stoppable {
  readonly pipes: SimPipes;
  readonly cloud: CloudStreams;
  readonly nodeGate: StreamGate;
  readonly cloudGate: StreamGate;
}

/** Both ends on connections of whatever broker, which are made again when they break. */
export function startStreamEnds({ clock, random, nodePort, cloudPort, reconnectMs }: {
  readonly clock: ClockPort; readonly random: RandomPort; readonly nodePort: MqttPort; readonly cloudPort: MqttPort; readonly reconnectMs: number;
}): StreamEnds {
  const pipes = new SimPipes();
  pipes.running.add(containerId);
  const nodeGate = new StreamGate(nodePort, clock);
  const cloudGate = new StreamGate(cloudPort, clock);
  const rootTopic = 'fleet';
  const door = startStreamDoor({
    gate: nodeGate, rootTopic, nodeName: streamNode, limits: { idleMs: 4 * 3_600_000, looksInside: true }, clock, log: silentLog, view: viewOf([podView()]), settings: nodeSettings,
    // Of the runtime nothing is asked in these worlds; ports go to pods that are found by their sandboxes.
    runtime: { listSandboxes: async () => ({ ok: true, value: [{ id: containerId, state: 'ready' }] }) } as unknown as RuntimePort,
    files: new NodeFiles(), world: async () => ({ pipes, logs: new NodeLogReader(), usage: { measure: async () => ({ atMs: clock.nowMs() }) } }),
  });
  const cloud = new CloudStreams({ gate: cloudGate, clock, random, log: silentLog, rootTopic, publish: (packet) => cloudGate.publish(packet), online: () => true });
  let stopped = false;
  const keepConnected = async (gate: StreamGate, filter: string): Promise<void> => {
    if (stopped) return;
    const again = (): void => void clock.setTimeout(() => void keepConnected(gate, filter), reconnectMs);
    const connected = await gate.connect({ message: () => undefined, closed: again });
    if (!connected.ok) again();
    else await gate.subscribe(filter, 1);
  };
  void keepConnected(nodeGate, `${rootTopic}/v1/down/${streamNode}/api`);
  void keepConnected(cloudGate, `${rootTopic}/v1/up/+/api`);
  return {
    pipes, cloud, nodeGate, cloudGate,
    stop: async () => {
      stopped = true;
      await door.stop();
      await cloud.stop();
      await nodeGate.disconnect();
      await cloudGate.disconnect();
    },
  };
}

/** Virtual time goes on until it is there; 10 minutes at most. */
export async function during<T>(clock: VirtualClock, answer: Promise<T>): Promise<T> {
  let settled = false;
  const counted = answer.finally(() => {
    settled = true;
  });
  await clock.runUntil(() => settled, { limitMs: 600_000 });
  return counted;
}

export interface Heard {
  readonly bytes: Buffer;
  readonly exitCode: number | undefined;
  readonly fault: string | undefined;
}

export async function hear(stream: NodeStream): Promise<Heard> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'data') parts.push(Uint8Array.from(event.bytes));
    if (event.kind === 'ended') return { bytes: Buffer.concat(parts), exitCode: event.exitCode, fault: event.fault?.message };
  }
}

function podView(): PodView {
  const status: PodStatus = {
    phase: 'Running',
    containerStatuses: [{ name: 'app', image: 'i', imageID: 'i', ready: true, restartCount: 0, containerID: `containerd://${containerId}`, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
  };
  return { desired: aPod(), status, state: 'running', transitions: [], lastPlan: undefined, firstSeenMs: 0 };
}

export function viewOf(pods: readonly PodView[]): NodeView {
  return {
    revision: () => 1, changedAfter: () => Promise.resolve(), pods: () => pods,
    podsOf: (namespace, name) => pods.filter(({ desired }) => desired.namespace === namespace && desired.name === name),
    events: () => [], since: () => ({ linkMs: 0, linkEverUp: false, runtimeMs: 0, goesDown: false }), refusals: () => [], node: () => ({ node: undefined, registered: true, link: undefined, runtime: undefined }), stop: () => Promise.resolve(),
  };
}
