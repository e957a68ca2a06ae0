// Volumes and mounts: where they are on the node and how containers see them. Kinds: emptyDir on disk, hostPath.
// Others were refused at admission (unsupported-features.ts).
import type { Container, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { Mount } from '../../ports/runtime-port.ts';
import type { NodeSettings } from './node-settings.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type VolumeMount = NonNullable<Container['volumeMounts']>[number];

/** A directory that must exist; `mode` counts only when it is made. */
export interface DirectoryNeed {
  readonly path: string;
  readonly mode: number;
}

const emptyDirMode = 0o777;
const hostDirectoryMode = 0o755;

export function podDirectory(uid: string, { rootDirectory }: Pick<NodeSettings, 'rootDirectory'>): string {
  return `${rootDirectory}/pods/${uid}`;
}

function emptyDirPath(desired: DesiredPod, volume: Volume, settings: Pick<NodeSettings, 'rootDirectory'>): string {
  return `${podDirectory(desired.uid, settings)}/volumes/kubernetes.io~empty-dir/${volume.name}`;
}

/** The directories of a pod's volumes that we make. */
export function volumeDirectories(desired: DesiredPod, settings: Pick<NodeSettings, 'rootDirectory'>): readonly DirectoryNeed[] {
  const needs: DirectoryNeed[] = [];
  for (const volume of desired.pod.spec.volumes ?? []) {
    if (volume.emptyDir !== undefined) needs.push({ path: emptyDirPath(desired, volume, settings), mode: emptyDirMode });
    if (volume.hostPath?.type === 'DirectoryOrCreate') needs.push({ path: volume.hostPath.path, mode: hostDirectoryMode });
  }
  return needs;
}

/**
 * The token volume that an API server's admission adds to every pod. It speaks to an API server that this node cannot reach,
 * so it is left out, with its mounts.
 */
export function isApiAccessVolume(volume: Volume): boolean {
  return volume.projected !== undefined && volume.name.startsWith('kube-api-access-');
}

/** In the order of the specification. The fault is a message for the container's waiting state. */
export function containerMounts(
  desired: DesiredPod,
  container: Container,
  settings: Pick<NodeSettings, 'rootDirectory'>,
): Result<readonly Mount[], string> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = desired.pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (volume !== undefined && isApiAccessVolume(volume)) continue;
    const hostPath = volume && hostPathOf(desired, volume, settings);
    if (hostPath === undefined) return fail(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath,
      readonly: mount.readOnly === true,
      selinuxRelabel: false,
      propagation: propagationOf(mount),
    });
  }
  return ok(mounts);
}

function hostPathOf(desired: DesiredPod, volume: Volume, settings: Pick<NodeSettings, 'rootDirectory'>): string | undefined {
  if (volume.emptyDir !== undefined) return emptyDirPath(desired, volume, settings);
  return volume.hostPath?.path;
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
