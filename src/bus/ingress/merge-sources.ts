// All sources of pods, merged into one stream of kubelet's operations. The state is in merge-state.ts; here it meets the bus.
import { catchError, defer, EMPTY, filter, merge, mergeMap, Observable, of } from 'rxjs';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { PodSource } from '../../ports/pod-types.ts';
import type { Stoppable } from '../../ports/result.ts';
import { rfc3339Micros } from '../../ports/rfc3339.ts';
import type { BusPort } from '../bus.ts';
import type { SourceUpdate } from '../source-update.ts';
import { type MergeOutcome, MergeState } from './merge-state.ts';

/**
 * Listens to `source.updated`; publishes `pods.changed`, `input.refused` and, once, `sources.ready`.
 * @param deps.sources those that must have spoken before absence means deletion; updates of others are ignored
 */
export function startMergeSources(deps: {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly sources: readonly PodSource[];
}): Stoppable {
  const { bus, clock, sources } = deps;
  const state = new MergeState(sources);
  const outcomes = merge(...sources.map((source) => updatesOf(bus, source))).pipe(
    mergeMap((update) => defer(() => of(state.take(update, rfc3339Micros(clock.nowMs())))).pipe(
      // One update that breaks the merge must not end it for all that follow.
      catchError((error: unknown) => {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        bus.publish('actor.failed', { actor: 'merge-sources', message, action: `skipped an update of source ${update.source}` });
        return EMPTY;
      }),
    )),
  );
  const subscription = outcomes.subscribe((outcome) => publishOutcome(bus, outcome, sources));
  return {
    stop: async () => subscription.unsubscribe(),
  };
}

function updatesOf(bus: BusPort, source: PodSource): Observable<SourceUpdate> {
  const all = new Observable<SourceUpdate>((subscriber) => {
    const listening = bus.on('source.updated', ({ payload }) => subscriber.next(payload));
    return () => listening.off();
  });
  return all.pipe(filter((update) => update.source === source));
}

function publishOutcome(bus: BusPort, outcome: MergeOutcome, sources: readonly PodSource[]): void {
  for (const { fault, pod } of outcome.refusals) {
    bus.publish('input.refused', { fault, pod: { uid: pod.uid, namespace: pod.namespace, name: pod.name } });
  }
  for (const operation of outcome.operations) bus.publish('pods.changed', operation);
  if (outcome.becameReady) bus.publish('sources.ready', { sources });
}
