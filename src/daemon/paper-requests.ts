// What a runtime would be asked for, on paper: the sandbox and each container of a pod, and what cannot be had whatever the node does.
// The runtime on paper can do all that any runtime can; identifiers that it would give are described.
import { podCgroupPath } from '../machines/decide/cgroups.ts';
import { containerConfig, sandboxConfig } from '../machines/decide/cri-config.ts';
import { hostsFilePath, takesHostsFile } from '../machines/decide/hosts-file.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { allContainers } from '../machines/decide/plan-ephemeral.ts';
import { qosClass } from '../machines/decide/qos.ts';
import { userNamespaceFault } from '../machines/decide/runtime-abilities.ts';
import { terminationLog, terminationMount } from '../machines/decide/termination-message.ts';
import { isLeftOut, volumeNeeds } from '../machines/decide/volumes.ts';
import type { InputFault } from '../ports/faults.ts';
import type { Container, ContainerId, DesiredPod } from '../ports/pod-types.ts';
import type { RuntimeHandlerFacts } from '../ports/runtime-handlers.ts';
import type { ContainerConfig, SandboxConfig } from '../ports/runtime-port.ts';

/** CRI's RunPodSandbox and CreateContainer, in its camelCase. The image stands for the ID that the runtime would give it. */
export interface RuntimeRequests {
  readonly sandbox: SandboxConfig;
  readonly containers: readonly ContainerConfig[];
}

function ableHandlers({ pod: { spec } }: DesiredPod): readonly RuntimeHandlerFacts[] {
  return [{ name: spec.runtimeClassName ?? '', recursiveReadOnlyMounts: true, userNamespaces: true }];
}

/** What would fail, or be missing, after the pod has been taken. */
export function paperFaults(desired: DesiredPod, settings: NodeSettings): readonly InputFault[] {
  const { origin, name } = desired;
  const users = userNamespaceFault(desired, ableHandlers(desired));
  const broken = volumeNeeds(desired, settings).flatMap((need) => (need.kind === 'impossible' ? [`volume ${need.volume.name} could not be made: ${need.message}`] : []));
  const leftOut = (desired.pod.spec.volumes ?? []).filter((volume) => isLeftOut(desired, volume, settings));
  return [
    ...(users === undefined ? [] : [{ origin, message: `pod ${name} would fail: UnsupportedPodFeature: ${users}`, severity: 'error' as const }]),
    ...broken.map((message) => ({ origin, message: `pod ${name} would not start: ${message}`, severity: 'error' as const })),
    ...leftOut.map((volume) => ({ origin, message: `volume ${volume.name} is left out: only pods of the API have service accounts`, severity: 'warning' as const })),
  ];
}

export function runtimeRequests(desired: DesiredPod, settings: NodeSettings, faults: InputFault[]): RuntimeRequests {
  const containers: ContainerConfig[] = [];
  for (const container of allContainers(desired.pod.spec)) {
    const config = containerConfig({
      desired, container, restartCount: 0, imageRef: container.image ?? '', podIps: [], hostIps: [], settings, handlers: ableHandlers(desired),
      ...(takesHostsFile(container) ? { hostsFile: hostsFilePath(desired.uid, settings) } : {}),
      ...targetOnPaper(desired, container),
    });
    if (config.ok) containers.push({ ...config.value, mounts: terminationMount(container, terminationLogOf(desired, container, settings), config.value.mounts) });
    else faults.push({ origin: desired.origin, message: `container ${container.name} cannot be explained on paper: ${config.fault.reason}: ${config.fault.message}`, severity: 'warning' });
  }
  return { sandbox: sandboxConfig(desired, { attempt: 0, cgroupParent: podCgroupPath(desired.uid, qosClass(desired.pod.spec), { root: '', driver: 'cgroupfs' }) }, settings), containers };
}

function terminationLogOf(desired: DesiredPod, { name }: Container, settings: NodeSettings): string {
  return terminationLog({ podUid: desired.uid, container: name, restartCount: 0 }, settings).path;
}

function targetOnPaper({ pod: { spec } }: DesiredPod, { name }: Container): { readonly targetId?: ContainerId } {
  const target = spec.ephemeralContainers?.find((container) => container.name === name)?.targetContainerName;
  // It stands for an ID, in a text for people.
  return target ? { targetId: `<ID of container ${target}>` as ContainerId } : {};
}
