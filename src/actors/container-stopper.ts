// Stops containers: their preStop hooks first, within the grace period, then their processes, and a look at what became of each.
import type { BusPort } from '../bus/bus.ts';
import { withContainer, withoutContainer } from '../machines/decide/observed.ts';
import { graceLeftMs, type PreStop, preStopOf } from '../machines/decide/hooks.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { ContainerId, PodUid } from '../ports/pod-types.ts';
import type { Result } from '../ports/result.ts';
import type { ObservedContainer, ObservedPod } from '../ports/runtime-port.ts';
import { type HookDeps, runHook } from './run-hook.ts';

/** preStop hooks that were begun, by container: none is run twice, however often the stop is tried or its grace shortened. */
export type PreStops = Map<ContainerId, ReturnType<typeof runHook>>;

export interface StopDeps extends HookDeps {
  readonly bus: BusPort;
  readonly preStops: PreStops;
}

/** A container to stop, and how long its hook and its process may take together. */
export interface ContainerStop {
  readonly id: ContainerId;
  readonly graceMs: number;
}

export interface StopPlace {
  /** Whose events tell of failed hooks; undefined for pods of which only the runtime's labels are left. */
  readonly pod: { readonly uid: PodUid; readonly namespace: string; readonly name: string } | undefined;
  /** `spec.containers{web}` of a container's name. */
  fieldPath(name: string): string;
  /** Asked by hooks that name no host. */
  readonly podIp: string;
}

/**
 * Stops containers side by side and reads what became of each.
 * @returns the observation as far as it is known, and the first fault
 */
export async function stopContainers(
  deps: StopDeps,
  observed: ObservedPod,
  stops: readonly ContainerStop[],
  place: StopPlace,
): Promise<{ readonly observed: ObservedPod; readonly fault: RuntimeFault | undefined }> {
  const answers = await Promise.all(
    stops.map(async (stop) => ({ id: stop.id, answer: await stopOne(deps, observed.containers.find(({ id }) => id === stop.id), stop, place) })),
  );
  let seen = observed;
  let fault: RuntimeFault | undefined;
  for (const { id, answer } of answers) {
    if (answer.ok) seen = withContainer(seen, answer.value);
    else if (answer.fault.kind === 'not-found') seen = withoutContainer(seen, id);
    else fault ??= answer.fault;
  }
  return { observed: seen, fault };
}

async function stopOne(deps: StopDeps, container: ObservedContainer | undefined, { id, graceMs }: ContainerStop, place: StopPlace): Promise<Result<ObservedContainer, RuntimeFault>> {
  const usedMs = container?.state === 'running' ? await preStop(deps, container, graceMs, place) : 0;
  const stopped = await deps.runtime.stopContainer(id, { graceMs: graceLeftMs({ graceMs, usedMs }) });
  return stopped.ok ? deps.runtime.containerStatus(id) : stopped;
}

/** @returns milliseconds that the hook took, no more than the grace period: one that goes on longer is left to itself */
async function preStop(deps: StopDeps, container: ObservedContainer, graceMs: number, place: StopPlace): Promise<number> {
  const hook = preStopOf(container);
  if (hook === undefined || graceMs <= 0) return 0;
  const { clock } = deps;
  const beganMs = clock.monotonicMs();
  let timer: unknown;
  const overdue = new Promise<'overdue'>((resolve) => { timer = clock.setTimeout(() => resolve('overdue'), graceMs); });
  await Promise.race([hookOf(deps, container, hook, place), overdue]);
  clock.clearTimeout(timer);
  return clock.monotonicMs() - beganMs;
}

function hookOf(deps: StopDeps, container: ObservedContainer, hook: PreStop, place: StopPlace): ReturnType<typeof runHook> {
  const begun = deps.preStops.get(container.id);
  if (begun !== undefined) return begun;
  const run = runHook(deps, { ...hook, containerId: container.id, podIp: place.podIp });
  deps.preStops.set(container.id, run);
  void run.then((end) => noteEnd(deps, container, end, place));
  return run;
}

function noteEnd({ bus }: StopDeps, { name }: ObservedContainer, end: Awaited<ReturnType<typeof runHook>>, { pod, fieldPath }: StopPlace): void {
  if (pod === undefined) return;
  const note = (reason: string, message: string): void => {
    bus.publish('event.noted', { subject: { kind: 'Pod', pod, fieldPath: fieldPath(name) }, type: 'Warning', reason, message });
  };
  if (!end.ok) note('FailedPreStopHook', 'PreStopHook failed');
  else if (end.value.fellBack) note('LifecycleHTTPFallback', `request to HTTPS lifecycle hook of ${name} got an HTTP response, retry with HTTP succeeded`);
}
