// The files of configMap, secret, downwardAPI and projected volumes, from the objects as they are now. Pure; nothing is written here.
import type { Container, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { FindObject, StoredObjectKind } from '../../ports/stored-object.ts';
import type { FindToken } from '../../ports/service-token.ts';
import type { ContentFile } from '../../ports/volumes-port.ts';
import { podFieldValue, resourceFieldValue } from './field-values.ts';
import type { NodeSettings } from './node-settings.ts';
import { commonUser, tokenNeed, type TokenProjection } from './service-tokens.ts';
import { isApiAccessVolume } from './volumes.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

export interface ContentSources {
  readonly desired: DesiredPod;
  readonly objects: FindObject;
  readonly settings: Pick<NodeSettings, 'nodeName' | 'allocatable'>;
  /** Absent: there are no tokens. */
  readonly tokens?: FindToken;
  /** Whether a token that does not come may be missing from the volume that API servers add to every pod. */
  readonly withoutLateTokens?: boolean;
}

export interface ContentFault {
  /** The cause that a FailedMount event shows. */
  readonly message: string;
  /** A token has been asked for, and is on its way as far as anybody knows. */
  readonly awaited: boolean;
  /** Worth telling. */
  readonly told: boolean;
}

interface ObjectPart {
  readonly kind: StoredObjectKind;
  readonly name: string;
  readonly optional: boolean;
  readonly items: readonly { readonly key: string; readonly path: string; readonly mode?: number }[] | undefined;
}

/** Read access for the pod's group; these volumes are never written by it. */
const groupRead = 0o440;
const modeDefault = 0o644;
const tokenMode = 0o600;
const utf8 = new TextEncoder();

/** Sorted by path; later sources win. */
export function volumeContent(volume: Volume, sources: ContentSources): Result<readonly ContentFile[], ContentFault> {
  const files = new Map<string, ContentFile>();
  const fault = fillVolume(files, volume, sources);
  if (fault !== undefined) return fail(typeof fault === 'string' ? { message: fault, awaited: false, told: true } : fault);
  for (const path of files.keys()) {
    if (!isInside(path)) return fail({ message: `path ${JSON.stringify(path)} must be relative and may not lead out of the volume`, awaited: false, told: true });
  }
  const group = sources.desired.pod.spec.securityContext?.fsGroup === undefined ? 0 : groupRead;
  return ok([...files.values()].map((file) => ({ ...file, mode: file.mode | group })).sort((a, b) => (a.path < b.path ? -1 : 1)));
}

function fillVolume(files: Map<string, ContentFile>, volume: Volume, sources: ContentSources): string | ContentFault | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return addObject(files, objectPart('ConfigMap', configMap.name, configMap), configMap.defaultMode, sources);
  if (secret !== undefined) return addObject(files, objectPart('Secret', secret.secretName, secret), secret.defaultMode, sources);
  if (downwardAPI !== undefined) return addFields(files, downwardAPI.items, downwardAPI.defaultMode, sources);
  for (const source of projected?.sources ?? []) {
    const mode = projected?.defaultMode;
    const fault = source.configMap !== undefined ? addObject(files, objectPart('ConfigMap', source.configMap.name, source.configMap), mode, sources)
      : source.secret !== undefined ? addObject(files, objectPart('Secret', source.secret.name, source.secret), mode, sources)
        : source.serviceAccountToken !== undefined ? addToken(files, source.serviceAccountToken, volume, mode, sources)
          : addFields(files, source.downwardAPI?.items, mode, sources);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A token is its reader's alone: everybody's only where the containers run as different users. */
function addToken(files: Map<string, ContentFile>, source: TokenProjection, volume: Volume, mode = modeDefault, sources: ContentSources): ContentFault | undefined {
  const { desired, tokens, withoutLateTokens } = sources;
  const answer = tokens?.(tokenNeed(desired, source)) ?? { kind: 'unavailable', message: 'failed to fetch token: there is no cloud to ask' };
  if (answer.kind !== 'issued') {
    const doesWithout = isApiAccessVolume(volume) && (answer.kind === 'unavailable' || (answer.kind === 'awaited' && answer.late && withoutLateTokens === true));
    return doesWithout ? undefined : { message: answer.message, awaited: answer.kind === 'awaited', told: answer.kind !== 'awaited' || answer.late };
  }
  const user = commonUser(desired.pod.spec);
  const isOwned = user !== undefined || desired.pod.spec.securityContext?.fsGroup !== undefined;
  add(files, { path: source.path, content: utf8.encode(answer.token.reveal()), mode: isOwned ? tokenMode : mode, ...(user === undefined ? {} : { uid: user }) });
  return undefined;
}

function objectPart(kind: StoredObjectKind, name = '', { optional, items }: { readonly optional?: boolean; readonly items?: ObjectPart['items'] }): ObjectPart {
  return { kind, name, optional: optional === true, items };
}

function addObject(files: Map<string, ContentFile>, part: ObjectPart, mode = modeDefault, { desired, objects }: ContentSources): string | undefined {
  const object = objects({ kind: part.kind, namespace: desired.namespace, name: part.name });
  if (object === undefined) return part.optional ? undefined : `${part.kind.toLowerCase()} "${part.name}" not found`;
  const items = part.items === undefined || part.items.length === 0 ? object.data.keys().map((key) => ({ key, path: key })) : part.items;
  for (const item of items) {
    const content = object.data.get(item.key);
    if (content !== undefined) add(files, { path: item.path, content, mode: ('mode' in item ? item.mode : undefined) ?? mode });
    else if (!part.optional) return part.kind === 'Secret' ? `references non-existent secret key: ${item.key}` : `configmap references non-existent config key: ${item.key}`;
  }
  return undefined;
}

function addFields(files: Map<string, ContentFile>, items: DownwardItems = [], mode = modeDefault, sources: ContentSources): string | undefined {
  for (const item of items) {
    const text = item.fieldRef !== undefined ? fieldText(item.fieldRef.fieldPath, sources) : resourceText(item, sources);
    if (!text.ok) return text.fault;
    add(files, { path: item.path, content: utf8.encode(text.value), mode: item.mode ?? mode });
  }
  return undefined;
}

function add(files: Map<string, ContentFile>, file: ContentFile): void {
  const path = file.path.split('/').filter((name) => name !== '' && name !== '.').join('/');
  files.set(file.path.startsWith('/') ? file.path : path, { ...file, path });
}

function fieldText(fieldPath: string, { desired, settings }: ContentSources): Result<string, string> {
  const { labels, annotations } = desired.pod.metadata;
  if (fieldPath === 'metadata.labels') return ok(mapText(labels));
  if (fieldPath === 'metadata.annotations') return ok(mapText(annotations));
  // Addresses and the like are not known when volumes are made.
  if (!fieldPath.startsWith('metadata.')) return fail(`unsupported fieldPath: ${fieldPath}`);
  return podFieldValue(fieldPath, { desired, podIps: [], hostIps: [], settings });
}

function resourceText({ resourceFieldRef }: DownwardItems[number], { desired, settings }: ContentSources): Result<string, string> {
  if (resourceFieldRef === undefined) return ok('');
  const { spec } = desired.pod;
  const container: Container | undefined = [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === resourceFieldRef.containerName);
  if (container === undefined) return fail(`container ${resourceFieldRef.containerName ?? ''} not found`);
  return resourceFieldValue(resourceFieldRef, container, { desired, podIps: [], hostIps: [], settings });
}

/** One `key="value"` a line, sorted by key, values as Go quotes them. */
function mapText(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map).sort().map((key) => `${key}=${goQuoted(map[key] ?? '')}`).join('\n');
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\v': '\\v',
};

function goQuoted(text: string): string {
  const escaped = text.replace(/["\\]|[^\P{C}]|[^\P{Z}]/gu, (character) => {
    if (character === ' ') return character;
    const code = character.codePointAt(0) ?? 0;
    const hex = (width: number) => code.toString(16).padStart(width, '0');
    return shortEscapes[character] ?? (code < 0x80 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`);
  });
  return `"${escaped}"`;
}

/** Longest path and longest name in it that kubelet takes. */
const pathLengthMax = 4_096;
const nameLengthMax = 255;

function isInside(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.startsWith('..') || path.length > pathLengthMax) return false;
  return path.split('/').every((name) => name !== '..' && name.length <= nameLengthMax);
}
