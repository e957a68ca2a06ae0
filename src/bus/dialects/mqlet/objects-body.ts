// Objects on their way down, in pushes and in answers to holdings: reads them, and takes them into the holdings (docs/wire.md, section 7).
// The objects themselves are judged elsewhere (decode-pod.ts); here only what surrounds them.
import { fail, ok, type Result } from '../../../ports/result.ts';
import type { Node, PodUid } from '../../../ports/pod-types.ts';
import { checkObject } from '../check-object.ts';
import type { HeldPod, ObjectsMessage, PodDifference } from '../dialect.ts';
import { describeJsonType, isJsonObject, type JsonObject } from '../json-value.ts';
import { type Holdings, heldMax } from './holdings.ts';
import { keyOfObject } from './tokens.ts';
import { bad, type WireFault } from './wire-fault.ts';

export type TakenObjects = Omit<ObjectsMessage, 'kind' | 'received'>;

interface Taking {
  readonly holdings: Holdings;
  readonly pods: JsonObject[];
  readonly changes: PodDifference[];
  readonly secrets: JsonObject[];
  readonly configMaps: JsonObject[];
  readonly gone: HeldPod[];
  node: Node | undefined;
  doubtful: boolean;
}

/** All or nothing: a body that is not in order changes nothing. Entries that are older than what is held are left out. */
export function takeObjectsBody(body: JsonObject, holdings: Holdings): Result<TakenObjects, WireFault> {
  const put = listOf(body, 'put');
  if (!put.ok) return put;
  const gone = listOf(body, 'gone');
  if (!gone.ok) return gone;
  const fault = firstFault(put.value, putFault, 'put') ?? firstFault(gone.value, goneFault, 'gone');
  if (fault !== undefined) return fail(fault);
  const taking: Taking = { holdings, pods: [], changes: [], secrets: [], configMaps: [], gone: [], node: undefined, doubtful: false };
  for (const entry of put.value) takePut(entry, taking);
  for (const entry of gone.value) takeGone(entry, taking);
  const { holdings: _holdings, ...taken } = taking;
  return ok(taken);
}

function listOf(body: JsonObject, field: string): Result<readonly JsonObject[], WireFault> {
  const value = body[field] ?? [];
  if (!Array.isArray(value)) return fail(bad(`must be a list, not ${describeJsonType(value)}`, field));
  if (value.length > heldMax) return fail(bad(`must have at most ${heldMax} entries`, field));
  const index = value.findIndex((entry) => !isJsonObject(entry));
  return index < 0 ? ok(value) : fail(bad(`must be a mapping, not ${describeJsonType(value[index])}`, `${field}[${index}]`));
}

function firstFault(entries: readonly JsonObject[], faultOf: (entry: JsonObject) => WireFault | undefined, list: string): WireFault | undefined {
  for (const [index, entry] of entries.entries()) {
    const fault = faultOf(entry);
    if (fault !== undefined) return { ...fault, field: `${list}[${index}].${fault.field ?? ''}` };
  }
  return undefined;
}

const textLengthMax = 600;

function textFault(entry: JsonObject, field: string): WireFault | undefined {
  const value = entry[field];
  if (typeof value === 'string' && value.length <= textLengthMax) return undefined;
  return bad(typeof value === 'string' ? `has more than ${textLengthMax} characters` : `must be a string, not ${describeJsonType(value)}`, field);
}

function putFault(entry: JsonObject): WireFault | undefined {
  const texts = 'change' in entry ? ['kind', 'token', 'status', 'key', 'base'] : ['kind', 'token', 'status'];
  for (const field of texts) {
    const fault = textFault(entry, field);
    if (fault !== undefined) return fault;
  }
  const field = 'change' in entry ? 'change' : 'object';
  const value = entry[field];
  if (!isJsonObject(value)) return bad(`must be a mapping, not ${describeJsonType(value)}`, field);
  if (entry.kind !== 'Node') return undefined;
  const checked = checkObject('Node', value);
  return checked.ok ? undefined : bad(checked.fault.message, `object.${checked.fault.field}`);
}

function goneFault(entry: JsonObject): WireFault | undefined {
  return textFault(entry, 'key') ?? (entry.version === undefined ? undefined : textFault(entry, 'version'));
}

function takePut(entry: JsonObject, taking: Taking): void {
  const { kind, token, status } = entry as { kind: string; token: string; status: string }; // putFault has looked.
  if (isJsonObject(entry.change)) {
    takeChange({ kind, key: String(entry.key), base: String(entry.base), token, status, change: entry.change }, taking);
    return;
  }
  const object = isJsonObject(entry.object) ? entry.object : {};
  const key = keyOfObject(kind, object);
  const { resourceVersion: version, namespace, name } = isJsonObject(object.metadata) ? object.metadata : {};
  // Without a key it cannot be held; its own decoding says what is missing.
  const podName = kind === 'Pod' && typeof namespace === 'string' && typeof name === 'string' ? { name: { namespace, name } } : {};
  if (key !== undefined && !taking.holdings.put(key, { token, status, version, ...podName })) return;
  switch (kind) {
    case 'Pod': taking.pods.push(object); return;
    case 'Secret': taking.secrets.push(object); return;
    case 'ConfigMap': taking.configMaps.push(object); return;
    // Its shape was checked with the entry's.
    case 'Node': taking.node = object as Node; return;
    // Of kinds to come there is nothing to do here.
    default: return;
  }
}

interface Change {
  readonly kind: string;
  readonly key: string;
  readonly base: string;
  readonly token: string;
  readonly status: string;
  readonly change: JsonObject;
}

function takeChange({ kind, key, base, token, status, change }: Change, taking: Taking): void {
  const held = taking.holdings.tokens(key);
  const { resourceVersion: version } = isJsonObject(change.metadata) ? change.metadata : {};
  if (held?.token === token) return;
  // Another status means that the answer to a write of ours was lost: patches against the one we know would be taken for patches of that.
  if (kind !== 'Pod' || held?.token !== base || held.status !== status) {
    taking.doubtful = true;
    return;
  }
  if (taking.holdings.put(key, { token, status, version })) taking.changes.push({ uid: key as PodUid, change }); // A pod's key is its UID.
}

function takeGone(entry: JsonObject, taking: Taking): void {
  const key = String(entry.key);
  const name = taking.holdings.nameOf(key) ?? { namespace: '', name: '' };
  if (!taking.holdings.remove(key, entry.version)) return;
  // Secrets and config maps that nothing uses are dropped by who keeps them.
  if (!key.includes('/') && key !== 'Node') taking.gone.push({ uid: key as PodUid, ...name }); // A pod's key is its UID.
}
