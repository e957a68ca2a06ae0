// The difference between two pod statuses as a strategic merge patch, no larger than it must be.
import type { PodStatus, PodUid } from '../../ports/pod-types.ts';
import { jsonEqual } from './json-equal.ts';
import { resizeConditionTypes } from './resize-status.ts';
import { disruptionConditionType, ownConditionTypes } from './pod-conditions.ts';

/** Body of a patch of the status subresource; the UID is a precondition. */
export interface PodStatusPatch {
  readonly metadata: { readonly uid: PodUid };
  readonly status: Readonly<Record<string, unknown>>;
}

/** Fields that are the node's to write, in the order in which they are sent. Others of the base are left alone. */
const ownFields = [
  'phase', 'reason', 'message', 'hostIP', 'hostIPs', 'podIP', 'podIPs', 'startTime', 'conditions', 'initContainerStatuses',
  'containerStatuses', 'ephemeralContainerStatuses', 'qosClass',
] as const satisfies readonly (keyof PodStatus)[];

/** Lists that the API merges element by element, by the value of this key. Others are replaced as a whole. */
const mergeKeys: Readonly<Partial<Record<keyof PodStatus, string>>> = { conditions: 'type', podIPs: 'ip', hostIPs: 'ip' };
/** Lists that some dialects merge element by element too. */
const containerKeys: Readonly<Partial<Record<keyof PodStatus, string>>> = {
  containerStatuses: 'name', initContainerStatuses: 'name', ephemeralContainerStatuses: 'name',
};
/** Conditions that are not ours stand among ours: what we do not name must stay. */
const keepsStrangers: ReadonlySet<keyof PodStatus> = new Set(['conditions'] as const);
/** What others have set may have moved on since we saw it: it is theirs to say. */
const ownConditions: ReadonlySet<unknown> = new Set([...ownConditionTypes, ...resizeConditionTypes, disruptionConditionType]);

/** But these are ours, and go when they are no longer true. */
const passing = new Set<string>(resizeConditionTypes);

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param base as the API has it; undefined or wrong parts are said anew
 * @param options.containers how lists of container statuses are merged by who gets the patch; `replaced` when absent, as the API does it
 * @returns undefined when nothing differs; fields that are gone are null
 * @see kubelet behaviour, "Patch"
 */
export function podStatusPatch(
  base: PodStatus | undefined, next: PodStatus, uid: PodUid, options: { readonly containers?: 'replaced' | 'by-name' } = {},
): PodStatusPatch | undefined {
  const byName = options.containers === 'by-name';
  const keys = byName ? { ...mergeKeys, ...containerKeys } : mergeKeys;
  const status: Record<string, unknown> = {};
  for (const field of ownFields) {
    const after: unknown = next[field];
    const before: unknown = base === undefined && byName && field === 'conditions' && after !== undefined ? passedConditions(after) : base?.[field];
    if (jsonEqual(before, after)) continue;
    const mergeKey = keys[field];
    if (after === undefined) status[field] = null;
    else if (mergeKey !== undefined) Object.assign(status, listPatch(field, mergeKey, elements(before), ownElements(field, after)));
    else status[field] = after;
  }
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid }, status };
}

/** Where nobody knows what is there, what has passed may be there still: it is taken away where a taking away of nothing is nothing. */
function passedConditions(after: unknown): readonly Fields[] {
  const shown = new Set(elements(after).map(({ type }) => type));
  return [...passing].filter((type) => !shown.has(type)).map((type) => ({ type }));
}

function elements(list: unknown): readonly Fields[] {
  // Only lists of objects have a merge key; what is missing is an empty list.
  return Array.isArray(list) ? (list as readonly Fields[]) : [];
}

function ownElements(field: keyof PodStatus, list: unknown): readonly Fields[] {
  return field === 'conditions' ? elements(list).filter(({ type }) => ownConditions.has(type)) : elements(list);
}

function listPatch(field: keyof PodStatus, key: string, before: readonly Fields[], after: readonly Fields[]): Fields {
  const keyOf = (element: Fields) => String(element[key]);
  const known = new Map(before.map((element) => [keyOf(element), element]));
  const wanted = new Set(after.map(keyOf));
  const gone = before.filter((element) => !wanted.has(keyOf(element)) && (!keepsStrangers.has(field) || passing.has(keyOf(element))));
  const changed = after.flatMap((element) => elementPatch(key, known.get(keyOf(element)), element) ?? []);
  // The API keeps the order it has and puts what is new behind: the order is told only where that is not the one wanted.
  const merged = [...before.map(keyOf).filter((name) => wanted.has(name)), ...after.map(keyOf).filter((name) => !known.has(name))];
  const inOrder = merged.every((name, index) => name === keyOf(after[index] ?? {}));
  const list = [...changed, ...gone.map((element) => ({ $patch: 'delete', [key]: element[key] }))];
  return {
    ...(inOrder ? {} : { [`$setElementOrder/${field}`]: after.map((element) => ({ [key]: element[key] })) }),
    ...(list.length === 0 ? {} : { [field]: list }),
  };
}

function elementPatch(key: string, before: Fields | undefined, after: Fields): Fields | undefined {
  if (before === undefined) return after;
  const fields = mappingPatch(before, after);
  return Object.keys(fields).length === 0 ? undefined : { [key]: after[key], ...fields };
}

/** Mappings are merged at every depth: what is gone from one inside is null too. A `state` must not wait and run at once. */
function mappingPatch(before: Fields, after: Fields): Fields {
  const fields: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[name], after[name]];
    if (jsonEqual(old, now)) continue;
    fields[name] = isMapping(old) && isMapping(now) ? mappingPatch(old, now) : (now ?? null);
  }
  return fields;
}

function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
