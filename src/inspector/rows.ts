// Rows of the page's tables, from a picture: pods, actors, the node. Pure.
import type { BusStatistics } from '../bus/bus.ts';
import { podRow } from '../machines/decide/pod-row.ts';
import { removeRetryMs, stopRetryMs } from '../machines/decide/retry-periods.ts';
import type { ActorPicture } from './actor-pictures.ts';
import type { Mask } from './feed.ts';
import type { PodPicture, Picture } from './picture.ts';
import type { MachineDescription } from './machine-description.ts';
import type { ActorRow, NodeFacts, PodSummary, Severity } from './shown.ts';
import { nodeWhyThen } from './why.ts';

/** Reasons that nobody mends by waiting. */
const grave = /BackOff|Err|Error|Fail|Invalid|OOM|Evicted|Refused|Deadline|Never|Mismatch|Unexpected/;

/** Texts of the runtime and of programs may hold anything: they are masked. */
type MaskText = Pick<Mask, 'text' | 'value'>;

export function podSummary(pod: PodPicture, mask: MaskText): PodSummary {
  const { desired, status, state, firstSeenMs, context, reason } = pod;
  const row = podRow(desired, status, state, firstSeenMs);
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
  const trouble = mask.text(context?.trouble ?? '');
  return {
    ...row,
    phase: status?.phase ?? 'Pending',
    sinceMs: pod.visits.at(-1)?.enteredAtMs ?? 0,
    reason,
    trouble,
    nextAttemptAtMs: nextAttemptAtMs(pod),
    ready,
    severity: podSeverity(row.status, { ready, trouble, running: state.startsWith('running') }),
  };
}

function podSeverity(status: string, { ready, trouble, running }: { readonly ready: boolean; readonly trouble: string; readonly running: boolean }): Severity {
  if (grave.test(status)) return 'error';
  return trouble !== '' || (running && !ready && status !== 'Completed' && status !== 'Succeeded') ? 'warning' : 'info';
}

/** When its machine wakes by itself because something is not as it should be; 0 where it does not. */
export function nextAttemptAtMs({ context, state, visits, status }: PodPicture): number {
  const enteredAtMs = visits.at(-1)?.enteredAtMs ?? 0;
  if (context === undefined || enteredAtMs === 0) return 0;
  if (state === 'terminating.stopped') return enteredAtMs + stopRetryMs;
  if (state === 'finishing.waiting') return enteredAtMs + removeRetryMs;
  if (!state.endsWith('.settled')) return 0;
  const waits = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(({ state: now }) => now?.waiting !== undefined);
  return !context.settledWell || waits ? enteredAtMs + context.wakeInMs : 0;
}

export function actorRow(actor: ActorPicture, machines: readonly MachineDescription[], mask: MaskText): ActorRow {
  const { id, state, machine, pod, sent, lastAtMs, mailbox, mailboxMax, restarts, faults, lastFault } = actor;
  return { id, parent: id.startsWith('pod ') ? 'supervisor' : '', state, machine, pod, sent, lastAtMs, mailbox, mailboxMax, restarts, faults, lastFault: mask.text(lastFault), doing: doing(machines, machine, state) };
}

/** What runs while a machine is in a state: its own invocations and those of the states around it. */
export function doing(machines: readonly MachineDescription[], machine: string, state: string): readonly string[] {
  if (state === '') return [];
  const found = machines.find(({ id }) => id === machine);
  return found?.states.filter(({ path }) => state === path || state.startsWith(`${path}.`)).flatMap(({ invokes }) => invokes) ?? [];
}

export interface NodeNames {
  readonly name: string;
  readonly version: string;
}

export function nodeFacts(picture: Picture, { name, version }: NodeNames, { bus, mask }: { readonly bus: BusStatistics; readonly mask: MaskText }): NodeFacts {
  const { node } = picture;
  const { link, runtime, openWrites, accepted, refused } = node;
  const [oldestAtMs = 0] = openWrites.values();
  const facts: NodeFacts = {
    name, version,
    why: nodeWhyThen(picture, name),
    conditions: node.node?.status?.conditions ?? [],
    registered: node.registered,
    link: link && { state: link.state, reason: link.reason, sinceMs: link.sinceMs, nextAttemptAtMs: link.nextAttemptAtMs ?? 0 },
    runtime: runtime && { ready: runtime.runtimeReady, networkReady: runtime.networkReady, streaming: runtime.streaming, message: runtime.message, sinceMs: runtime.sinceMs },
    relist: node.relist,
    lease: node.lease,
    outbox: { waiting: openWrites.size, accepted, refused, oldestAtMs },
    bus: { messages: bus.published, queued: bus.queued, queuedMax: bus.queuedMax, failures: bus.failures },
    faults: node.faults,
  };
  // Masking gives the same shape back with other texts.
  return mask.value(facts) as NodeFacts;
}
