// A pod's specification as CRI configurations, and the paths on the node that go with them.
import type { Container, ContainerId, DesiredPod } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type { ContainerConfig, Mount, PortMapping, SandboxConfig } from '../../ports/runtime-port.ts';
import type { FindObject } from '../../ports/stored-object.ts';
import { containerEnvironment, environmentList } from './container-env.ts';
import { podDns } from './dns.ts';
import { expandVariables } from './env-expansion.ts';
import { podHostname } from './hostname.ts';
import type { NodeSettings } from './node-settings.ts';
import { containerResources, sandboxOverhead, sandboxResources } from './resources.ts';
import { handlerOf } from './runtime-abilities.ts';
import { containerAnnotations, containerLabels, sandboxLabels } from './runtime-labels.ts';
import { containerSecurityContext, sandboxSecurityContext } from './security-context.ts';
import { dottedSysctl } from './sysctls.ts';
import { allContainers } from './plan-ephemeral.ts';
import { containerMounts, type DirectoryNeed, podDirectory, volumeDirectories } from './volumes.ts';

/** Shown as the container's waiting reason and message. */
export interface ConfigFault {
  readonly reason: 'CreateContainerConfigError';
  readonly message: string;
}

export interface ContainerConfigInput {
  readonly desired: DesiredPod;
  readonly container: Container;
  /** Restarts before this instance; also CRI's attempt. */
  readonly restartCount: number;
  /** As the image actor resolved it. */
  readonly imageRef: string;
  readonly imageUid?: number;
  readonly imageUsername?: string;
  /** Of the sandbox; empty on the host's network. */
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly settings: NodeSettings;
  /** Secrets and config maps for the environment. */
  readonly objects?: FindObject;
  /** The pod's hosts file on the node, where the container gets it. */
  readonly hostsFile?: string;
  /** Of an ephemeral container: whose processes it shall see. */
  readonly targetId?: ContainerId;
  /** What the runtime's handlers can do; nothing where it does not tell. */
  readonly handlers?: readonly RuntimeHandlerFacts[];
}

/**
 * @param options.cgroupParent empty leaves the place to the runtime
 * @see kubelet behaviour, "PodSandboxConfig"
 */
export function sandboxConfig(desired: DesiredPod, { attempt, cgroupParent }: { readonly attempt: number; readonly cgroupParent: string }, settings: NodeSettings): SandboxConfig {
  const { metadata, spec } = desired.pod;
  const overhead = sandboxOverhead(spec);
  return {
    metadata: { name: desired.name, uid: desired.uid, namespace: desired.namespace, attempt },
    hostname: podHostname(desired, settings),
    logDirectory: podLogDirectory(desired, settings),
    dnsConfig: podDns(desired, settings),
    portMappings: portMappings(desired),
    labels: sandboxLabels(desired),
    annotations: metadata.annotations ?? {},
    linux: {
      cgroupParent,
      sysctls: sysctls(desired),
      securityContext: sandboxSecurityContext(spec),
      resources: sandboxResources(spec),
      ...(overhead === undefined ? {} : { overhead }),
    },
  };
}

/** @see kubelet behaviour, "ContainerConfig" */
export function containerConfig(input: ContainerConfigInput): Result<ContainerConfig, ConfigFault> {
  const { desired, container, restartCount, imageRef, settings } = input;
  const environment = containerEnvironment(container, {
    desired,
    podIps: desired.pod.spec.hostNetwork === true ? input.hostIps : input.podIps,
    hostIps: input.hostIps,
    settings,
    ...(input.objects === undefined ? {} : { objects: input.objects }),
  });
  if (!environment.ok) return configFault(environment.fault);
  const security = containerSecurityContext(desired, container, { uid: input.imageUid, username: input.imageUsername, targetId: input.targetId }, settings);
  if (!security.ok) return configFault(security.fault);
  const mounts = containerMounts(desired, container, settings, handlerOf(desired, input.handlers ?? []));
  if (!mounts.ok) return configFault(mounts.fault);
  const expand = (text: string) => expandVariables(text, (name) => environment.value.get(name));
  return ok({
    metadata: { name: container.name, attempt: restartCount },
    image: { image: imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map(expand),
    args: (container.args ?? []).map(expand),
    workingDir: container.workingDir ?? '',
    envs: environmentList(environment.value),
    mounts: input.hostsFile === undefined ? mounts.value : [...mounts.value, hostsMount(input.hostsFile)],
    labels: containerLabels(desired, container),
    annotations: containerAnnotations(desired, container, restartCount),
    logPath: `${container.name}/${restartCount}.log`,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    linux: { resources: containerResources(desired, container, settings), securityContext: security.value },
  });
}

function configFault(message: string): Result<never, ConfigFault> {
  return fail({ reason: 'CreateContainerConfigError', message });
}

/** Containers may write to it, as under kubelet. */
function hostsMount(hostPath: string): Mount {
  return { containerPath: '/etc/hosts', hostPath, readonly: false, selinuxRelabel: false, propagation: 'PROPAGATION_PRIVATE' };
}

/** Of the regular containers, without repetitions. The runtime leaves them alone on the host's network. */
function portMappings({ pod: { spec } }: DesiredPod): readonly PortMapping[] {
  const byKey = new Map<string, PortMapping>();
  for (const { ports = [] } of spec.containers) {
    for (const { protocol, containerPort, hostPort = 0, hostIP = '' } of ports) {
      const mapping: PortMapping = { protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP', containerPort, hostPort, hostIp: hostIP };
      const key = `${mapping.protocol} ${hostIP} ${hostPort} ${containerPort}`;
      if (!byKey.has(key)) byKey.set(key, mapping);
    }
  }
  return [...byKey.values()];
}

function sysctls({ pod: { spec } }: DesiredPod): Readonly<Record<string, string>> {
  return Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [dottedSysctl(name), value]));
}

function podLogDirectory({ namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string }, { podLogsDirectory }: NodeSettings): string {
  return `${podLogsDirectory}/${namespace}_${name}_${uid}`;
}

/** Holds `<restart count>.log` of each instance. */
export function containerLogDirectory(desired: DesiredPod, container: string, settings: NodeSettings): string {
  return `${podLogDirectory(desired, settings)}/${container}`;
}

export const logDirectoryMode = 0o755;

/** What must exist before the sandbox starts; parents before children. */
export function podDirectories(desired: DesiredPod, settings: NodeSettings): readonly DirectoryNeed[] {
  return [
    { path: podDirectory(desired.uid, settings), mode: 0o750 },
    ...volumeDirectories(desired, settings),
    ...allContainers(desired.pod.spec).map(({ name }) => ({ path: containerLogDirectory(desired, name, settings), mode: logDirectoryMode })),
  ];
}

/** What goes with the pod, in this order: by its own directory an interrupted removal is found again. */
export function podOwnedTrees(desired: DesiredPod, settings: NodeSettings): readonly string[] {
  return [podLogDirectory(desired, settings), podDirectory(desired.uid, settings)];
}

const pathSafe = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;

/**
 * The same for a pod of which only the runtime's labels are left. They may have been written by anybody, so what is no plain
 * name gives no path.
 * @param name of one of its sandboxes, if there is any
 */
export function orphanTrees(
  uid: string,
  name: { readonly namespace: string; readonly name: string } | undefined,
  settings: NodeSettings,
): readonly string[] {
  if (!pathSafe.test(uid)) return [];
  const isNamed = name !== undefined && pathSafe.test(name.namespace) && pathSafe.test(name.name);
  return [...(isNamed ? [podLogDirectory({ ...name, uid }, settings)] : []), podDirectory(uid, settings)];
}
