// What a pod may ask for that this release does not do. Such a pod is refused with the field's name, never run without it.
// The tables shrink as features are built.
import type { Container, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { isHugePagesMedium } from './huge-pages.ts';
import { asContainer } from './plan-ephemeral.ts';
import { hugepagesPrefix } from './resources.ts';
import { isApiAccessVolume } from './volumes.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type AnyContainer = Container & { readonly targetContainerName?: string };

/** The field, and whether it asks for something. */
type Row<T> = readonly [field: string, asks: (value: T) => boolean];

const present = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

const podRows: readonly Row<PodSpec>[] = [
  ['resourceClaims', (spec) => present(spec.resourceClaims)],
];

const containerRows: readonly Row<AnyContainer>[] = [
  ['volumeDevices', (container) => present(container.volumeDevices)],
  ['resources.claims', (container) => present(container.resources?.claims)],
];

const volumeRows: readonly Row<Volume>[] = [
  ['emptyDir.medium', ({ emptyDir }) => !['', 'Memory', undefined].includes(emptyDir?.medium) && !isHugePagesMedium(emptyDir?.medium)],
];
const volumeKinds = new Set(['name', 'emptyDir', 'hostPath', 'configMap', 'secret', 'downwardAPI', 'projected']);
const projectedKinds = new Set(['configMap', 'secret', 'downwardAPI', 'serviceAccountToken']);

/** What depends on the node rather than on this version. */
export interface NodeAbilities {
  /** Whether the cloud can be asked for tokens of service accounts; absent is no. */
  readonly serviceAccountTokens?: boolean;
}

/** Resources whose limits the runtime enforces, or eviction (local-storage-limits.ts). */
const limitable = new Set(['cpu', 'memory', 'ephemeral-storage']);

/**
 * The first thing asked for that cannot be given; `undefined` when all of it can.
 * The token volume that API servers add to every pod is left out instead of refused (volumes.ts).
 */
export function unsupportedFeature(desired: DesiredPod, node: NodeAbilities = {}): { readonly reason: string; readonly message: string } | undefined {
  const { spec } = desired.pod;
  const field = firstRow(podRows, spec, 'spec') ?? volumeField(spec) ?? containerField(spec);
  const message = field === undefined ? tokenTrouble(desired, node) : `${field} is not supported by this version of the node agent`;
  return message === undefined ? undefined : { reason: 'UnsupportedPodFeature', message };
}

/** A token that a pod asks for itself must be had, unlike the one that it is given. */
function tokenTrouble({ source, pod: { spec } }: DesiredPod, { serviceAccountTokens }: NodeAbilities): string | undefined {
  if (serviceAccountTokens === true && source === 'mqtt') return undefined;
  const field = firstOf(spec.volumes, 'spec.volumes', (volume, path) => (isApiAccessVolume(volume) ? undefined
    : firstOf(volume.projected?.sources, `${path}.projected.sources`, (projection, at) => (projection.serviceAccountToken === undefined ? undefined : `${at}.serviceAccountToken`))));
  if (field === undefined) return undefined;
  const why = source === 'mqtt' ? 'the link to the cloud carries no requests for tokens' : 'only pods of the API have service accounts';
  return `${field} cannot be had: ${why}`;
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
    if (kind !== undefined) return `${path}.${kind}`;
    return firstRow(volumeRows, volume, path) ?? firstOf(volume.projected?.sources, `${path}.projected.sources`, (source, at) => {
      const projection = Object.keys(source).find((key) => !projectedKinds.has(key));
      return projection && `${at}.${projection}`;
    });
  });
}

function containerField(spec: PodSpec): string | undefined {
  const ask = (container: Container, path: string) =>
    firstRow(containerRows, container, path) ?? resourceField(container, path);
  const ephemeral = spec.ephemeralContainers?.map(asContainer);
  return firstOf(spec.initContainers, 'spec.initContainers', ask) ?? firstOf(spec.containers, 'spec.containers', ask) ?? firstOf(ephemeral, 'spec.ephemeralContainers', ask);
}

function resourceField({ resources }: Container, path: string): string | undefined {
  const name = Object.keys(resources?.limits ?? {}).find((resource) => !limitable.has(resource) && !resource.startsWith(hugepagesPrefix));
  return name && `${path}.resources.limits[${name}]`;
}
