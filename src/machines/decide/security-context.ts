// Users, capabilities, namespaces and profiles: the pod's security context merged with the container's.
import type { Container, ContainerId, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ContainerConfig, NamespaceOptions, SandboxConfig, SecurityProfile, SelinuxOptions } from '../../ports/runtime-port.ts';
import type { NodeSettings } from './node-settings.ts';
import { allContainers } from './plan-ephemeral.ts';

type ContainerSecurity = ContainerConfig['linux']['securityContext'];
type SandboxSecurity = SandboxConfig['linux']['securityContext'];

/** Who the image runs as where the pod does not say; both absent is root. `targetId`: whose processes the container shall see. */
export interface ImageUser {
  readonly uid?: number | undefined;
  readonly username?: string | undefined;
  readonly targetId?: ContainerId | undefined;
}

const maskedPaths = [
  '/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list',
  '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** @see kubelet behaviour, "Namespaces" */
export function namespaceOptions({ hostNetwork, hostIPC, hostPID, shareProcessNamespace }: PodSpec): NamespaceOptions {
  return {
    network: hostNetwork === true ? 'NODE' : 'POD',
    ipc: hostIPC === true ? 'NODE' : 'POD',
    pid: hostPID === true ? 'NODE' : shareProcessNamespace === true ? 'POD' : 'CONTAINER',
  };
}

/** Where processes are shared anyway there is nothing to aim at. */
function withTarget(options: NamespaceOptions, targetId: ContainerId | undefined): NamespaceOptions {
  return targetId === undefined || options.pid !== 'CONTAINER' ? options : { ...options, pid: 'TARGET', targetId };
}

/** The sandbox's own process is always confined by the runtime's seccomp profile. */
export function sandboxSecurityContext(spec: PodSpec): SandboxSecurity {
  const { securityContext: own } = spec;
  const containers = allContainers(spec);
  return {
    namespaceOptions: namespaceOptions(spec),
    ...(own?.runAsUser === undefined ? {} : { runAsUser: { value: own.runAsUser } }),
    ...(own?.runAsUser === undefined || own.runAsGroup === undefined ? {} : { runAsGroup: { value: own.runAsGroup } }),
    supplementalGroups: supplementalGroups(spec),
    privileged: containers.some((container) => container.securityContext?.privileged === true),
    seccomp: { profileType: 'RuntimeDefault', localhostRef: '' },
    ...(own?.seLinuxOptions === undefined ? {} : { selinuxOptions: selinux(own.seLinuxOptions) }),
  };
}

/**
 * @returns a fault with kubelet's words when the pod forbids root and the container would, or might, run as root
 * @see kubelet behaviour, "Security context"
 */
export function containerSecurityContext(
  desired: DesiredPod,
  container: Container,
  user: ImageUser,
  settings: Pick<NodeSettings, 'rootDirectory'>,
): Result<ContainerSecurity, string> {
  const { spec } = desired.pod;
  const own = container.securityContext;
  const merged = { ...spec.securityContext, ...own };
  const root = rootFault(desired, container, user);
  if (root !== undefined) return fail(root);

  const username = merged.runAsUser === undefined && user.uid === undefined ? (user.username ?? '') : '';
  const uid = merged.runAsUser ?? (username === '' ? (user.uid ?? 0) : undefined);
  const unmasked = own?.procMount === 'Unmasked';
  return ok({
    ...(own?.capabilities === undefined
      ? {}
      : { capabilities: { addCapabilities: own.capabilities.add ?? [], dropCapabilities: own.capabilities.drop ?? [] } }),
    privileged: own?.privileged === true,
    namespaceOptions: withTarget(namespaceOptions(spec), user.targetId),
    ...(uid === undefined ? {} : { runAsUser: { value: uid } }),
    runAsUsername: username,
    ...(merged.runAsGroup === undefined ? {} : { runAsGroup: { value: merged.runAsGroup } }),
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    supplementalGroups: supplementalGroups(spec),
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    seccomp: seccompProfile(merged.seccompProfile, settings),
    ...apparmorProfile(desired, container),
    ...(merged.seLinuxOptions === undefined ? {} : { selinuxOptions: selinux(merged.seLinuxOptions) }),
  });
}

function rootFault(desired: DesiredPod, container: Container, user: ImageUser): string | undefined {
  const merged = { ...desired.pod.spec.securityContext, ...container.securityContext };
  if (merged.runAsNonRoot !== true) return undefined;
  const where = `(pod: "${desired.name}_${desired.namespace}(${desired.uid})", container: ${container.name})`;
  if (merged.runAsUser !== undefined) return merged.runAsUser === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  if (user.uid === undefined && user.username) {
    return `container has runAsNonRoot and image has non-numeric user (${user.username}), cannot verify user is non-root ${where}`;
  }
  return (user.uid ?? 0) === 0 ? `container has runAsNonRoot and image will run as root ${where}` : undefined;
}

function supplementalGroups({ securityContext }: PodSpec): readonly number[] {
  const { fsGroup, supplementalGroups: groups = [] } = securityContext ?? {};
  return fsGroup === undefined ? groups : [fsGroup, ...groups];
}

function seccompProfile(
  profile: { readonly type: string; readonly localhostProfile?: string } | undefined,
  { rootDirectory }: Pick<NodeSettings, 'rootDirectory'>,
): SecurityProfile {
  if (profile?.type === 'Localhost') return { profileType: 'Localhost', localhostRef: `${rootDirectory}/seccomp/${profile.localhostProfile ?? ''}` };
  return { profileType: profile?.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined', localhostRef: '' };
}

/** @see kubelet behaviour, "Security context": the field wins over the annotation of older versions */
export const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

function apparmorProfile({ pod }: DesiredPod, container: Container): Pick<ContainerSecurity, 'apparmor' | 'apparmorProfile'> {
  const field = { ...pod.spec.securityContext, ...container.securityContext }.appArmorProfile;
  const annotation = pod.metadata.annotations?.[`${appArmorAnnotation}${container.name}`] ?? '';
  const text = field === undefined ? annotation : appArmorText(field);
  if (text === '') return {};
  if (text === 'unconfined') return { apparmor: { profileType: 'Unconfined', localhostRef: '' }, apparmorProfile: text };
  const local = /^localhost\/(.*)$/.exec(text)?.[1];
  if (local !== undefined) return { apparmor: { profileType: 'Localhost', localhostRef: local }, apparmorProfile: text };
  return { apparmor: { profileType: 'RuntimeDefault', localhostRef: '' }, apparmorProfile: 'runtime/default' };
}

function appArmorText({ type, localhostProfile = '' }: { readonly type: string; readonly localhostProfile?: string }): string {
  if (type === 'Unconfined') return 'unconfined';
  return type === 'Localhost' ? `localhost/${localhostProfile}` : 'runtime/default';
}

function selinux({ user = '', role = '', type = '', level = '' }: Partial<SelinuxOptions>): SelinuxOptions {
  return { user, role, type, level };
}
