// The conditions of the node from what was measured and heard. Pure; heartbeats are written when a status is sent, not here.
import type { Pressure } from './eviction-thresholds.ts';
import type { NodeCondition } from './node-object.ts';

/** A condition that somebody else found, without its times. */
export type FoundCondition = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

/** What Ready depends on. Each text is a reason why the node is not ready; empty when there is none. */
export interface ReadinessNow {
  readonly runtimeReady: boolean;
  readonly networkReady: boolean;
  /** From the runtime, or why the last listing failed. */
  readonly message: string;
}

interface Wording {
  readonly type: string;
  readonly no: readonly [reason: string, message: string];
  readonly yes: readonly [reason: string, message: string];
}

const wordings = {
  memory: {
    type: 'MemoryPressure',
    no: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    yes: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
  },
  disk: {
    type: 'DiskPressure',
    no: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    yes: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
  },
  pid: {
    type: 'PIDPressure',
    no: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    yes: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
  },
} as const satisfies Record<Pressure, Wording>;

/** Events of a change, by condition type: the reason for True and for False. */
export const conditionEvents: Readonly<Record<string, readonly [whenTrue: string, whenFalse: string]>> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
};

/**
 * The four conditions and those found elsewhere, Ready last as kubelet has it. `lastTransitionTime` moves with the status only; `lastHeartbeatTime` is `now`.
 * @param pressures those that are shown now
 * @param options.now RFC 3339
 */
export function nodeConditions(
  previous: readonly NodeCondition[],
  readiness: ReadinessNow,
  pressures: readonly Pressure[],
  options: { readonly now: string; readonly found?: readonly FoundCondition[] },
): NodeCondition[] {
  const ofPressure = (Object.keys(wordings) as (keyof typeof wordings)[]).map((kind) => { // the keys of this very record
    const { type, yes, no } = wordings[kind];
    const pressed = pressures.includes(kind);
    const [reason, message] = pressed ? yes : no;
    return { type, status: pressed ? 'True' : 'False', reason, message };
  });
  return [...ofPressure, ...(options.found ?? []), readyCondition(readiness)].map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastHeartbeatTime: options.now, lastTransitionTime: since ?? options.now };
  });
}

function readyCondition({ runtimeReady, networkReady, message }: ReadinessNow): NodeCondition {
  if (runtimeReady && networkReady && message === '') {
    return { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  }
  const text = runtimeReady && !networkReady ? `container runtime network not ready: ${message}` : message;
  return { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: text || 'container runtime is not ready' };
}
