// What an agent is made of: the ports it has to the world, and what it is told. Types only.
import type { EvictionSettings } from '../actors/eviction-manager.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import type { CgroupSettings } from '../machines/decide/cgroups.ts';
import type { NodeIdentity } from '../machines/decide/node-object.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { CgroupsPort } from '../ports/cgroups-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { Collection } from '../ports/collection.ts';
import type { CredentialsPort } from '../ports/credentials-port.ts';
import type { DiskPort } from '../ports/disk-port.ts';
import type { ShutdownGroup } from '../ports/eviction.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { HostFacts, HostPort, HostPressurePort, ProcessUsage } from '../ports/host-port.ts';
import type { IdentityPort } from '../ports/identity-port.ts';
import type { ImageArchivesPort } from '../ports/image-archives-port.ts';
import type { KernelLogPort } from '../ports/kernel-log-port.ts';
import type { LogFilesPort } from '../ports/log-files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import type { StreamSettings } from '../ports/node-streams-port.ts';
import type { ProbePort } from '../ports/probe-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { ImagesPort, RuntimePort } from '../ports/runtime-port.ts';
import type { ShutdownPort } from '../ports/shutdown-port.ts';
import type { VolumesPort } from '../ports/volumes-port.ts';
import type { GarbageSettings } from './garbage.ts';
import type { StreamWorld } from './stream-door.ts';

export interface AgentPorts {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
  readonly archives?: ImageArchivesPort;
  readonly probes: ProbePort;
  readonly files: FilesPort;
  readonly volumes: VolumesPort;
  /** Absent: pods stay where the runtime places them. */
  readonly cgroups?: CgroupsPort;
  readonly disk: DiskPort;
  readonly logFiles: LogFilesPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly host: HostPort;
  readonly pressure?: HostPressurePort;
  readonly kernelLog?: KernelLogPort;
  /** Absent: nobody tells that the machine goes down. */
  readonly shutdown?: ShutdownPort;
  processUsage(): ProcessUsage;
  /** Absent where the heap is nobody's care. */
  collectGarbage?(collection: Collection): void;
  /** Absent: the node runs alone, from files and the admin API. */
  readonly mqtt?: { readonly port: MqttPort; readonly dialect: Dialect | ReportingDialect };
  /** Where the broker is shown a certificate, or files say whom to trust. */
  readonly credentials?: CredentialsPort;
  /** Where the node gets its next certificates by itself; needs `credentials`. */
  readonly identity?: IdentityPort;
  /** Brings what logs, commands and ports over the link need, with the first of them; absent: the node has no streams. */
  readonly streams?: () => Promise<StreamWorld>;
}

export interface AgentSettings {
  readonly node: NodeSettings;
  readonly identity: NodeIdentity;
  readonly hostIps: readonly string[];
  /** The machine as it was at the start: pods are admitted against it. */
  readonly hostFacts: HostFacts;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly cgroups: CgroupSettings;
  readonly podsMax: number;
  readonly pullsMax: number;
  readonly pullProgressDeadlineMs: number;
  /** Directory or file of static pods; undefined where there are none. */
  readonly manifestPath: string | undefined;
  readonly manifestScanMs: number;
  readonly registerNode: boolean;
  readonly nodeUpdatePeriodMs: number;
  readonly nodeReportPeriodMs: number;
  readonly eviction: EvictionSettings;
  /** In what order and time pods end when the machine goes down; absent or empty: they are left to it. */
  readonly shutdownGroups?: readonly ShutdownGroup[];
  readonly leaseDurationSeconds: number;
  readonly garbage: GarbageSettings;
  /** Absent: as kubelet has them. */
  readonly streams?: StreamSettings;
  /** False: the cloud side renews the node's lease while it hears of the node. */
  readonly renewsLease: boolean;
  /** Called when our own code fails too often: the process shall end. */
  readonly escalate: (message: string) => void;
}
