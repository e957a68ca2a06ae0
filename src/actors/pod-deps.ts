// What the parts of a pod actor are handed. Types only.
import type { BusPort } from '../bus/bus.ts';
import type { ImageOutcome } from '../bus/messages.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MachineWatch } from '../ports/machine-watch.ts';
import type { DesiredPod } from '../ports/pod-types.ts';
import type { ProbePort } from '../ports/probe-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { RuntimeHandlerFacts } from '../ports/runtime-handlers.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';
import type { FindObject } from '../ports/stored-object.ts';
import type { CgroupKeeper } from './cgroup-keeper.ts';
import type { PreStops } from './container-stopper.ts';
import type { PodResizer } from './pod-resizer.ts';
import type { TellSparingly } from './tell-sparingly.ts';
import type { VolumeKeeper } from './volume-keeper.ts';

/** Facts that become known, or change, while the node runs. */
export interface NodeFacts {
  /** `containerd`; empty until the runtime has answered. */
  readonly runtimeName: string;
  readonly hostIps: readonly string[];
  readonly networkReady: boolean;
  readonly networkMessage: string;
  /** What the runtime's handlers can do; empty until it has answered, and where it does not tell. */
  readonly handlers?: readonly RuntimeHandlerFacts[];
}

/** What the supervisor hands to all pods alike. */
export type CommonPodDeps = Omit<PodDeps, 'preStops' | 'hooksUnderWay' | 'networkNews'>;

export interface PodDeps {
  readonly bus: BusPort;
  readonly runtime: RuntimePort;
  readonly probes: ProbePort;
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly settings: NodeSettings;
  /** Of the agent, `v1.2.3`. */
  readonly version: string;
  /** Of this pod alone. */
  readonly preStops: PreStops;
  /** Of this pod alone. */
  readonly hooksUnderWay: Set<string>;
  /** Of this pod alone: what keeps it from a network. */
  readonly networkNews: TellSparingly;
  facts(): NodeFacts;
  /** Secrets and config maps as they are now. */
  readonly objects: FindObject;
  readonly volumes: VolumeKeeper;
  readonly resizer: PodResizer;
  /** Absent: pods stay where the runtime places them. */
  readonly cgroups?: CgroupKeeper;
  /** Absent: nobody watches the machines. */
  readonly watch?: MachineWatch | undefined;
}

/** Asks the image actor and waits for its answer; gives up with `undefined` when `signal` fires. */
export type EnsureImage = (request: {
  readonly desired: DesiredPod;
  readonly container: string;
  readonly fieldPath: string;
  readonly image: string;
  readonly policy: 'Always' | 'IfNotPresent' | 'Never';
}) => Promise<ImageOutcome | undefined>;
