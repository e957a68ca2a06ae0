// The world of a replay from packets: the real agent on the simulated runtime, files and host, with the recorded cloud at the other end.
import { SeededRandom } from '../adapters/sim/seeded-random.ts';
import { SimCgroups } from '../adapters/sim/sim-cgroups.ts';
import { SimDiskSpace } from '../adapters/sim/sim-disk-space.ts';
import { SimFiles } from '../adapters/sim/sim-files.ts';
import { SimProbes } from '../adapters/sim/sim-probes.ts';
import { SimRuntime } from '../adapters/sim/sim-runtime.ts';
import { SimVolumes } from '../adapters/sim/sim-volumes.ts';
import { VirtualClock } from '../adapters/sim/virtual-clock.ts';
import type { AgentPorts } from '../agent/agent-world.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import type { ContainerConfig, RuntimePort, SandboxConfig } from '../ports/runtime-port.ts';
import { endKey, type RecordedEnd, recordedEnds, recordedImages } from './recorded-ends.ts';
import type { DeskSettings } from './desk-settings.ts';
import { type ManifestChange, recordedManifests } from './recorded-manifests.ts';
import type { Transcript } from './transcript.ts';
import type { Wire } from './wire/wire.ts';

/** Of the simulated files. */
export const manifestDirectory = '/etc/mqlet/manifests';
/** A process that is told to end takes a moment, less than a simulated one takes by itself. */
const stopMs = 2;
/** A container that ended at once ran so long. */
const ranMsMin = 20;

export interface DeskDeps {
  readonly transcript: Transcript;
  readonly wire: Wire;
  readonly settings: DeskSettings;
  /** What the recorded agent called itself. */
  readonly software: string;
  readonly seed: string;
  readonly log: LogPort;
}

export class Desk {
  readonly clock: VirtualClock;
  readonly #deps: DeskDeps;
  readonly #random: SeededRandom;
  readonly #runtime: SimRuntime;
  readonly #files: SimFiles;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.clock = new VirtualClock({ startMs: deps.transcript.startMs });
    this.#random = new SeededRandom(deps.seed);
    this.#runtime = new SimRuntime({ clock: this.clock, random: this.#random.fork('runtime'), images: recordedImages(deps.transcript) });
    this.#files = new SimFiles({ clock: this.clock });
    this.#files.putDirectory(manifestDirectory);
    for (const change of recordedManifests(deps.transcript, deps.wire.nodeName)) {
      // What was there from the beginning is there before the agent is.
      if (change.sinceMs === 0) this.#change(change);
      else this.clock.setTimeout(() => this.#change(change), change.sinceMs);
    }
  }

  #change({ file, content }: ManifestChange): void {
    const path = `${manifestDirectory}/${file}`;
    if (content === undefined) this.#files.take(path);
    else this.#files.put(path, content);
  }

  ports(mqtt: MqttPort): AgentPorts {
    const { wire, settings, software, log } = this.#deps;
    const clock = this.clock;
    const images = this.#runtime.images;
    return {
      runtime: endsAsRecorded(this.#runtime, { clock, ends: recordedEnds(this.#deps.transcript, wire) }), images, probes: new SimProbes({ clock }),
      files: this.#files, logFiles: this.#files.logs, volumes: new SimVolumes(), cgroups: new SimCgroups(),
      disk: new SimDiskSpace({ capacityBytes: settings.hostFacts.rootFilesystemBytes, usedBytes: () => images.usedBytes() }),
      clock, random: this.#random.fork('agent'), log,
      host: { facts: () => Promise.resolve(settings.hostFacts) },
      processUsage: () => ({ cpuSeconds: 0, residentBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0, startedAtMs: 0, openFiles: undefined, openFilesMax: undefined }),
      mqtt: { port: mqtt, dialect: wire.dialect(software) },
    };
  }
}

interface Ends {
  readonly clock: VirtualClock;
  readonly ends: ReadonlyMap<string, RecordedEnd>;
}

/** The runtime, with each container ending as the same one ended then: by itself at its time, or when it is told to. */
function endsAsRecorded(runtime: SimRuntime, { clock, ends }: Ends): RuntimePort {
  const known = new Map<string, RecordedEnd>();
  const end = (id: string, { exitCode, outOfMemory }: RecordedEnd): void => {
    known.delete(id);
    if (outOfMemory) runtime.killForMemory(id);
    else runtime.kill(id, exitCode);
  };
  const changed: Partial<RuntimePort> = {
    createContainer: async (sandbox, config, sandboxConfig) => {
      const created = await runtime.createContainer(sandbox, config, sandboxConfig);
      const recorded = ends.get(keyOf(config, sandboxConfig));
      if (created.ok && recorded !== undefined) known.set(created.value, recorded);
      return created;
    },
    startContainer: async (id) => {
      const started = await runtime.startContainer(id);
      const recorded = known.get(id);
      if (started.ok && recorded?.stopped === false) clock.setTimeout(() => known.has(id) && end(id, recorded), Math.max(ranMsMin, recorded.ranMs));
      return started;
    },
    stopContainer: (id, timeoutMs) => {
      const recorded = known.get(id);
      if (recorded !== undefined) clock.setTimeout(() => end(id, recorded), stopMs);
      return runtime.stopContainer(id, timeoutMs);
    },
  };
  return new Proxy(runtime, {
    get: (target, name) => {
      const own: unknown = Reflect.get(changed, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...args: readonly unknown[]) => unknown).bind(target) : value; // typeof says that it can be called
    },
  });
}

function keyOf({ metadata }: ContainerConfig, { metadata: pod }: SandboxConfig): string {
  return endKey(pod, metadata.name, metadata.attempt);
}
