// What a write in the mqlet dialect does to the store, and what the node is told of it (docs/wire.md, sections 6, 7 and 10).
// The writes themselves are those of every dialect (cloud-answers.ts); here is what this one says differently. It publishes nothing.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { Tokens } from '../bus/dialects/mqlet/tokens.ts';
import { ownStatusFields, type UpWrite } from '../bus/dialects/mqlet/write-body.ts';
import type { Status } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { baseMismatch, forbidden, notImplemented } from './api-status.ts';
import { type Answering, answerTo, malformed } from './cloud-answers.ts';
import { type Kind, metadataOf, type ObjectKey, specOf, type StoredObject } from './memory-store.ts';
import { tokenDenial } from './node-rights.ts';
import { strategicMerge } from './strategic-merge.ts';

const kinds: ReadonlyMap<string, Kind> = new Map((['Pod', 'Node', 'Lease', 'Event', 'Secret', 'ConfigMap'] as const).map((kind) => [kind, kind]));
const resources: ReadonlyMap<string, string> = new Map([['Pod', 'pods'], ['Node', 'nodes'], ['Lease', 'leases'], ['Event', 'events'], ['TokenRequest', 'serviceaccounts']]);
const containerLists = { containerStatuses: 'name', initContainerStatuses: 'name', ephemeralContainerStatuses: 'name' } as const;
/** Lists that strategic merge would leave addresses in that are gone. */
const addressLists: readonly string[] = ['podIPs', 'hostIPs'];

export interface MqletAnswering extends Answering {
  readonly nodeName: string;
  tokensOf(kind: Kind, object: StoredObject): Tokens;
}

/** The body of the answer; its effect has been had. */
export async function answerWrite(answering: MqletAnswering, write: UpWrite): Promise<JsonObject> {
  let done: Result<JsonObject, Status>;
  try {
    done = await perform(answering, write);
  } catch (error) {
    answering.denials.malformed({ nodeName: answering.nodeName, ...write }, error);
    done = fail(malformed);
  }
  return done.ok ? { accepted: done.value } : { refused: done.fault };
}

async function perform(answering: MqletAnswering, write: UpWrite): Promise<Result<JsonObject, Status>> {
  const { store, calls, denials, nodeName } = answering;
  const kind = kinds.get(write.kind);
  const named = { resource: resources.get(write.kind) ?? write.kind.toLowerCase(), name: write.name };
  if (write.kind === 'TokenRequest') return token(answering, write);
  if (kind === undefined) {
    const why = `a node does not ask for a ${write.kind.slice(0, 63)}`;
    denials.note({ nodeName, verb: write.verb, kind: write.kind, namespace: write.namespace, name: write.name, why });
    return fail(forbidden(named, why));
  }
  const key: ObjectKey = { kind, name: write.name, namespace: kind === 'Node' ? '' : write.namespace };
  const saysPodStatus = kind === 'Pod' && write.verb === 'patchStatus';
  const seen = store.get(key);
  const current = seen.ok || !saysPodStatus ? seen : await calls.get(key, { by: nodeName });
  // Of a pod of another node not even that its status is another may be told.
  const isOwn = current.ok && specOf(current.value).nodeName === nodeName;
  const isPodStatus = saysPodStatus && isOwn && uidIn(write.patch) === current.value.metadata.uid;
  if (isPodStatus && !write.whole && answering.tokensOf('Pod', current.value).status !== write.base) return fail(baseMismatch(named));
  const patch = isPodStatus ? resolvedPatch(current.value, write) : write.patch;
  const answer = await answerTo(answering, upMessage({ ...write, patch }, nodeName));
  if (answer.kind === 'refused') return fail(answer.status);
  // Objects of the store are answered as they are stored.
  return ok(toldOf(answering, kind, write, answer.object as StoredObject));
}

async function token({ store, calls, denials, nodeName }: MqletAnswering, { namespace, name, object = {}, verb }: UpWrite): Promise<Result<JsonObject, Status>> {
  if (calls.requestToken === undefined) return fail(notImplemented('this cloud side issues no tokens of service accounts'));
  const { boundObjectRef } = specOf(object);
  const podName = isJsonObject(boundObjectRef) && typeof boundObjectRef.name === 'string' ? boundObjectRef.name : '';
  const pod = store.get({ kind: 'Pod', namespace, name: podName });
  const why = tokenDenial({ nodeName, namespace, account: name, request: object }, pod.ok ? pod.value : undefined);
  if (why !== undefined) {
    denials.note({ nodeName, verb, kind: 'TokenRequest', namespace, name, why });
    return fail(forbidden({ resource: 'serviceaccounts', name }, why));
  }
  const issued = await calls.requestToken({ namespace, name }, object);
  return issued.ok ? ok({ object: issued.value }) : issued;
}

function uidIn(patch: JsonObject | undefined): unknown {
  return metadataOf(patch ?? {}).uid;
}

/** The patch in the words of the API, which replaces lists of container statuses. */
function resolvedPatch(current: StoredObject, { patch = {}, whole }: UpWrite): JsonObject {
  const before = isJsonObject(current.status) ? current.status : {};
  const said = isJsonObject(patch.status) ? patch.status : {};
  const status: Record<string, unknown> = { ...said };
  for (const [list, key] of Object.entries(containerLists)) {
    if (!Array.isArray(said[list])) continue;
    const order = `$setElementOrder/${list}`;
    const merged = strategicMerge({ [list]: whole ? [] : before[list] }, { [list]: said[list], ...(said[order] === undefined ? {} : { [order]: said[order] }) }, { [list]: key });
    status[list] = merged[list];
    delete status[order];
  }
  if (!whole) return { ...patch, status };
  for (const field of ownStatusFields) if (!Object.hasOwn(said, field) && Object.hasOwn(before, field)) status[field] = null;
  if (Array.isArray(said.conditions)) status.conditions = said.conditions.map((condition: unknown) => whollySaid(condition, before.conditions));
  for (const list of addressLists) if (Array.isArray(status[list])) status[list] = [...status[list], { $patch: 'replace' }];
  return { ...patch, status };
}

/** A condition that is said as a whole, over one that may have more: its fields are merged, and those not named must go. */
function whollySaid(condition: unknown, before: unknown): unknown {
  if (!isJsonObject(condition)) return condition;
  const known: unknown = Array.isArray(before) ? before.find((each: unknown) => isJsonObject(each) && each.type === condition.type) : undefined;
  return { ...Object.fromEntries(Object.keys(isJsonObject(known) ? known : {}).map((field) => [field, null])), ...condition };
}

function upMessage(write: UpWrite, nodeName: string): Parameters<typeof answerTo>[1] {
  const { verb, kind, namespace, name, object, patch, uid, gracePeriodSeconds } = write;
  return {
    objectType: kind.toLowerCase(), operateType: verb === 'patchStatus' ? 'patch' : verb, nodeName, objectName: name, objectNamespace: namespace,
    object, patch, patchSubResources: verb === 'patchStatus' ? ['status'] : [],
    options: { ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }), ...(uid === undefined ? {} : { preconditions: { uid } }) },
  };
}

/** Only what the node does not know. */
function toldOf({ store, tokensOf }: MqletAnswering, kind: Kind, write: UpWrite, object: StoredObject): JsonObject {
  if (write.verb === 'delete') return { version: store.version };
  const { resourceVersion: version } = object.metadata;
  if (write.verb === 'get' || kind === 'Lease') return { version, object };
  if (write.verb === 'create') {
    const sent = metadataOf(write.object ?? {});
    const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([field, value]) => JSON.stringify(sent[field]) !== JSON.stringify(value)));
    // The node object itself comes to the node as a push, so that it has it as the API has it.
    return kind === 'Pod' ? { version, ...tokensOf(kind, object), metadata } : { version, metadata };
  }
  if (kind === 'Pod') return { version, status: tokensOf(kind, object).status };
  return kind === 'Node' ? { version, ...tokensOf(kind, object) } : {};
}
