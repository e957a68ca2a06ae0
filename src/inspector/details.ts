// One pod as its page shows it, from a picture: object, containers, probes, back-offs, its machine's memory. Pure; masks by the mask it is given.
import { decideBackoff } from '../machines/decide/backoff.ts';
import { isSidecar } from '../machines/decide/pod-phase.ts';
import type { PodContext } from '../machines/pod-types.ts';
import type { Container, ContainerStatus, Event, Pod } from '../ports/pod-types.ts';
import { parseRfc3339 } from '../ports/rfc3339.ts';
import { entryOf, plain, type Source } from './entries.ts';
import { type History, isStep } from './history.ts';
import type { MachineDescription } from './machine-description.ts';
import type { Picture, PodPicture } from './picture.ts';
import { probeAsks } from './probe-text.ts';
import { doing, podSummary } from './rows.ts';
import type { ContainerDetails, EntryNumber, PodDetails, ProbeDetails, StepEntry } from './shown.ts';
import { whyThen } from './why.ts';

/** Kubernetes events of one pod that are shown, the newest ones. */
const eventsMax = 50;
/** Entries that are searched for them. */
const searchedMax = 20_000;

export interface DetailsDeps extends Source {
  readonly machines: readonly MachineDescription[];
}

export function podDetails({ machines, ...source }: DetailsDeps, picture: Picture, pod: PodPicture): PodDetails {
  const { history, mask } = source;
  const { desired, status, context, visits, plan } = pod;
  const object: Pod = { ...desired.pod, ...(status === undefined ? {} : { status }) };
  const details: PodDetails = {
    uid: desired.uid,
    n: picture.n,
    atMs: picture.atMs,
    row: podSummary(pod, mask),
    pod: object,
    plan,
    why: whyThen(picture, pod),
    visits,
    lastStep: lastStepOf(source, pod),
    containers: containersOf(pod, picture.atMs),
    doing: doing(machines, 'pod', pod.state),
    memory: memoryOf(context),
    events: eventsOf(history, desired.uid, picture.n),
  };
  // Masking gives the same shape back with other texts.
  return mask.value(plain(details)) as PodDetails;
}

function lastStepOf(source: Source, { lastStep }: PodPicture): StepEntry | undefined {
  const kept = source.history.at(lastStep);
  if (kept === undefined || !isStep(kept)) return undefined;
  const entry = entryOf(source, lastStep, kept);
  return entry.k === 'step' ? entry : undefined;
}

function memoryOf(context: PodContext | undefined): Readonly<Record<string, unknown>> {
  if (context === undefined) return {};
  const { desired: _desired, observed, ...rest } = context;
  return { ...rest, observed: { sandboxes: observed.sandboxes, containers: observed.containers } };
}

function eventsOf(history: History, uid: string, n: EntryNumber): readonly Event[] {
  const found = new Map<string, Event>();
  let searched = 0;
  for (const [, kept] of history.backwards(n)) {
    searched += 1;
    if (searched > searchedMax || found.size >= eventsMax) break;
    if (isStep(kept) || kept.topic !== 'api.write' || kept.payload.kind !== 'Event' || !('object' in kept.payload)) continue;
    const { object, name } = kept.payload;
    // The newest of one name has the count of all.
    if (object.involvedObject.uid === uid && !found.has(name)) found.set(name, object);
  }
  return [...found.values()].reverse();
}

function containersOf({ desired, status, context, probes }: PodPicture, nowMs: number): readonly ContainerDetails[] {
  const { spec } = desired.pod;
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
  const show = (container: Pick<Container, 'name' | 'image'> & Partial<Container>, kind: ContainerDetails['kind'], statuses: readonly ContainerStatus[]): ContainerDetails => ({
    name: container.name,
    kind,
    image: container.image ?? '',
    ...stateOf(statuses.find(({ name }) => name === container.name)),
    ...backoffOf(context, container.name, nowMs),
    probes: (['startup', 'readiness', 'liveness'] as const).flatMap((probe): readonly ProbeDetails[] => {
      const asked = container[`${probe}Probe`];
      if (asked === undefined) return [];
      const news = probes.find((each) => each.container === container.name && each.probe === probe);
      return [{ kind: probe, asks: probeAsks(asked), result: news?.result ?? 'undecided', message: news?.message ?? '', atMs: news?.atMs ?? 0 }];
    }),
  });
  return [
    ...(spec.initContainers ?? []).map((container) => show(container, isSidecar(container) ? 'sidecar' : 'init', initContainerStatuses)),
    ...spec.containers.map((container) => show(container, 'app', containerStatuses)),
    ...(spec.ephemeralContainers ?? []).map(({ name, image }) => show({ name, ...(image === undefined ? {} : { image }) }, 'ephemeral', ephemeralContainerStatuses)),
  ];
}

function stateOf(status: ContainerStatus | undefined): Pick<ContainerDetails, 'state' | 'reason' | 'message' | 'ready' | 'started' | 'restarts' | 'sinceMs'> & Pick<Partial<ContainerDetails>, 'exitCode'> {
  const { state: { waiting, running, terminated } = {}, ready = false, started = false, restartCount = 0 } = status ?? {};
  const common = { ready, started, restarts: restartCount };
  if (running !== undefined) return { ...common, state: 'running', reason: '', message: '', sinceMs: timeOf(running.startedAt) };
  if (terminated !== undefined) {
    const { reason = '', message = '', exitCode, finishedAt } = terminated;
    return { ...common, state: 'terminated', reason, message, exitCode, sinceMs: timeOf(finishedAt) };
  }
  if (waiting !== undefined) return { ...common, state: 'waiting', reason: waiting.reason ?? '', message: waiting.message ?? '', sinceMs: 0 };
  return { ...common, state: 'unknown', reason: '', message: '', sinceMs: 0 };
}

function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : (parseRfc3339(text) ?? 0);
}

function backoffOf(context: PodContext | undefined, name: string, nowMs: number): Pick<Partial<ContainerDetails>, 'backoff'> {
  const newest = context?.observed.containers.find((container) => container.name === name);
  if (context === undefined || newest?.state !== 'exited') return {};
  const decision = decideBackoff(context.backoffs.get(name), newest.finishedAtMs, nowMs);
  return decision.kind === 'wait' ? { backoff: { delayMs: decision.delayMs, nextAttemptAtMs: decision.untilMs } } : {};
}
