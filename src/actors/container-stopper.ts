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
  /** Names of the containers whose preStop hook runs: kept for whoever asks what a stop waits for. */
  readonly hooksUnderWay?: Set<string>;
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
  /** Names of the sidecars in the order of the specification: the last ends first, and all after the other containers. */
  readonly sidecars: readonly string[];
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
  const containerOf = (stop: ContainerStop) => observed.containers.find(({ id }) => id === stop.id);
  const rank = (stop: ContainerStop): number => place.sidecars.indexOf(containerOf(stop)?.name ?? '');
  const running = new Map<ContainerStop, ReturnType<typeof stopOne>>();
  // Others first, then sidecars from the last to the first, so that each finds those it waits for under way.
  for (const stop of [...stops].sort((a, b) => order(rank(a)) - order(rank(b)))) {
    const before = rank(stop) < 0 ? [] : [...running].filter(([other]) => rank(other) !== rank(stop)).map(([, ending]) => ending);
    running.set(stop, stopOne(deps, containerOf(stop), stop, place, before));
  }
  const answers = await Promise.all([...running].map(async ([{ id }, answer]) => ({ id, answer: await answer })));
  let seen = observed;
  let fault: RuntimeFault | undefined;
  for (const { id, answer } of answers) {
    if (answer.ok) seen = withContainer(seen, answer.value);
    else if (answer.fault.kind === 'not-found') seen = withoutContainer(seen, id);
    else fault ??= answer.fault;
  }
  return { observed: seen, fault };
}

function order(rank: number): number {
  return rank < 0 ? -Number.MAX_SAFE_INTEGER : -rank;
}

type Ending = Promise<Result<ObservedContainer, RuntimeFault>>;

/** @param before those whose end is waited for, as long as there is grace */
async function stopOne(deps: StopDeps, container: ObservedContainer | undefined, { id, graceMs }: ContainerStop, place: StopPlace, before: readonly Ending[]): Ending {
  const beganMs = deps.clock.monotonicMs();
  if (container?.state === 'running') await preStop(deps, container, graceMs, place);
  if (before.length > 0) await atMost(deps, Promise.all(before), graceMs - (deps.clock.monotonicMs() - beganMs));
  const usedMs = deps.clock.monotonicMs() - beganMs;
  const stopped = await deps.runtime.stopContainer(id, { graceMs: graceLeftMs({ graceMs, usedMs }) });
  return stopped.ok ? deps.runtime.containerStatus(id) : stopped;
}

/** A hook that takes longer than the grace period is left to itself. */
async function preStop(deps: StopDeps, container: ObservedContainer, graceMs: number, place: StopPlace): Promise<void> {
  const hook = preStopOf(container);
  if (hook !== undefined && graceMs > 0) await atMost(deps, hookOf(deps, container, hook, place), graceMs);
}

/** Waits for the end of something, but no longer than `limitMs`. */
async function atMost({ clock }: StopDeps, end: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: unknown;
  const overdue = new Promise<void>((resolve) => { timer = clock.setTimeout(resolve, Math.max(0, limitMs)); });
  await Promise.race([end, overdue]);
  clock.clearTimeout(timer);
}

function hookOf(deps: StopDeps, container: ObservedContainer, hook: PreStop, place: StopPlace): ReturnType<typeof runHook> {
  const begun = deps.preStops.get(container.id);
  if (begun !== undefined) return begun;
  const run = runHook(deps, { ...hook, containerId: container.id, podIp: place.podIp });
  deps.preStops.set(container.id, run);
  deps.hooksUnderWay?.add(container.name);
  void run.then((end) => {
    deps.hooksUnderWay?.delete(container.name);
    noteEnd(deps, container, end, place);
  });
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
