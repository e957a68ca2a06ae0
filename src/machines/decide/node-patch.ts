// The difference between the node's status as the API last accepted it and as it is now, as a strategic merge patch. Pure.
import type { Node } from '../../ports/pod-types.ts';
import type { NodeCondition } from './node-object.ts';

type NodeStatus = NonNullable<Node['status']>;

/** Strategic merge keys conditions by type; `$setElementOrder` puts them in our order. */
export interface NodeStatusPatch {
  readonly metadata?: { readonly labels?: object; readonly annotations?: object };
  readonly status?: object;
}

/** Whether anything but heartbeats differs. */
export function statusChanged(accepted: NodeStatus | undefined, now: NodeStatus): boolean {
  if (accepted === undefined) return true;
  return JSON.stringify(withoutHeartbeats(accepted)) !== JSON.stringify(withoutHeartbeats(now));
}

/** Whether the API shows other conditions than it accepted. What else it may write differently, amounts and lists, proves nothing. */
export function conditionsLost(accepted: NodeStatus | undefined, shown: NodeStatus | undefined): boolean {
  return (accepted?.conditions ?? []).some(({ type, status }) => shown?.conditions?.find((condition) => condition.type === type)?.status !== status);
}

/** Whether a controller has spoken in the node's place because it heard nothing of it: no node says that of itself, so it is no echo. */
export function conditionsOverruled(shown: NodeStatus | undefined): boolean {
  return shown?.conditions?.some(({ reason }) => reason === 'NodeStatusUnknown') ?? false;
}

function withoutHeartbeats(status: NodeStatus): NodeStatus {
  return { ...status, conditions: (status.conditions ?? []).map(({ lastHeartbeatTime: _left, ...condition }) => condition) };
}

/**
 * @param accepted what the API has of us; undefined when nobody knows: then everything is said
 * @returns only `status`, and of it only what differs; heartbeats always
 */
export function nodeStatusPatch(accepted: NodeStatus | undefined, now: NodeStatus): NodeStatusPatch {
  const before: NodeStatus = accepted ?? {};
  const conditions = conditionsPatch(before.conditions ?? [], now.conditions ?? []);
  const status: Record<string, unknown> = {
    ...mapPatch('capacity', before.capacity, now.capacity),
    ...mapPatch('allocatable', before.allocatable, now.allocatable),
    ...mapPatch('nodeInfo', before.nodeInfo, now.nodeInfo),
    ...(same(before.daemonEndpoints, now.daemonEndpoints) ? {} : { daemonEndpoints: now.daemonEndpoints }),
    // The list replaces the old one as a whole: merging by type would lose one of two addresses of a type.
    ...(same(before.addresses, now.addresses) ? {} : { addresses: [...(now.addresses ?? []), { $patch: 'replace' }] }),
    ...(same(before.images, now.images) ? {} : { images: now.images }),
    ...(same(handlersOf(before), handlersOf(now)) ? {} : { runtimeHandlers: handlersOf(now) ?? null }),
    ...conditions,
  };
  return { status };
}

/** Newer than the type of the API that we compile against. */
function handlersOf(status: NodeStatus): unknown {
  return (status as { readonly runtimeHandlers?: unknown }).runtimeHandlers; // So node-object.ts writes it.
}

function conditionsPatch(before: readonly NodeCondition[], now: readonly NodeCondition[]): Record<string, unknown> {
  const changed = now.map((condition) => {
    const known: Partial<NodeCondition> = before.find(({ type }) => type === condition.type) ?? {};
    const differing = Object.entries(condition).filter(([field, value]) => field !== 'type' && known[field as keyof NodeCondition] !== value); // a key of the condition itself
    return { ...Object.fromEntries(differing), type: condition.type };
  }).filter((condition) => Object.keys(condition).length > 1);
  if (changed.length === 0) return {};
  // The API keeps the order it has: it is told only where that is not ours.
  const inOrder = before.length === now.length && before.every(({ type }, index) => type === now[index]?.type);
  return { ...(inOrder ? {} : { '$setElementOrder/conditions': now.map(({ type }) => ({ type })) }), conditions: changed };
}

/** Keys that are gone are set to null, which removes them. */
function mapPatch(name: string, before: object | undefined, now: object | undefined): Record<string, unknown> {
  const old = new Map(Object.entries(before ?? {}));
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(now ?? {})) if (!same(old.get(key), value)) patch[key] = value;
  for (const key of old.keys()) if (now === undefined || !(key in now)) patch[key] = null;
  return Object.keys(patch).length === 0 ? {} : { [name]: patch };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
