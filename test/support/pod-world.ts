// Supervisor, pods, images and the watch over a simulated runtime, without sources and without MQTT: for tests of one pod's life.
import { startImageActor } from '../../src/actors/image-actor.ts';
import { CgroupKeeper } from '../../src/actors/cgroup-keeper.ts';
import type { NodeFacts } from '../../src/actors/pod-deps.ts';
import { PodResizer } from '../../src/actors/pod-resizer.ts';
import { startPodSupervisor } from '../../src/actors/pod-supervisor.ts';
import { startRelistActor } from '../../src/actors/relist-actor.ts';
import { startRuntimeWatch } from '../../src/actors/runtime-watch.ts';
import { VolumeKeeper } from '../../src/actors/volume-keeper.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimCgroups } from '../../src/adapters/sim/sim-cgroups.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { SimVolumes } from '../../src/adapters/sim/sim-volumes.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { PodOperation } from '../../src/bus/source-update.ts';
import type { AdmittingNode } from '../../src/machines/decide/admission.ts';
import type { LogPort } from '../../src/ports/log-port.ts';
import type { DesiredPod, PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import type { RuntimePort } from '../../src/ports/runtime-port.ts';
import type { MachineWatch } from '../../src/ports/machine-watch.ts';
import type { FindObject } from '../../src/ports/stored-object.ts';
import { admittingNode, nodeSettings } from './node-settings.ts';
import { aContainer, aPod, uid } from './pods.ts';
import { silentLog } from './silent-log.ts';

export interface PodWorldOptions {
  /** Calls that answer otherwise than the simulated runtime. */
  readonly runtime?: (sim: SimRuntime) => Partial<RuntimePort>;
  readonly facts?: () => NodeFacts;
  readonly files?: (files: SimFiles) => void;
  readonly podsMax?: number;
  readonly node?: Partial<AdmittingNode>;
  readonly log?: LogPort;
  readonly objects?: FindObject;
  /** Pods get cgroups of the simulated machine. */
  readonly cgroups?: boolean;
  readonly watch?: MachineWatch;
}

export type PodWorld = ReturnType<typeof podWorld>;

export function podWorld(options: PodWorldOptions = {}) {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const random = new SeededRandom(1);
  const sim = new SimRuntime({ clock, random: random.fork('runtime'), images: ['registry.example/app:1', 'sim/run', 'sim/crash', 'sim/exit:0'] });
  const files = new SimFiles({ clock });
  options.files?.(files);
  const overrides = options.runtime?.(sim) ?? {};
  const runtime = new Proxy<RuntimePort>(sim, {
    get: (target, name) => {
      const member: unknown = Reflect.get(overrides, name) ?? Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const facts = options.facts ?? (() => ({ runtimeName: 'mqlet-sim', hostIps: ['192.0.2.7'], networkReady: true, networkMessage: '' }));
  const seen: AnyEnvelope[] = [];
  const escalations: string[] = [];
  bus.tap((envelope) => { seen.push(envelope); });
  const log = options.log ?? silentLog;
  const objects = options.objects ?? (() => undefined);
  const volumes = new SimVolumes();
  const keeper = new VolumeKeeper({ volumes, files, objects, settings: nodeSettings });
  const resizer = new PodResizer({ bus: bus.as('resizer'), clock, files, log, directory: '/var/lib/mqlet/cache/allocations' });
  const cgroups = new SimCgroups();
  const cgroupKeeper = new CgroupKeeper({ bus: bus.as('cgroups'), cgroups, settings: { root: '', driver: 'cgroupfs', enforcesPods: true, podPidsMax: -1 }, enforced: { cpu: 4_000, memory: 2 ** 32 }, pageSizes: [], log });
  const supervisor = startPodSupervisor({
    bus: bus.as('supervisor'), watch: options.watch, podBus: (pod) => bus.as(`pod ${pod}`), runtime, probes: new SimProbes({ clock }), version: 'v1.35.0', files, clock, random: random.fork('pods'), log,
    settings: nodeSettings, facts, objects, volumes: keeper, resizer, ...(options.cgroups === true ? { cgroups: cgroupKeeper } : {}), node: () => ({ ...admittingNode, podsMax: options.podsMax ?? 110, ...options.node }), escalate: (message) => { escalations.push(message); },
    memory: { loaded: Promise.resolve(), withStatus: (desired) => desired },
  });
  const images = startImageActor({ bus: bus.as('images'), images: sim.images, objects: options.objects ?? (() => undefined), clock, pullsMax: 4, progressDeadlineMs: 300_000 });
  const parts: Stoppable[] = [
    resizer,
    supervisor,
    images,
    startRelistActor({ bus: bus.as('relist'), runtime, clock }),
    startRuntimeWatch({ bus: bus.as('runtime'), runtime, clock, random: random.fork('watch'), log, identified: () => cgroupKeeper.begin({ ok: true, value: 'cgroupfs' }) }),
  ];
  const operate = (op: PodOperation['op'], ...pods: DesiredPod[]): void => { bus.as('test').publish('pods.changed', { op, source: 'mqtt', pods }); };
  return {
    clock, bus, sim, files, volumes, cgroups, resizer, supervisor, images, seen, escalations, operate,
    /** State of the pod as last told. */
    state: (of: PodUid = uid) => seen.findLast((each) => each.topic === 'pod.transitioned' && each.payload.pod.uid === of)?.payload as { readonly to: string } | undefined,
    stop: async () => { for (const part of parts.toReversed()) await part.stop(); },
  };
}

/** A pod of one container with an image of the simulated runtime. */
export function simPod(image = 'sim/run', spec: Parameters<typeof aPod>[0] = {}, part: Parameters<typeof aPod>[1] = {}): DesiredPod {
  return aPod({ containers: [aContainer('app', { image })], ...spec }, part);
}
