// Binds a pod to a node: once, and for good. The scheduler and the binding path share it.
import type { ClockPort } from '../ports/clock-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { subjectOf } from './kinds/admit.ts';
import { type ApiKey, type ApiObject, listAt, part, textAt } from './objects.ts';
import { conflict, notFound, type Refusal } from './refusals.ts';
import { resourceNamed } from './resources.ts';
import type { ObjectStore } from './store/object-store.ts';

export interface Bind {
  readonly namespace: string;
  readonly name: string;
  /** Empty: whichever pod has the name. */
  readonly uid: string;
  readonly nodeName: string;
}

export function bindPod({ store, clock }: { readonly store: ObjectStore; readonly clock: ClockPort }, { namespace, name, uid, nodeName }: Bind): Promise<Result<ApiObject, Refusal>> {
  const key: ApiKey = { resource: resourceNamed('pods'), namespace, name };
  return store.write(key, (pod) => {
    if (pod === undefined) return fail(notFound(subjectOf(key)));
    if (uid !== '' && uid !== pod.metadata.uid) return fail(conflict(subjectOf(key), `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`));
    if (pod.metadata.deletionTimestamp !== undefined) return fail(conflict(subjectOf(key), `pod ${name} is being deleted, cannot be assigned to a host`));
    const bound = textAt(part(pod, 'spec'), 'nodeName');
    if (bound !== '') return fail(conflict(subjectOf(key), `pod ${name} is already assigned to node ${JSON.stringify(bound)}`));
    const status = withCondition(part(pod, 'status'), { type: 'PodScheduled', status: 'True' }, clock);
    return ok({ kind: 'put', object: { ...pod, spec: { ...part(pod, 'spec'), nodeName }, status } });
  });
}

/** A status with one condition set; its time moves only when its word changes. */
export function withCondition(status: ReturnType<typeof part>, condition: { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }, clock: ClockPort): ReturnType<typeof part> {
  const conditions = listAt(status, 'conditions');
  const before = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.['status'] === condition.status ? before['lastTransitionTime'] : rfc3339Seconds(clock.nowMs());
  const now = { ...condition, lastTransitionTime };
  return { ...status, conditions: before === undefined ? [...conditions, now] : conditions.map((one) => (one === before ? now : one)) };
}
