// Volumes, and the downward API fields that volumes and environment share. Checks only.
import { hasParentStep, notConfigKey, notLabel, notPathInside, notSubdomain } from './field-formats.ts';
import { parseQuantity } from '../../ports/quantity.ts';
import type { PodSpec } from '../../ports/pod-types.ts';
import type { DownwardItem, FieldSelector, KeyToPath, ResourceSelector, Volume, VolumeProjection } from './pod-parts.ts';
import { element, field, type Path, type Problems } from './problems.ts';

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'] as const;
const fieldsAnywhere = ['metadata.name', 'metadata.namespace', 'metadata.uid'];
const fieldsByUse = {
  env: [...fieldsAnywhere, 'spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs'],
  volume: [...fieldsAnywhere, 'metadata.annotations', 'metadata.labels'],
} as const;
const resourceFields = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory'];
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const projectionKinds = ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle'] as const;

/** @returns the names of all volumes, wrong ones too, so that a mount of one is not reported as well */
export function validateVolumes(volumes: readonly Volume[], path: Path, problems: Problems): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const at = element(path, index);
    const name = volume.name ?? '';
    const detail = notLabel(name);
    if (name === '') problems.required(field(at, 'name'));
    else if (detail !== undefined) problems.invalid(field(at, 'name'), name, detail);
    else if (names.has(name)) problems.duplicate(field(at, 'name'), name);
    names.add(name);
    const sources = Object.keys(volume).filter((key) => key !== 'name');
    for (const extra of sources.slice(1)) problems.forbidden(field(at, extra), 'may not specify more than 1 volume type');
    validateSource(volume, at, problems);
  }
  return names;
}

function validateSource(volume: Volume, path: Path, problems: Problems): void {
  const { hostPath, emptyDir, secret, configMap, downwardAPI, projected } = volume;
  if (hostPath !== undefined) validateHostPath(hostPath, field(path, 'hostPath'), problems);
  if (emptyDir?.sizeLimit !== undefined && (parseQuantity(emptyDir.sizeLimit) ?? 0) < 0) {
    problems.invalid(field(field(path, 'emptyDir'), 'sizeLimit'), emptyDir.sizeLimit, 'must be greater than or equal to 0');
  }
  if (secret !== undefined) validateFiles({ ...secret, name: secret.secretName }, { path: field(path, 'secret'), nameField: 'secretName', problems });
  if (configMap !== undefined) validateFiles(configMap, { path: field(path, 'configMap'), nameField: 'name', problems });
  if (downwardAPI !== undefined) {
    validateMode(downwardAPI.defaultMode, field(field(path, 'downwardAPI'), 'defaultMode'), problems);
    validateDownwardItems(downwardAPI.items ?? [], field(field(path, 'downwardAPI'), 'items'), problems);
  }
  if (projected !== undefined) validateProjected(projected, field(path, 'projected'), problems);
  validateRequired(volume, path, problems);
}

/** The one or two fields that make the other sources meaningful. */
function validateRequired(volume: Volume, path: Path, problems: Problems): void {
  const { nfs, csi, persistentVolumeClaim } = volume;
  if (nfs !== undefined) {
    if (!nfs.server) problems.required(field(field(path, 'nfs'), 'server'));
    if (!nfs.path) problems.required(field(field(path, 'nfs'), 'path'));
    else if (!nfs.path.startsWith('/')) problems.invalid(field(field(path, 'nfs'), 'path'), nfs.path, 'must be an absolute path');
  }
  if (csi !== undefined && !csi.driver) problems.required(field(field(path, 'csi'), 'driver'));
  if (persistentVolumeClaim !== undefined) {
    requireName(persistentVolumeClaim.claimName, field(field(path, 'persistentVolumeClaim'), 'claimName'), problems);
  }
}

function validateHostPath(source: NonNullable<Volume['hostPath']>, path: Path, problems: Problems): void {
  if (!source.path) problems.required(field(path, 'path'));
  else if (hasParentStep(source.path)) problems.invalid(field(path, 'path'), source.path, 'must not contain ".."');
  if (source.type !== undefined && !hostPathTypes.some((type) => type === source.type)) {
    problems.unsupported(field(path, 'type'), source.type, hostPathTypes);
  }
}

interface FilesSource {
  readonly name?: string | undefined;
  readonly items?: readonly KeyToPath[];
  readonly defaultMode?: number;
}

function validateFiles(
  source: FilesSource, where: { readonly path: Path; readonly nameField: string; readonly problems: Problems },
): void {
  const { path, problems } = where;
  requireName(source.name, field(path, where.nameField), problems);
  validateMode(source.defaultMode, field(path, 'defaultMode'), problems);
  for (const [index, item] of (source.items ?? []).entries()) {
    const at = element(field(path, 'items'), index);
    const key = item.key ?? '';
    const detail = notConfigKey(key);
    if (key === '') problems.required(field(at, 'key'));
    else if (detail !== undefined) problems.invalid(field(at, 'key'), key, detail);
    validatePathInside(item.path, field(at, 'path'), problems);
    validateMode(item.mode, field(at, 'mode'), problems);
  }
}

function requireName(name: string | undefined, path: Path, problems: Problems): void {
  const detail = notSubdomain(name ?? '');
  if (name === undefined || name === '') problems.required(path);
  else if (detail !== undefined) problems.invalid(path, name, detail);
}

function validateMode(mode: number | undefined, path: Path, problems: Problems): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    problems.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive');
  }
}

function validatePathInside(inside: string | undefined, path: Path, problems: Problems): void {
  if (inside === undefined || inside === '') return problems.required(path);
  const detail = notPathInside(inside) ?? (inside.startsWith('..') ? 'must not start with ".."' : undefined);
  if (detail !== undefined) problems.invalid(path, inside, detail);
}

function validateProjected(source: NonNullable<Volume['projected']>, path: Path, problems: Problems): void {
  validateMode(source.defaultMode, field(path, 'defaultMode'), problems);
  for (const [index, projection] of (source.sources ?? []).entries()) {
    const at = element(field(path, 'sources'), index);
    const given = projectionKinds.filter((kind) => projection[kind] !== undefined);
    if (given.length === 0) problems.required(at, `one of ${projectionKinds.join(', ')} must be given`);
    for (const extra of given.slice(1)) problems.forbidden(field(at, extra), 'may not specify more than 1 volume type');
    validateProjection(projection, at, problems);
  }
}

function validateProjection(projection: VolumeProjection, path: Path, problems: Problems): void {
  for (const kind of ['secret', 'configMap'] as const) {
    const source = projection[kind];
    if (source !== undefined) validateFiles(source, { path: field(path, kind), nameField: 'name', problems });
  }
  validateDownwardItems(projection.downwardAPI?.items ?? [], field(field(path, 'downwardAPI'), 'items'), problems);
  const token = projection.serviceAccountToken;
  if (token === undefined) return;
  validatePathInside(token.path, field(field(path, 'serviceAccountToken'), 'path'), problems);
  const seconds = token.expirationSeconds;
  const secondsPath = field(field(path, 'serviceAccountToken'), 'expirationSeconds');
  if (seconds !== undefined && seconds < tokenSecondsMin) problems.invalid(secondsPath, seconds, 'may not specify a duration less than 10 minutes');
  if (seconds !== undefined && seconds > tokenSecondsMax) problems.invalid(secondsPath, seconds, 'may not specify a duration larger than 2^32 seconds');
}

/** A token is somebody's. The volume that API servers add is left alone: copied from there, it is left out here. */
export function validateTokenOwner({ serviceAccountName, volumes = [] }: PodSpec, path: Path, problems: Problems): void {
  if (serviceAccountName) return;
  for (const [index, volume] of volumes.entries()) {
    if (volume.name?.startsWith('kube-api-access-') === true) continue;
    const sources = field(field(element(path, index), 'projected'), 'sources');
    for (const [at, source] of (volume.projected?.sources ?? []).entries()) {
      if (source.serviceAccountToken !== undefined) problems.forbidden(field(element(sources, at), 'serviceAccountToken'), 'must not be specified when serviceAccountName is not set');
    }
  }
}

function validateDownwardItems(items: readonly DownwardItem[], path: Path, problems: Problems): void {
  for (const [index, item] of items.entries()) {
    const at = element(path, index);
    validatePathInside(item.path, field(at, 'path'), problems);
    validateMode(item.mode, field(at, 'mode'), problems);
    if (item.fieldRef !== undefined && item.resourceFieldRef !== undefined) {
      problems.invalid(at, '', 'fieldRef and resourceFieldRef can not be specified simultaneously');
    }
    if (item.fieldRef !== undefined) validateDownwardField(item.fieldRef, field(at, 'fieldRef'), { use: 'volume', problems });
    else if (item.resourceFieldRef === undefined) problems.required(at, 'one of fieldRef and resourceFieldRef is required');
    if (item.resourceFieldRef === undefined) continue;
    // In a volume, unlike in a container's environment, nothing says which container is meant.
    if (!item.resourceFieldRef.containerName) problems.required(field(field(at, 'resourceFieldRef'), 'containerName'));
    validateResourceField(item.resourceFieldRef, field(at, 'resourceFieldRef'), problems);
  }
}

export function validateDownwardField(
  selector: FieldSelector, path: Path, options: { readonly use: keyof typeof fieldsByUse; readonly problems: Problems },
): void {
  const { use, problems } = options;
  const fieldPath = selector.fieldPath ?? '';
  if (selector.apiVersion !== undefined && selector.apiVersion !== 'v1') problems.unsupported(field(path, 'apiVersion'), selector.apiVersion, ['v1']);
  if (fieldPath === '') return problems.required(field(path, 'fieldPath'));
  if (/^metadata\.(labels|annotations)\['[^']+'\]$/.test(fieldPath)) return;
  if (!fieldsByUse[use].some((known) => known === fieldPath)) problems.unsupported(field(path, 'fieldPath'), fieldPath, fieldsByUse[use]);
}

export function validateResourceField(selector: ResourceSelector, path: Path, problems: Problems): void {
  const resource = selector.resource ?? '';
  if (resource === '') return problems.required(field(path, 'resource'));
  if (resourceFields.includes(resource) || /^(limits|requests)\.hugepages-\w+$/.test(resource)) return;
  problems.unsupported(field(path, 'resource'), resource, resourceFields);
}
