// Binds pods that have no node to one they fit on: the one with the fewest pods. No preemption, no preferences: it is for small sites.
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import { bindPod, withCondition } from '../bind-pod.ts';
import { type ApiObject, listAt, numberAt, part, textAt } from '../objects.ts';
import { fail, ok } from '../../ports/result.ts';
import { subjectOf } from '../kinds/admit.ts';
import { notFound } from '../refusals.ts';
import { resourceNamed } from '../resources.ts';
import { type Controller, type ControllerDeps, Rounds } from './controller.ts';
import { unfitReason } from './fits-node.ts';

const schedulerName = 'default-scheduler';
/** Pods looked at in one round; the others have the next. */
const podsPerRound = 500;

export function startScheduler(deps: ControllerDeps): Controller {
  return new Scheduler(deps);
}

class Scheduler implements Controller {
  readonly #deps: ControllerDeps;
  readonly #rounds: Rounds;
  readonly #waiting = new Set<string>();
  readonly #unlisten: () => void;
  #events = 0;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#rounds = new Rounds(deps.clock, () => this.#round());
    for (const [key, pod] of deps.store.all(resourceNamed('pods'))) if (waits(pod)) this.#waiting.add(key);
    this.#unlisten = deps.store.onChange(({ resource, key, before, after }) => {
      if (resource === 'nodes') return this.#look();
      if (resource !== 'pods') return;
      if (after !== undefined && waits(after)) this.#waiting.add(key);
      else this.#waiting.delete(key);
      // What ends or goes makes room; a pod that waits is looked at when it is new or was changed, not for our own note on it.
      const madeRoom = before !== undefined && !ended(before) && (after === undefined || ended(after));
      if (madeRoom || (after !== undefined && waits(after) && before?.['spec'] !== after['spec'])) this.#look();
    });
    this.#look();
  }

  stop(): void {
    this.#unlisten();
    this.#rounds.stop();
  }

  #look(): void {
    if (this.#waiting.size > 0) this.#rounds.due();
  }

  async #round(): Promise<void> {
    const { store } = this.#deps;
    const pods = store.all(resourceNamed('pods'));
    const chosen = [...this.#waiting].flatMap((key) => pods.get(key) ?? []).sort(byPriority).slice(0, podsPerRound);
    for (const pod of chosen) await this.#schedule(pod);
    if (this.#waiting.size > podsPerRound) this.#rounds.due();
  }

  async #schedule(pod: ApiObject): Promise<void> {
    const { store, clock, log } = this.#deps;
    const nodes = [...store.all(resourceNamed('nodes')).values()];
    const reasons = new Map<string, number>();
    let best: { readonly name: string; readonly pods: number } | undefined;
    for (const node of nodes.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const active = this.#activeOn(node.metadata.name);
      const unfit = unfitReason(pod, node, active);
      if (unfit !== undefined) reasons.set(unfit, (reasons.get(unfit) ?? 0) + 1);
      else if (best === undefined || active.length < best.pods) best = { name: node.metadata.name, pods: active.length };
    }
    const { name, namespace = '', uid } = pod.metadata;
    if (best === undefined) return this.#failed(pod, unfitText(nodes.length, reasons));
    const bound = await bindPod({ store, clock }, { namespace, name, uid, nodeName: best.name });
    if (!bound.ok) log.info('scheduler.not-bound', { pod: `${namespace}/${name}`, fault: bound.fault.message });
    else await this.#tell(pod, { type: 'Normal', reason: 'Scheduled', message: `Successfully assigned ${namespace}/${name} to ${best.name}` });
  }

  #activeOn(nodeName: string): readonly ApiObject[] {
    return [...this.#deps.store.all(resourceNamed('pods')).values()].filter((pod) => textAt(part(pod, 'spec'), 'nodeName') === nodeName && !ended(pod));
  }

  /** Said when it is news, on the pod and as an event. */
  async #failed(pod: ApiObject, message: string): Promise<void> {
    const { store, clock } = this.#deps;
    const before = listAt(part(pod, 'status'), 'conditions').find(({ type }) => type === 'PodScheduled');
    if (before?.['message'] === message) return;
    const key = { resource: resourceNamed('pods'), namespace: pod.metadata.namespace ?? '', name: pod.metadata.name };
    await store.write(key, (current) => {
      if (current === undefined || !waits(current) || current.metadata.uid !== pod.metadata.uid) return fail(notFound(subjectOf(key)));
      const status = withCondition(part(current, 'status'), { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }, clock);
      return ok({ kind: 'put', object: { ...current, status } });
    });
    await this.#tell(pod, { type: 'Warning', reason: 'FailedScheduling', message });
  }

  async #tell(pod: ApiObject, { type, reason, message }: { readonly type: string; readonly reason: string; readonly message: string }): Promise<void> {
    const { writer, clock, log } = this.#deps;
    const { name, namespace = '', uid, resourceVersion } = pod.metadata;
    const now = rfc3339Seconds(clock.nowMs());
    this.#events += 1;
    const event = `${name.slice(0, 200)}.${clock.nowMs().toString(16)}${(this.#events % 4_096).toString(16).padStart(3, '0')}`;
    const written = await writer.create({ resource: resourceNamed('events'), namespace, name: '' }, {
      metadata: { name: event, namespace }, involvedObject: { kind: 'Pod', namespace, name, uid, apiVersion: 'v1', resourceVersion },
      type, reason, message, source: { component: schedulerName }, firstTimestamp: now, lastTimestamp: now, count: 1,
    }, { validation: 'Ignore', dryRun: false });
    if (!written.ok) log.warn('scheduler.event-refused', { fault: written.fault.message });
  }
}

function waits(pod: ApiObject): boolean {
  const spec = part(pod, 'spec');
  return textAt(spec, 'nodeName') === '' && textAt(spec, 'schedulerName') === schedulerName && pod.metadata.deletionTimestamp === undefined
    && listAt(spec, 'schedulingGates').length === 0 && !ended(pod);
}

function ended(pod: ApiObject): boolean {
  const phase = part(pod, 'status')['phase'];
  return phase === 'Succeeded' || phase === 'Failed';
}

function byPriority(a: ApiObject, b: ApiObject): number {
  return (numberAt(part(b, 'spec'), 'priority') ?? 0) - (numberAt(part(a, 'spec'), 'priority') ?? 0) || Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion);
}

function unfitText(count: number, reasons: ReadonlyMap<string, number>): string {
  if (count === 0) return 'no nodes available to schedule pods';
  return `0/${count} nodes are available: ${[...reasons].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, times]) => `${times} ${reason}`).join(', ')}.`;
}
