// What `mqlet doctor` knows of a machine before it judges: the kernel, the runtime, its network, disks, neighbours. Facts only, no opinions.
// A value is absent where it could not be read; then nothing is concluded from it.
import type { CgroupDriver } from './cgroups-port.ts';
import type { BrokerFacts } from './broker-facts.ts';
import type { CertificateFacts } from './credentials-port.ts';
import type { RuntimeCondition, RuntimeVersion } from './runtime-port.ts';

/** Everything the checks look at. A whole area is absent where it does not apply: no broker, no manifests. */
export interface DoctorFacts {
  readonly program: ProgramFacts;
  readonly settings: SettingsFacts;
  readonly kernel: KernelFacts;
  readonly runtime: RuntimeFacts;
  readonly cni: CniFacts;
  readonly mirrors: readonly MirrorFacts[];
  readonly places: readonly PlaceFacts[];
  readonly secrets: readonly SecretFileFacts[];
  readonly certificates: readonly CertificateFileFacts[];
  readonly manifests?: ManifestFacts;
  readonly clock: ClockFacts;
  readonly names: NameFacts;
  readonly neighbours: NeighbourFacts;
  /** Absent where none is named. */
  readonly broker?: BrokerFacts | 'not-asked';
}

export interface ProgramFacts {
  /** `20.11.1`, without a `v`. */
  readonly nodeVersion: string;
  readonly userId: number;
  readonly memoryBytes?: number;
  readonly memoryAvailableBytes?: number;
  /** Soft limit of open files of a process started from here. */
  readonly openFilesMax?: number;
}

export interface SettingsFacts {
  /** Path of the file that was read, where there is one. */
  readonly file?: string;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

export interface KernelFacts {
  readonly release: string;
  /** Types that the kernel can mount now; a module not loaded yet may be missing. */
  readonly filesystems?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly seccomp?: boolean;
  /** Absent: none are mounted. */
  readonly cgroups?: CgroupFacts;
  /** Kernel parameters that were looked at, by dotted name; one that the kernel does not have is missing. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly swapBytes?: number;
  /** Whether mounts made below the root of the tree reach containers and come back from them. */
  readonly rootShared?: boolean;
  readonly defaultRoute?: boolean;
  /** Words of the kernel's command line. */
  readonly commandLine: readonly string[];
}

export interface CgroupFacts {
  readonly version: 1 | 2;
  /** Controllers that can be used: mounted ones of v1, those of the root of v2. */
  readonly controllers: readonly string[];
  /** Why pods can have no cgroups of their own; absent: they can. */
  readonly problem?: string;
}

/** How far one gets with the runtime's socket. */
export type RuntimeReach = 'answers' | 'missing' | 'no-socket' | 'not-permitted' | 'refused' | 'silent' | 'no-cri' | 'failed';

export interface RuntimeFacts {
  readonly endpoint: string;
  readonly reach: RuntimeReach;
  /** What was said where it does not answer. */
  readonly message: string;
  readonly version?: RuntimeVersion;
  readonly conditions: readonly RuntimeCondition[];
  /** Only runtimes of CRI 1.28 and newer tell. */
  readonly cgroupDriver?: CgroupDriver;
  /** As mqlet is told to make them. */
  readonly ownCgroupDriver: CgroupDriver;
  readonly setup?: RuntimeSetup;
  readonly sandboxImagePresent?: boolean;
  /** Names under which programs of the runtime are found, of those looked for. */
  readonly programs: readonly string[];
  readonly configFile?: RuntimeConfigFile;
}

/** What the runtime says of its own configuration. */
export interface RuntimeSetup {
  readonly sandboxImage?: string;
  readonly cniConfDirectory?: string;
  readonly cniBinDirectories?: readonly string[];
  readonly systemdCgroup?: boolean;
  readonly snapshotter?: string;
  /** Program that starts containers, by name or path. */
  readonly runcBinary?: string;
  /** Directories of hosts.toml files. */
  readonly registryDirectories?: readonly string[];
  /** Where it keeps images and containers. */
  readonly rootDirectory?: string;
  /** Why the runtime could not load a CNI network. */
  readonly cniProblem?: string;
}

export interface RuntimeConfigFile {
  readonly path: string;
  readonly disabledPlugins: readonly string[];
}

export interface CniFacts {
  readonly confDirectory: string;
  readonly confDirectoryExists: boolean;
  /** In the order in which the runtime takes them: the first one counts. */
  readonly files: readonly CniFile[];
  readonly binDirectories: readonly string[];
  /** Programs in those directories. */
  readonly programs: readonly string[];
  /** Whether the NAT table can be listed; absent where that was not tried. */
  readonly iptables?: { readonly works: boolean; readonly message: string };
}

export interface CniFile {
  readonly name: string;
  readonly network: string;
  /** Programs it calls, those for addresses among them. */
  readonly plugins: readonly string[];
  readonly problem?: string;
}

/** One registry in the runtime's directories of mirrors. */
export interface MirrorFacts {
  readonly file: string;
  readonly registry: string;
  readonly problems: readonly string[];
  /** Hosts it names that do not answer, each with the reason. */
  readonly unreachable: readonly string[];
  readonly hosts: readonly string[];
}

/** A directory mqlet or the runtime writes to. */
export interface PlaceFacts {
  /** As in `mqlet's root directory`. */
  readonly what: string;
  /** Setting to name another one. */
  readonly setting: string;
  readonly path: string;
  readonly kind: 'directory' | 'missing' | 'other';
  /** Permission bits, such as 0o755. */
  readonly mode?: number;
  readonly userId?: number;
  /** Why nothing can be written there or, where it is missing, at its nearest parent. */
  readonly unwritable?: string;
  /** Two places of one file system have the same. */
  readonly device?: number;
  readonly capacityBytes?: number;
  readonly availableBytes?: number;
  /** 0 where the file system does not count them. */
  readonly inodes?: number;
  readonly inodesFree?: number;
}

export interface SecretFileFacts {
  readonly setting: string;
  readonly path: string;
  readonly mode: number;
  readonly userId: number;
}

export interface CertificateFileFacts {
  readonly setting: string;
  readonly path: string;
  /** Why it cannot be read as a certificate. */
  readonly problem?: string;
  /** All that the file holds. */
  readonly certificates: readonly CertificateFacts[];
  /** Of a client certificate: whether the key belongs to it. */
  readonly keyProblem?: string;
}

export interface ManifestFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly pods: number;
  /** Lines of what is wrong, errors first. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export interface ClockFacts {
  readonly nowMs: number;
  /** No clock that is right says less. */
  readonly builtAtMs: number;
  /** The newest of the files that mqlet wrote before. */
  readonly newestFile?: { readonly path: string; readonly modifiedAtMs: number };
  /** What the system says of its time service; absent where it has none that we know. */
  readonly synchronized?: boolean;
}

export interface NameFacts {
  readonly nodeName: string;
  readonly nodeNameSetting: boolean;
  readonly resolvConf: { readonly path: string; readonly exists: boolean; readonly servers: readonly string[]; readonly searches: readonly string[] } | undefined;
  /** Where systemd-resolved writes the servers behind its own address, when it does. */
  readonly resolvedFile?: string;
}

export interface NeighbourFacts {
  /** The mqlet of this root directory runs. */
  readonly own?: { readonly version: string };
  /** Other agents of the machine that would manage the same runtime's pods. */
  readonly agents: readonly { readonly processId: number; readonly program: string; readonly command: string }[];
  /** Ports that mqlet would listen on and that something else has. */
  readonly portsTaken: readonly { readonly setting: string; readonly address: string }[];
  /** Absent where systemd does not run. */
  readonly services?: readonly ServiceFacts[];
}

/** A unit as systemd shows it. */
export interface ServiceFacts {
  readonly unit: string;
  readonly role: 'agent' | 'runtime';
  /** `loaded`, `not-found`, `masked`, … */
  readonly load: string;
  /** `active`, `inactive`, `failed`, … */
  readonly active: string;
  /** `success`, `exit-code`, `watchdog`, … */
  readonly result: string;
  /** `enabled`, `disabled`, … */
  readonly enabled: string;
}
