// Volumes and mounts: where they are on the node and how containers see them. Kinds that are not here were refused at admission
// (unsupported-features.ts).
import type { Container, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type { Mount } from '../../ports/runtime-port.ts';
import type { HostPathType, SubPathRequest } from '../../ports/volumes-port.ts';
import { expandVariables } from './env-expansion.ts';
import { type HugePagesSize, hugePagesSize, isHugePagesMedium } from './huge-pages.ts';
import type { NodeSettings } from './node-settings.ts';
import { wholeUnits } from './quantity.ts';
import { recursiveReadOnly } from './runtime-abilities.ts';

export type Volume = NonNullable<PodSpec['volumes']>[number];
type VolumeMount = NonNullable<Container['volumeMounts']>[number];
type Root = Pick<NodeSettings, 'rootDirectory'>;

/** A directory that must exist; `mode` counts only when it is made. */
export interface DirectoryNeed {
  readonly path: string;
  readonly mode: number;
}

/** What has to be done for a volume before a container may see it. */
export type VolumeNeed =
  | { readonly kind: 'content'; readonly volume: Volume; readonly path: string; readonly inMemory: boolean }
  | { readonly kind: 'memory'; readonly volume: Volume; readonly path: string; readonly sizeBytes: number }
  | ({ readonly kind: 'hugePages'; readonly volume: Volume; readonly path: string } & HugePagesSize)
  /** It cannot be made, whatever the node does. */
  | { readonly kind: 'impossible'; readonly volume: Volume; readonly path: string; readonly message: string }
  /** A directory that only has to be given to the pod's group. */
  | { readonly kind: 'directory'; readonly volume: Volume; readonly path: string }
  | { readonly kind: 'hostPath'; readonly volume: Volume; readonly path: string; readonly type: HostPathType };

export const emptyDirMode = 0o777;

export function podDirectory(uid: string, { rootDirectory }: Root): string {
  return `${rootDirectory}/pods/${uid}`;
}

/** The file system in memory that all pods' secrets share: one mount of the node instead of one for each volume. */
export function memoryRoot({ rootDirectory }: Root): string {
  return `${rootDirectory}/memory`;
}

export function podMemoryDirectory(uid: string, settings: Root): string {
  return `${memoryRoot(settings)}/${uid}`;
}

function emptyDirPath(uid: string, volume: Volume, settings: Root): string {
  return `${podDirectory(uid, settings)}/volumes/kubernetes.io~empty-dir/${volume.name}`;
}

/** Volumes that take of the node's disk, and where. */
export function localVolumes(desired: DesiredPod, settings: Root): readonly { readonly name: string; readonly path: string }[] {
  const local = (desired.pod.spec.volumes ?? []).filter(({ emptyDir, configMap }) => configMap !== undefined || (emptyDir !== undefined && !emptyDir.medium));
  return local.map((volume) => ({ name: volume.name, path: volumePath(desired.uid, volume, settings) ?? emptyDirPath(desired.uid, volume, settings) }));
}

/** The directories of a pod's volumes that we make with the pod's own. */
export function volumeDirectories(desired: DesiredPod, settings: Root): readonly DirectoryNeed[] {
  const needs: DirectoryNeed[] = [];
  for (const volume of desired.pod.spec.volumes ?? []) {
    if (volume.emptyDir !== undefined && !volume.emptyDir.medium) needs.push({ path: emptyDirPath(desired.uid, volume, settings), mode: emptyDirMode });
  }
  return needs;
}

/** In the order of the specification; nothing for pods whose volumes are plain directories. */
export function volumeNeeds(desired: DesiredPod, settings: Pick<NodeSettings, 'rootDirectory' | 'allocatable' | 'serviceAccountTokens'>): readonly VolumeNeed[] {
  const { volumes, securityContext } = desired.pod.spec;
  if (volumes === undefined) return [];
  const needs: VolumeNeed[] = [];
  for (const volume of volumes) {
    const path = volumePath(desired.uid, volume, settings);
    const { emptyDir, hostPath } = volume;
    if (path === undefined || isLeftOut(desired, volume, settings)) continue;
    if (emptyDir?.medium === 'Memory') needs.push({ kind: 'memory', volume, path, sizeBytes: memorySize(desired, volume, settings) });
    else if (isHugePagesMedium(emptyDir?.medium)) needs.push(hugePagesNeed(desired, volume, path));
    else if (emptyDir !== undefined && securityContext?.fsGroup !== undefined) needs.push({ kind: 'directory', volume, path });
    else if (hostPath?.type) needs.push({ kind: 'hostPath', volume, path, type: hostPath.type as HostPathType }); // Validated at ingress.
    else if (isContent(volume)) needs.push({ kind: 'content', volume, path, inMemory: volume.configMap === undefined });
  }
  return needs;
}

function hugePagesNeed(desired: DesiredPod, volume: Volume, path: string): VolumeNeed {
  const size = hugePagesSize(desired, volume.emptyDir?.medium ?? '');
  return size.ok ? { kind: 'hugePages', volume, path, ...size.value } : { kind: 'impossible', volume, path, message: size.fault };
}

function isContent({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return configMap !== undefined || secret !== undefined || downwardAPI !== undefined || projected !== undefined;
}

/** The smallest of its own limit, what the pod's containers may use together, and what the node can give. */
function memorySize({ pod: { spec } }: DesiredPod, { emptyDir }: Volume, { allocatable }: Pick<NodeSettings, 'allocatable'>): number {
  const limits = spec.containers.map(({ resources }) => wholeUnits(resources?.limits?.['memory']));
  const podLimit = limits.every((limit) => limit > 0) ? limits.reduce((sum, limit) => sum + limit, 0) : 0;
  const ceilings = [wholeUnits(emptyDir?.sizeLimit), podLimit, allocatable.memoryBytes].filter((bytes) => bytes > 0);
  return Math.min(...ceilings);
}

/** The token volume that an API server's admission adds to every pod, wanted or not. */
export function isApiAccessVolume(volume: Volume): boolean {
  return volume.projected !== undefined && volume.name.startsWith('kube-api-access-');
}

/** Whether that volume is left out, with its mounts, because nobody can be asked for its token. */
export function isLeftOut({ source }: DesiredPod, volume: Volume, { serviceAccountTokens }: Pick<NodeSettings, 'serviceAccountTokens'>): boolean {
  return isApiAccessVolume(volume) && (serviceAccountTokens !== true || source !== 'mqtt');
}

function volumePath(uid: string, volume: Volume, settings: Root): string | undefined {
  if (volume.emptyDir !== undefined) return emptyDirPath(uid, volume, settings);
  if (volume.hostPath !== undefined) return volume.hostPath.path;
  if (volume.configMap !== undefined) return `${podDirectory(uid, settings)}/volumes/kubernetes.io~configmap/${volume.name}`;
  const plugin = volume.secret !== undefined ? 'secret' : volume.downwardAPI !== undefined ? 'downward-api' : volume.projected !== undefined ? 'projected' : undefined;
  return plugin === undefined ? undefined : `${podMemoryDirectory(uid, settings)}/kubernetes.io~${plugin}/${volume.name}`;
}

/**
 * In the order of the specification. The fault is a message for the container's waiting state.
 * @param handler of the pod; undefined where the runtime tells of none
 */
export function containerMounts(
  desired: DesiredPod,
  container: Container,
  settings: Root & Pick<NodeSettings, 'serviceAccountTokens'>,
  handler?: RuntimeHandlerFacts,
): Result<readonly Mount[], string> {
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = desired.pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (volume !== undefined && isLeftOut(desired, volume, settings)) continue;
    const path = volume && volumePath(desired.uid, volume, settings);
    if (volume === undefined || path === undefined) return fail(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const recursive = recursiveReadOnly(mount, handler);
    if (!recursive.ok) return recursive;
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: hasSubPath(mount) ? subPathTarget(desired, container, mount, index, settings) : path,
      readonly: mount.readOnly === true || isContent(volume),
      selinuxRelabel: false,
      propagation: propagationOf(mount),
      ...(recursive.value ? { recursiveReadOnly: true } : {}),
    });
  }
  return ok(mounts);
}

/**
 * Places inside a volume where containers mount others: they must exist beforehand, for inside a read-only volume nobody can make them.
 * Relative to the volume.
 */
export function nestedMountPoints({ pod: { spec } }: DesiredPod, volumeName: string): readonly string[] {
  const found = new Set<string>();
  for (const { volumeMounts = [] } of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const outer of volumeMounts) {
      if (outer.name !== volumeName || hasSubPath(outer)) continue;
      const prefix = `${outer.mountPath.replace(/\/+$/, '')}/`;
      for (const { mountPath } of volumeMounts) if (mountPath.startsWith(prefix)) found.add(mountPath.slice(prefix.length).replace(/\/+$/, ''));
    }
  }
  return [...found].filter((path) => path !== '' && !path.split('/').includes('..')).sort();
}

function hasSubPath({ subPath, subPathExpr }: VolumeMount): boolean {
  return Boolean(subPath) || Boolean(subPathExpr);
}

function subPathTarget(desired: DesiredPod, container: Container, mount: VolumeMount, index: number, settings: Root): string {
  return `${podDirectory(desired.uid, settings)}/volume-subpaths/${mount.name}/${container.name}/${index}`;
}

/** @param variable of the container's environment */
export function subPathRequests(
  desired: DesiredPod,
  container: Container,
  settings: Root,
  variable: (name: string) => string | undefined,
): Result<readonly SubPathRequest[], string> {
  const requests: SubPathRequest[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = desired.pod.spec.volumes?.find(({ name }) => name === mount.name);
    const root = volume && volumePath(desired.uid, volume, settings);
    if (!hasSubPath(mount) || root === undefined) continue;
    const subPath = mount.subPathExpr ? expandedPath(mount.subPathExpr, variable) : ok(mount.subPath ?? '');
    if (!subPath.ok) return subPath;
    if (subPath.value.startsWith('/')) return fail(`error SubPath \`${subPath.value}\` must not be an absolute path`);
    if (subPath.value.split('/').includes('..')) return fail(`unable to provision SubPath \`${subPath.value}\`: must not contain '..'`);
    requests.push({ volume: mount.name, root, subPath: subPath.value, target: subPathTarget(desired, container, mount, index, settings) });
  }
  return ok(requests);
}

/** Here, unlike elsewhere, a variable that is missing or empty is an error. */
function expandedPath(expression: string, variable: (name: string) => string | undefined): Result<string, string> {
  const missing: string[] = [];
  const path = expandVariables(expression, (name) => {
    const value = variable(name);
    if (!value) missing.push(name);
    return value;
  });
  return missing.length === 0 ? ok(path) : fail(`missing value for ${JSON.stringify(missing[0])}`);
}

function propagationOf({ mountPropagation }: VolumeMount): Mount['propagation'] {
  switch (mountPropagation) {
    case 'HostToContainer':
      return 'PROPAGATION_HOST_TO_CONTAINER';
    case 'Bidirectional':
      return 'PROPAGATION_BIDIRECTIONAL';
    default:
      return 'PROPAGATION_PRIVATE';
  }
}
