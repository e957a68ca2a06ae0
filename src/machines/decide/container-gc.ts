// Which dead containers and sandboxes go, in which order. Pure: what the runtime listed in, a plan out.
import type { PodUid } from '../../ports/pod-types.ts';
import type { ListedContainer, ListedSandbox, Unidentified } from '../../ports/runtime-port.ts';

export interface ContainerGcPolicy {
  /** A dead container younger than this stays, counted from its creation. */
  readonly minAgeMs: number;
  /** Dead instances that stay of each container, at least 0. */
  readonly perContainerMax: number;
  /** Dead containers that stay on the node; below 0 there is no limit. */
  readonly containersMax: number;
}

export interface ContainerGcInput extends Unidentified {
  /** Of an active pod the newest instance of each container stays: on it depends whether and when it is started again. */
  podState(uid: PodUid): 'active' | 'ended' | 'gone';
  readonly policy: ContainerGcPolicy;
  readonly nowMs: number;
  /** `ended`: of pods that have ended nothing is to stay, because somebody asked for room. */
  readonly evict: 'nothing' | 'ended';
}

export type GcReason = 'limit' | 'orphan' | 'request';

export interface ContainerGcPlan {
  /** In order. What is in an unknown state is to be stopped first. */
  readonly containers: readonly { readonly container: ListedContainer; readonly why: GcReason }[];
  readonly sandboxes: readonly { readonly sandbox: ListedSandbox; readonly why: GcReason }[];
}

/** Dead instances of one container of one pod, newest first. */
interface Unit {
  readonly key: string;
  readonly pod: ReturnType<ContainerGcInput['podState']>;
  dead: ListedContainer[];
}

/** The kubelet's steps, in its order. @see kubelet behaviour, "Containers, sandboxes, logs" */
export function planContainerGc(input: ContainerGcInput): ContainerGcPlan {
  const { policy, evict } = input;
  const victims: { container: ListedContainer; why: GcReason }[] = [];
  let units = deadUnits(input);
  const doomed = units.filter(({ pod }) => pod === 'gone' || (pod === 'ended' && evict === 'ended'));
  for (const unit of doomed) for (const container of unit.dead.toReversed()) victims.push({ container, why: unit.pod === 'gone' ? 'orphan' : 'request' });
  units = units.filter((unit) => !doomed.includes(unit));
  const prune = (perUnit: number): void => {
    for (const unit of units) {
      const keep = unit.pod === 'active' ? Math.max(1, perUnit) : perUnit;
      for (const container of unit.dead.slice(keep).toReversed()) victims.push({ container, why: 'limit' });
      unit.dead = unit.dead.slice(0, keep);
    }
  };
  prune(Math.max(0, policy.perContainerMax));
  const left = (): number => units.reduce((sum, { dead }) => sum + dead.length, 0);
  if (policy.containersMax >= 0 && left() > policy.containersMax) {
    prune(Math.max(1, Math.floor(policy.containersMax / units.length)));
    for (const container of oldestOf(units).slice(0, Math.max(0, left() - policy.containersMax))) victims.push({ container, why: 'limit' });
  }
  return { containers: victims, sandboxes: deadSandboxes(input, new Set(victims.map(({ container }) => container.id))) };
}

/** In the order of their oldest members, so that the plan does not depend on the order of a listing. */
function deadUnits({ containers, podState, policy, nowMs }: ContainerGcInput): Unit[] {
  const units = new Map<string, Unit>();
  for (const container of containers) {
    if (container.state === 'running' || nowMs - container.createdAtMs < policy.minAgeMs) continue;
    const isNamed = container.podUid !== '' && container.name !== '';
    // Nobody knows what the unidentified belong to: each is a unit of its own.
    const key = isNamed ? `${container.podUid}/${container.name}` : container.id;
    const unit = units.get(key) ?? { key, pod: isNamed ? podState(container.podUid) : 'gone', dead: [] };
    unit.dead.push(container);
    units.set(key, unit);
  }
  for (const unit of units.values()) unit.dead.sort(newestFirst);
  const oldest = ({ dead }: Unit): number => dead.at(-1)?.createdAtMs ?? 0;
  return [...units.values()].sort((a, b) => oldest(a) - oldest(b) || (a.key < b.key ? -1 : 1));
}

/** All that may go for the node's limit, oldest first. */
function oldestOf(units: readonly Unit[]): readonly ListedContainer[] {
  return units.flatMap(({ pod, dead }) => (pod === 'active' ? dead.slice(1) : dead)).sort(newestFirst).reverse();
}

function newestFirst(a: ListedContainer, b: ListedContainer): number {
  return b.createdAtMs - a.createdAtMs || b.attempt - a.attempt || (a.id < b.id ? -1 : 1);
}

/** Sandboxes that are not ready and have no container left; a pod that is there keeps its newest. */
function deadSandboxes({ sandboxes, containers, podState, evict }: ContainerGcInput, removed: ReadonlySet<string>): ContainerGcPlan['sandboxes'] {
  const occupied = new Set<string>(containers.filter(({ id }) => !removed.has(id)).map(({ sandboxId }) => sandboxId));
  const byPod = new Map<PodUid, ListedSandbox[]>();
  for (const sandbox of sandboxes) byPod.set(sandbox.podUid, [...(byPod.get(sandbox.podUid) ?? []), sandbox]);
  const plan: { sandbox: ListedSandbox; why: GcReason }[] = [];
  for (const [uid, own] of byPod) {
    const pod = uid === '' ? 'gone' : podState(uid);
    const keeps = pod === 'active' || (pod === 'ended' && evict === 'nothing');
    own.sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt || (a.id < b.id ? -1 : 1));
    for (const sandbox of own.slice(keeps ? 1 : 0).reverse()) {
      if (sandbox.state === 'ready' || occupied.has(sandbox.id)) continue;
      plan.push({ sandbox, why: pod === 'gone' ? 'orphan' : keeps ? 'limit' : 'request' });
    }
  }
  return plan;
}
