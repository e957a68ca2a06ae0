// A node that renews its lease no more is not known to be ready: its conditions become Unknown and a taint keeps new pods away, until it
// is heard again. With a node that is deleted and stays away go its pods. Times are those at which the server saw a renewal, so that the clocks of nodes do not matter.
import { fail, ok } from '../../ports/result.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { type ApiObject, listAt, part } from '../objects.ts';
import { subjectOf } from '../kinds/admit.ts';
import { notFound } from '../refusals.ts';
import { resourceNamed } from '../resources.ts';
import { type Controller, type ControllerDeps, Rounds } from './controller.ts';

/** As kube-controller-manager's --node-monitor-grace-period. */
export const nodeGraceMs = 40_000;
const unreachable = { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' } as const;
const nodeConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

export function startNodeLifecycle(deps: ControllerDeps): Controller {
  const { store, clock, log } = deps;
  const nodes = resourceNamed('nodes');
  const heardAtMs = new Map<string, number>();
  /** Nodes that were deleted: their pods go when they do not come back. */
  const goneAtMs = new Map<string, number>();
  const rounds = new Rounds(clock, async () => {
    const nowMs = clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [name, atMs] of [...heardAtMs]) {
      if (nowMs - atMs < nodeGraceMs) nextMs = Math.min(nextMs, atMs + nodeGraceMs);
      else {
        heardAtMs.delete(name);
        const lost = await write(name, lostNode);
        if (lost.ok) log.info('node.lost', { node: name });
      }
    }
    for (const [name, atMs] of [...goneAtMs]) {
      if (nowMs - atMs < nodeGraceMs) nextMs = Math.min(nextMs, atMs + nodeGraceMs);
      else {
        goneAtMs.delete(name);
        await removePods(deps, name);
      }
    }
    if (nextMs < Number.POSITIVE_INFINITY) rounds.due(Math.max(0, nextMs - clock.monotonicMs()));
  });
  for (const { metadata } of store.all(nodes).values()) heard(metadata.name);
  const unlisten = store.onChange(({ resource, after, key, before }) => {
    if (resource === 'nodes' && after === undefined && before !== undefined) {
      heardAtMs.delete(before.metadata.name);
      goneAtMs.set(before.metadata.name, clock.monotonicMs());
      rounds.due(nodeGraceMs);
    }
    if (after === undefined) return;
    if (resource === 'nodes') goneAtMs.delete(after.metadata.name);
    if (resource === 'leases' && key.startsWith('kube-node-lease/')) heard(after.metadata.name);
    if (resource !== 'nodes') return;
    if (before === undefined || isReady(after)) heard(after.metadata.name);
    if (isReady(after) && listAt(part(after, 'spec'), 'taints').some(isUnreachable)) void write(after.metadata.name, foundNode);
  });
  return {
    stop() {
      unlisten();
      rounds.stop();
    },
  };

  function heard(name: string): void {
    heardAtMs.set(name, clock.monotonicMs());
    rounds.due(nodeGraceMs);
  }

  function write(name: string, change: (node: ApiObject, now: string) => ApiObject): ReturnType<typeof store.write> {
    const key = { resource: nodes, namespace: '', name };
    return store.write(key, (node) => (node === undefined ? fail(notFound(subjectOf(key))) : ok({ kind: 'put', object: change(node, rfc3339Seconds(clock.nowMs())) })));
  }
}

/** Nobody is left who could stop them. */
async function removePods({ store, deleter }: ControllerDeps, nodeName: string): Promise<void> {
  const pods = resourceNamed('pods');
  const own = [...store.all(pods).values()].filter((pod) => part(pod, 'spec')['nodeName'] === nodeName);
  for (const { metadata: { name, namespace = '', uid } } of own) await deleter.delete({ resource: pods, namespace, name }, { grace: 0, uid, resourceVersion: '', dryRun: false });
}

function lostNode(node: ApiObject, now: string): ApiObject {
  const status = part(node, 'status');
  const conditions = listAt(status, 'conditions').map((condition) => (nodeConditions.includes(String(condition['type'])) ? unknown(condition, now) : condition));
  const taints = listAt(part(node, 'spec'), 'taints').filter((taint) => !isUnreachable(taint));
  return { ...node, spec: { ...part(node, 'spec'), taints: [...taints, { ...unreachable, timeAdded: now }] }, status: { ...status, conditions } };
}

function unknown(condition: JsonObject, now: string): JsonObject {
  const lastTransitionTime = condition['status'] === 'Unknown' ? condition['lastTransitionTime'] : now;
  return { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime };
}

function foundNode(node: ApiObject): ApiObject {
  const { taints: _before, ...spec } = part(node, 'spec');
  const taints = listAt(part(node, 'spec'), 'taints').filter((taint) => !isUnreachable(taint));
  return { ...node, spec: taints.length === 0 ? spec : { ...spec, taints } };
}

function isUnreachable(taint: JsonObject): boolean {
  return taint['key'] === unreachable.key && taint['effect'] === unreachable.effect;
}

function isReady(node: ApiObject): boolean {
  return listAt(part(node, 'status'), 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True');
}
