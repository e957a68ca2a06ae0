// Kubernetes Events in few bytes: only what cannot be told from the rest (docs/wire.md, section 6). Both ways, and only where nothing
// is lost: an event that does not come back the same is not compacted.
import type { ApiWrite } from '../../api-write.ts';
import { sameJson } from '../../ingress/canonical-json.ts';
import { rfc3339Seconds } from '../../../ports/rfc3339.ts';
import type { Event } from '../../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { describeJsonType, type JsonObject } from '../json-value.ts';
import { bad, type WireFault } from './wire-fault.ts';

type EventWrite = Extract<ApiWrite, { kind: 'Event' }>;

/** An event as the cloud side reads it. */
export interface ExpandedEvent {
  readonly namespace: string;
  readonly name: string;
  /** As it should be afterwards. */
  readonly object: JsonObject;
  /** Undefined for a new event. */
  readonly patch: JsonObject | undefined;
}

/** @returns undefined where the event is not of the common form */
export function compactEvent(write: EventWrite, nodeName: string): JsonObject | undefined {
  if (write.verb === 'update') return undefined;
  const { involvedObject, reason, message, type, count } = write.object;
  const { kind, namespace, name, uid, fieldPath } = involvedObject;
  const at = secondsOf(write.object.firstTimestamp);
  const last = secondsOf(write.object.lastTimestamp);
  const prefix = `${name ?? ''}.`;
  if (!write.name.startsWith(prefix) || at === undefined || last === undefined) return undefined;
  const compact: JsonObject = {
    id: write.name.slice(prefix.length), kind, namespace, name, uid, path: fieldPath, reason, message, at,
    ...(last === at ? {} : { last }),
    ...(count === 1 ? {} : { count }),
    ...(type === 'Warning' ? { warning: true } : {}),
    ...(write.verb === 'patch' ? { repeat: true } : {}),
  };
  const expanded = expandEvent(compact, nodeName);
  if (!expanded.ok || !isSame(expanded.value, write)) return undefined;
  return compact;
}

function isSame(expanded: ExpandedEvent, write: EventWrite): boolean {
  if (expanded.namespace !== write.namespace || expanded.name !== write.name) return false;
  const { apiVersion: _apiVersion, kind: _kind, ...object } = write.object as Event & { readonly apiVersion?: string; readonly kind?: string }; // Optional in the type as well.
  return sameJson(expanded.object, object) && sameJson(expanded.patch, write.verb === 'patch' ? write.patch : undefined);
}

function secondsOf(time: unknown): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isInteger(ms / 1_000) ? ms / 1_000 : undefined;
}

const texts = ['kind', 'namespace', 'name', 'uid', 'path', 'reason', 'message', 'id'] as const;
const needed: ReadonlySet<string> = new Set(['kind', 'name', 'id']);
const secondsMax = 253_402_300_799;

/** Never throws. Absent fields are as the description of the dialect says. */
export function expandEvent(compact: JsonObject, nodeName: string): Result<ExpandedEvent, WireFault> {
  for (const field of texts) {
    const value = compact[field];
    if (typeof value === 'string' || (value === undefined && !needed.has(field))) continue;
    return fail(bad(`must be a string, not ${describeJsonType(value)}`, field));
  }
  for (const field of ['at', 'last', 'count']) {
    const value = compact[field];
    if (value === undefined && field !== 'at') continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > secondsMax) return fail(bad('must be a whole number', field));
  }
  return ok(expanded(compact, nodeName));
}

function expanded(compact: JsonObject, nodeName: string): ExpandedEvent {
  const { kind, namespace: given, name: subject, uid, path, reason, message, id, at, last, warning, repeat } = compact;
  const namespace = typeof given === 'string' ? given : 'default';
  const name = `${String(subject)}.${String(id)}`;
  const count = typeof compact.count === 'number' ? compact.count : 1;
  const lastTimestamp = timeText(last ?? at);
  const object = {
    metadata: { name, namespace },
    involvedObject: present({ apiVersion: kind === 'Pod' ? 'v1' : undefined, kind, namespace: given, name: subject, uid, fieldPath: path }),
    ...present({ reason, message }),
    type: warning === true ? 'Warning' : 'Normal',
    source: { component: 'kubelet', host: nodeName },
    reportingComponent: 'kubelet',
    reportingInstance: nodeName,
    firstTimestamp: timeText(at),
    lastTimestamp,
    count,
  };
  return { namespace, name, object, patch: repeat === true ? { count, lastTimestamp } : undefined };
}

function timeText(seconds: unknown): string {
  return rfc3339Seconds(Number(seconds) * 1_000);
}

function present(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
