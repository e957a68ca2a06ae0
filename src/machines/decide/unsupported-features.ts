// What a pod may ask for that this release does not do. Such a pod is refused with the field's name, never run without it.
// The tables shrink as features are built.
import type { Container, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { asContainer } from './plan-ephemeral.ts';
import { hugepagesPrefix } from './resources.ts';
import { isApiAccessVolume } from './volumes.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type VolumeMount = NonNullable<Container['volumeMounts']>[number];
type AnyContainer = Container & { readonly targetContainerName?: string };

/** The field, and whether it asks for something. */
type Row<T> = readonly [field: string, asks: (value: T) => boolean];

const present = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

const podRows: readonly Row<PodSpec>[] = [
  ['hostUsers', (spec) => spec.hostUsers === false],
  ['resourceClaims', (spec) => present(spec.resourceClaims)],
];

const containerRows: readonly Row<AnyContainer>[] = [
  ['volumeDevices', (container) => present(container.volumeDevices)],
  ['resources.claims', (container) => present(container.resources?.claims)],
];

const mountRows: readonly Row<VolumeMount>[] = [
  ['recursiveReadOnly', (mount) => mount.recursiveReadOnly === 'Enabled'],
];

const volumeRows: readonly Row<Volume>[] = [
  ['emptyDir.medium', (volume) => !['', 'Memory', undefined].includes(volume.emptyDir?.medium)],
  // On disk, a limit is kept by eviction.
  ['emptyDir.sizeLimit', (volume) => volume.emptyDir?.sizeLimit !== undefined && volume.emptyDir.medium !== 'Memory'],
  ['projected.sources', (volume) => volume.projected?.sources?.some((source) => Object.keys(source).some((kind) => !projectedKinds.has(kind))) === true],
];
const volumeKinds = new Set(['name', 'emptyDir', 'hostPath', 'configMap', 'secret', 'downwardAPI', 'projected']);
const projectedKinds = new Set(['configMap', 'secret', 'downwardAPI']);

/** Resources whose limits the runtime enforces. */
const limitable = new Set(['cpu', 'memory']);

/**
 * The first thing asked for that cannot be given; `undefined` when all of it can.
 * The token volume that API servers add to every pod is left out instead of refused (volumes.ts).
 */
export function unsupportedFeature({ pod: { spec } }: DesiredPod): { readonly reason: string; readonly message: string } | undefined {
  const field = firstRow(podRows, spec, 'spec') ?? volumeField(spec) ?? containerField(spec);
  if (field === undefined) return undefined;
  return { reason: 'UnsupportedPodFeature', message: `${field} is not supported by this version of the node agent` };
}

function firstRow<T>(rows: readonly Row<T>[], value: T, path: string): string | undefined {
  const row = rows.find(([, asks]) => asks(value));
  return row && `${path}.${row[0]}`;
}

/** The first answer of `ask` over a list, which is given each item with its path. */
function firstOf<T>(list: readonly T[] | undefined, path: string, ask: (item: T, path: string) => string | undefined): string | undefined {
  for (const [index, item] of (list ?? []).entries()) {
    const field = ask(item, `${path}[${index}]`);
    if (field !== undefined) return field;
  }
  return undefined;
}

function volumeField(spec: PodSpec): string | undefined {
  return firstOf(spec.volumes, 'spec.volumes', (volume, path) => {
    if (isApiAccessVolume(volume)) return undefined;
    const kind = Object.keys(volume).find((key) => !volumeKinds.has(key));
    return kind === undefined ? firstRow(volumeRows, volume, path) : `${path}.${kind}`;
  });
}

function containerField(spec: PodSpec): string | undefined {
  const ask = (container: Container, path: string) =>
    firstRow(containerRows, container, path) ??
    resourceField(container, path) ??
    firstOf(container.volumeMounts, `${path}.volumeMounts`, (mount, at) => firstRow(mountRows, mount, at));
  const ephemeral = spec.ephemeralContainers?.map(asContainer);
  return firstOf(spec.initContainers, 'spec.initContainers', ask) ?? firstOf(spec.containers, 'spec.containers', ask) ?? firstOf(ephemeral, 'spec.ephemeralContainers', ask);
}

function resourceField({ resources }: Container, path: string): string | undefined {
  const name = Object.keys(resources?.limits ?? {}).find((resource) => !limitable.has(resource) && !resource.startsWith(hugepagesPrefix));
  return name && `${path}.resources.limits[${name}]`;
}
