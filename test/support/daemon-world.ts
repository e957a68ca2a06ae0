// What a node needs around it, on real parts: containerd, mosquitto, the cloud side, folders. The daemon itself is started by the test.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../src/adapters/system-random.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import type { CommandOutcome } from '../../src/demo/child-process.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import type { Pod } from '../../src/ports/pod-types.ts';
import { type ContainerdFixture, busyboxImage, withContainerd } from './containerd.ts';
import { type DaemonProcess, mqlet, startDaemon, until } from './daemon-process.ts';
import { freePort, startMosquitto, type TestBroker } from './mosquitto.ts';
import { silentLog } from './silent-log.ts';

export const nodeName = 'edge-07';
export const rootTopic = 'fleet';

/** Runs until it is told to stop, and stops at once then. */
export const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

export class DaemonWorld {
  readonly fixture: ContainerdFixture;
  readonly brokerPort: number;
  readonly healthzPort: number;
  readonly cloud: EmbeddedCloud;
  #broker: TestBroker;

  private constructor(parts: { readonly fixture: ContainerdFixture; readonly broker: TestBroker; readonly healthzPort: number }) {
    this.fixture = parts.fixture;
    this.#broker = parts.broker;
    this.brokerPort = parts.broker.port;
    this.healthzPort = parts.healthzPort;
    this.cloud = startEmbeddedCloud({ mqtt: this.mqttClient('cloud'), clock: new SystemClock(), random: new SystemRandom(), log: silentLog, rootTopic });
  }

  static async start(): Promise<DaemonWorld> {
    const fixture = await withContainerd();
    const world = new DaemonWorld({ fixture, broker: await startBroker(), healthzPort: await freePort() });
    mkdirSync(world.manifests, { recursive: true });
    await world.cloud.ready;
    return world;
  }

  get rootDirectory(): string {
    return path.join(this.fixture.directory, 'root');
  }

  get manifests(): string {
    return path.join(this.fixture.directory, 'manifests');
  }

  /** A connection of its own to the broker. */
  mqttClient(clientId: string): MqttPort {
    return mqttClient({ host: '127.0.0.1', port: this.brokerPort, clientId, protocols: ['MQTT 5', 'MQTT 3.1.1'], keepAliveMs: 30_000 });
  }

  /** The daemon with everything; `flags` come last and win. */
  startDaemon(flags: readonly string[] = []): DaemonProcess {
    return startDaemon([
      '--hostname-override', nodeName, '--root-dir', this.rootDirectory, '--pod-logs-dir', path.join(this.fixture.directory, 'logs'),
      '--pod-manifest-path', this.manifests, '--container-runtime-endpoint', this.fixture.endpoint, '--cgroup-root', this.fixture.containerd.cgroupRoot, '--healthz-port', String(this.healthzPort),
      '--mqtt-url', `mqtt://127.0.0.1:${this.brokerPort}`, '--mqtt-root-topic', rootTopic,
      ...flags,
    ]);
  }

  /** A command to this node. */
  mqlet(words: readonly string[], options: { readonly input?: string } = {}): Promise<CommandOutcome> {
    return mqlet([...words, '--root-dir', this.rootDirectory], options);
  }

  writeManifest(name: string, content: string | Uint8Array): void {
    writeFileSync(path.join(this.manifests, name), content);
  }

  removeManifest(name: string): void {
    rmSync(path.join(this.manifests, name));
  }

  /** What `get pods -A -o json` shows, by name; none while nobody answers. */
  async pods(): Promise<ReadonlyMap<string, Pod>> {
    const { code, stdout } = await this.mqlet(['get', 'pods', '-A', '-o', 'json']);
    if (code !== 0) return new Map();
    // The command's own list of pods.
    const { items } = JSON.parse(stdout) as { items: Pod[] };
    return new Map(items.map((pod) => [pod.metadata?.name ?? '', pod]));
  }

  /** The node's pods by name, once these run and are ready. */
  runningPods(...names: readonly string[]): Promise<ReadonlyMap<string, Pod>> {
    let last = '';
    return until(() => `${names.join(', ')} run: ${last}`, async () => {
      const pods = await this.pods();
      last = JSON.stringify([...pods].map(([name, { status }]) => [name, status?.phase, status?.containerStatuses?.map(({ state }) => state)]));
      return names.every((name) => isReady(pods.get(name))) && pods;
    });
  }

  /** The pod as the cloud has it. */
  cloudPod(name: string): Pod | undefined {
    return this.cloud.pods().find(({ metadata }) => metadata?.name === name);
  }

  async stopBroker(): Promise<void> {
    await this.#broker.stop();
  }

  /** Another broker, without memory, where the first one was. */
  async startBroker(): Promise<void> {
    this.#broker = await startBroker(this.brokerPort);
  }

  async stop(): Promise<void> {
    await this.cloud.stop();
    await this.#broker.stop();
    await this.fixture.stop();
  }
}

function startBroker(port?: number): Promise<TestBroker> {
  return startMosquitto(() => ['allow_anonymous true'], undefined, port);
}

export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** What must stay as it is while the daemon comes and goes: container ID, start and restart count of every container. */
export function containersOf(pods: ReadonlyMap<string, Pod>): Record<string, unknown> {
  return Object.fromEntries([...pods].map(([name, { status }]) => [
    name, status?.containerStatuses?.map(({ containerID, restartCount, state }) => ({ containerID, restartCount, startedAt: state?.running?.startedAt })),
  ]));
}

/** A manifest of one pod of busybox. */
export function podManifest(name: string, script: string = forever): string {
  return JSON.stringify(shellPod(name, script));
}

export function shellPod(name: string, script: string = forever): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', script] }] },
  };
}
