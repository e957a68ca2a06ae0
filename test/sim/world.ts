// A whole node in one process under virtual time: the real agent on twins of runtime, files and broker, and a cloud on the same broker.
// The world knows how things happen, not what happens next (operations.ts) and not what must hold (checkers.ts).
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { noBrokerFaults, SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { SimCgroups } from '../../src/adapters/sim/sim-cgroups.ts';
import { SimDiskSpace } from '../../src/adapters/sim/sim-disk-space.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { noFaults } from '../../src/adapters/sim/sim-faults.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { SimVolumes } from '../../src/adapters/sim/sim-volumes.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { type Agent, startAgent } from '../../src/agent.ts';
import type { AgentPorts, AgentSettings } from '../../src/agent/agent-world.ts';
import { garbageDefaults } from '../../src/agent/garbage.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import type { LogPort } from '../../src/ports/log-port.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import { fail, ok } from '../../src/ports/result.ts';
import { testDialect } from '../support/dialects.ts';
import { hostFacts, nodeIdentity } from '../support/node-facts.ts';
import { silentLog } from '../support/silent-log.ts';
import { Checkers } from './checkers.ts';
import { Life, mortalPorts } from './mortal-ports.ts';
import type { SimOptions } from './options.ts';
import { envelopeText, plainText, Trace } from '../../src/replay/trace.ts';

export const nodeName = 'edge-07';
export const rootTopic = 'fleet';
export const manifestDirectory = '/etc/mqlet/manifests';
export const logsDirectory = '/var/log/pods';
export const rootDirectory = '/var/lib/mqlet';
const agentClient = nodeName;
const cloudClient = 'cloud';
/** Virtual time the daemon has to stop. */
const stopMsMax = 5_000;

/** Changes to the world for the sake of one test: a planted bug, a part that is watched. */
export interface WorldTweaks {
  /** Keep the whole trace, not only its tail. */
  readonly keepsTrace?: boolean;
  readonly ports?: (ports: AgentPorts, world: World) => AgentPorts;
  /** In place of `startAgent`. */
  readonly start?: (ports: AgentPorts, settings: AgentSettings) => Agent;
}

export class World {
  readonly options: SimOptions;
  readonly clock = new VirtualClock();
  readonly trace: Trace;
  readonly random: SeededRandom;
  readonly runtime: SimRuntime;
  readonly files: SimFiles;
  readonly volumes = new SimVolumes();
  readonly cgroups = new SimCgroups();
  readonly disk = new SimDiskSpace({ capacityBytes: 2 ** 40, usedBytes: () => this.runtime.images.usedBytes() });
  readonly probes: SimProbes;
  readonly broker: SimBroker;
  readonly cloud: EmbeddedCloud;
  readonly checkers: Checkers;
  /** The daemon that runs, if one does. */
  agent: Agent | undefined;
  life = new Life();
  /** True while somebody else than the agent changes what the cloud has. */
  userActs = false;
  readonly #tweaks: WorldTweaks;
  readonly #logged = new Set<string>();
  #lives = 0;
  #daemonTimer: unknown;

  constructor(options: SimOptions, tweaks: WorldTweaks = {}) {
    this.options = options;
    this.#tweaks = tweaks;
    const { clock } = this;
    this.trace = new Trace(() => clock.monotonicMs(), { keepsAll: tweaks.keepsTrace ?? false });
    const seeded = new SeededRandom(options.seed);
    this.random = seeded.fork('operations');
    this.runtime = new SimRuntime({ clock, random: seeded.fork('runtime'), callTimeoutMs: options.callTimeoutMs });
    this.files = new SimFiles({ clock });
    this.probes = new SimProbes({ clock });
    this.files.putDirectory(manifestDirectory);
    this.broker = new SimBroker({ clock, random: seeded.fork('broker') });
    this.checkers = new Checkers(this);
    const mqtt = this.checkers.readsWhatComesUp(this.broker.port({ clientId: cloudClient }));
    this.cloud = startEmbeddedCloud({ mqtt, clock, random: seeded.fork('cloud'), log: silentLog, rootTopic, encoding: options.encoding });
    this.cloud.onChange((change) => this.checkers.cloudChanged(change));
  }

  // ---- time --------------------------------------------------------------------------------------------------------

  /** Lets virtual time pass; the checkers look after every step. */
  async pass(durationMs: number): Promise<void> {
    let reached = false;
    this.clock.setTimeout(function pass() { reached = true; }, durationMs);
    await this.clock.runUntil(() => this.#looked(() => reached), { limitMs: durationMs + 1 });
  }

  /** @returns whether the predicate came true within the limit; it is asked at most every `everyMs` */
  async passUntil(predicate: () => boolean, options: { readonly limitMs: number; readonly everyMs: number }): Promise<boolean> {
    for (let passedMs = 0; passedMs < options.limitMs; passedMs += options.everyMs) {
      if (predicate()) return true;
      await this.pass(options.everyMs);
    }
    return predicate();
  }

  #looked(done: () => boolean): boolean {
    this.#writeLogs();
    this.checkers.look();
    return done();
  }

  /** A container that has been started has a log file, as the runtime opens it. */
  #writeLogs(): void {
    for (const { id, startedAtMs, logPath } of this.runtime.containers.values()) {
      if (startedAtMs === 0 || this.#logged.has(id)) continue;
      this.#logged.add(id);
      if (logPath !== '') this.files.put(logPath, '');
    }
  }

  // ---- the daemon ----------------------------------------------------------------------------------------------------

  startDaemon(): void {
    this.clock.clearTimeout(this.#daemonTimer);
    if (this.agent !== undefined) return;
    this.#lives += 1;
    const life = new Life();
    this.life = life;
    this.checkers.lifeBegins();
    this.trace.note(`op daemon ${this.#lives} starts`);
    const ports = mortalPorts(this.#ports(), life, {
      began: (method, args) => {
        this.trace.note(`call ${method} ${callText(method, args)}`);
        this.checkers.callBegan(method, args);
      },
      ended: (method, args, answer) => this.trace.note(`answer ${method} ${plainText(args[0]).slice(0, 80)} ${answerText(answer)}`),
    });
    const decorated = this.#tweaks.ports?.(ports, this) ?? ports;
    this.agent = (this.#tweaks.start ?? startAgent)(decorated, this.#settings());
    this.agent.bus.tap((envelope) => {
      this.trace.note(envelopeText(envelope));
      this.checkers.delivered(envelope);
    });
  }

  /** Between two steps, without a word to anybody. With `power`, what was not synced may be lost too. */
  killDaemon(options: { readonly downMs: number; readonly power?: 'lost' }): void {
    if (this.agent === undefined) return;
    this.trace.note(`op daemon ${this.#lives} is killed for ${options.downMs} ms`);
    this.life.end();
    this.agent = undefined;
    this.broker.cut(agentClient);
    if (options.power === 'lost') this.files.losePower(this.random);
    else this.files.crash(this.random);
    this.#startLater(options.downMs);
  }

  /** As on SIGTERM. */
  async stopDaemon(options: { readonly downMs: number }): Promise<void> {
    const { agent } = this;
    if (agent === undefined) return;
    this.trace.note(`op daemon ${this.#lives} stops for ${options.downMs} ms`);
    let stopped = false;
    void agent.stop().then(() => { stopped = true; });
    if (!(await this.passUntil(() => stopped, { limitMs: stopMsMax, everyMs: 100 }))) this.checkers.violated('the daemon does not stop');
    this.life.end();
    this.agent = undefined;
    this.broker.cut(agentClient);
    this.#startLater(options.downMs);
  }

  #startLater(downMs: number): void {
    this.#daemonTimer = this.clock.setTimeout(() => this.startDaemon(), downMs);
  }

  // ---- the world outside ---------------------------------------------------------------------------------------------

  /** From now on things go wrong as the seed has it. */
  beginFaults(): void {
    this.runtime.setFaults(this.options.runtimeFaults);
    this.broker.faults = this.options.brokerFaults;
    this.files.faults.latencyMs = this.options.fileLatencyMs;
    const random = new SeededRandom(this.options.seed).fork('probes');
    this.probes.answer = () => (random.fraction() < this.options.probeFailure
      ? fail({ kind: 'unreachable', message: 'connection refused' })
      : ok({ status: 200, body: '', leftHost: false }));
  }

  /** Nothing goes wrong any more, and the daemon runs. */
  endFaults(): void {
    this.trace.note('op faults end');
    this.runtime.setFaults(noFaults);
    this.broker.faults = noBrokerFaults;
    this.broker.comeUp();
    Object.assign(this.files.faults, { noSpace: false, readOnly: false, noWatches: false, latencyMs: 0 });
    this.files.faults.forbidden.clear();
    this.probes.answer = undefined;
    this.startDaemon();
  }

  cutLink(): void {
    this.broker.cut(agentClient);
  }

  cutCloud(): void {
    this.broker.cut(cloudClient);
  }

  restartBroker(options: { readonly downMs: number }): void {
    this.broker.goDown();
    this.clock.setTimeout(() => this.broker.comeUp(), options.downMs);
  }

  /** The power goes and comes back: nothing runs any more, and what was being written is torn. */
  rebootMachine(options: { readonly downMs: number }): void {
    this.killDaemon({ ...options, power: 'lost' });
    this.volumes.reboot();
    this.cgroups.reboot();
    this.runtime.reboot({ downMs: Math.max(1, options.downMs - 1_000) });
  }

  // ---- what the daemon is given ------------------------------------------------------------------------------------

  #ports(): AgentPorts {
    const { clock, files, runtime } = this;
    const port: MqttPort = this.broker.port({ clientId: agentClient });
    const dialect = this.checkers.readsWhatIsWritten(testDialect(this.options.dialect));
    const facts = hostFacts({ hostname: nodeName });
    return {
      runtime, images: runtime.images, probes: this.probes, files, volumes: this.volumes, disk: this.disk, logFiles: files.logs, cgroups: this.cgroups, clock,
      random: new SeededRandom(this.options.seed).fork(`daemon ${this.#lives}`),
      log: this.#log(),
      host: { facts: () => Promise.resolve(facts) },
      processUsage: () => ({ cpuSeconds: 0, residentBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0, startedAtMs: 0, openFiles: undefined, openFilesMax: undefined }),
      mqtt: { port, dialect },
    };
  }

  #log(): LogPort {
    const note = (level: string) => (event: string, fields?: object) => this.trace.note(`log ${level} ${event} ${plainText(fields ?? {})}`);
    return { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') };
  }

  #settings(): AgentSettings {
    const facts = hostFacts();
    return {
      node: {
        nodeName, rootDirectory, podLogsDirectory: logsDirectory, clusterDns: [], clusterDomain: 'cluster.local', memoryBytes: facts.memoryBytes,
        allocatable: { cpuMillis: facts.cpus * 1_000, memoryBytes: facts.memoryBytes, ephemeralStorageBytes: facts.rootFilesystemBytes },
      },
      identity: nodeIdentity({ name: nodeName }),
      hostIps: facts.addresses,
      hostFacts: facts,
      allowedUnsafeSysctls: [],
      cgroups: { root: '', driver: 'cgroupfs', enforcesPods: true, podPidsMax: -1 },
      podsMax: 110,
      pullsMax: this.options.pullsMax,
      pullProgressDeadlineMs: 300_000,
      manifestPath: manifestDirectory,
      manifestScanMs: 20_000,
      registerNode: true,
      nodeUpdatePeriodMs: 10_000,
      nodeReportPeriodMs: 300_000,
      eviction: { thresholds: [], evicts: true, limitsLocalStorage: true, softGraceMsMax: 0, pressureHoldMs: 300_000 },
      leaseDurationSeconds: 40,
      garbage: garbageDefaults,
      renewsLease: this.options.renewsLease,
      escalate: (message) => this.checkers.violated(`the daemon gives itself up: ${message}`),
    };
  }
}

/** What a call is about: an object's names, or the first argument as it is. */
function callText(method: string, args: readonly unknown[]): string {
  const text = plainText(method === 'createContainer' ? [args[0], metadataOf(args[1])] : (metadataOf(args[0]) ?? args[0] ?? ''));
  return method === 'stopContainer' ? `${text} ${plainText(args[1])}` : text;
}

function metadataOf(config: unknown): unknown {
  return typeof config === 'object' && config !== null && 'metadata' in config ? config.metadata : undefined;
}

function answerText(answer: unknown): string {
  return plainText(answer).slice(0, 400);
}
