// The conditions of the node from what was measured and heard. Pure; heartbeats are written when a status is sent, not here.
import type { HostFacts, HostPressure } from '../../ports/host-port.ts';
import type { NodeCondition } from './node-object.ts';
import { thresholdAmount } from './node-object.ts';

/** When each kind of pressure was last seen, wall milliseconds; absent: never. */
export interface PressureSeen {
  readonly memory?: number;
  readonly disk?: number;
  readonly pid?: number;
}

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
} as const satisfies Record<string, Wording>;

/** Events of a change, by condition type: the reason for True and for False. */
export const conditionEvents: Readonly<Record<string, readonly [whenTrue: string, whenFalse: string]>> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
};

/** Which thresholds are crossed now. What could not be measured crosses none. */
export function pressureNow(measured: HostPressure, host: HostFacts, evictionHard: Readonly<Record<string, string>>): readonly (keyof PressureSeen)[] {
  const below = (signal: string, available: number | undefined, capacity: number | undefined): boolean =>
    available !== undefined && capacity !== undefined && capacity > 0 && available < thresholdAmount(evictionHard[signal], capacity);
  const { pidsMax, pidsUsed } = measured;
  const pidsLeft = pidsMax === undefined || pidsUsed === undefined ? undefined : pidsMax - pidsUsed;
  const crossed: (keyof PressureSeen)[] = [];
  if (below('memory.available', measured.memoryAvailableBytes, host.memoryBytes)) crossed.push('memory');
  if (below('nodefs.available', measured.rootFilesystemAvailableBytes, host.rootFilesystemBytes)
    || below('nodefs.inodesFree', measured.rootFilesystemInodesFree, measured.rootFilesystemInodes)) crossed.push('disk');
  if (below('pid.available', pidsLeft, pidsMax)) crossed.push('pid');
  return crossed;
}

/**
 * The four conditions, Ready last as kubelet has it. `lastTransitionTime` moves with the status only; `lastHeartbeatTime` is `now`.
 * @param options.now RFC 3339
 * @param options.holdMs a pressure seen within this time still counts
 */
export function nodeConditions(
  previous: readonly NodeCondition[],
  readiness: ReadinessNow,
  seen: PressureSeen,
  options: { readonly now: string; readonly nowMs: number; readonly holdMs: number },
): NodeCondition[] {
  const pressures = (Object.keys(wordings) as (keyof typeof wordings)[]).map((kind) => { // the keys of this very record
    const { type, yes, no } = wordings[kind];
    const at = seen[kind];
    const pressed = at !== undefined && (at === options.nowMs || options.nowMs - at < options.holdMs);
    const [reason, message] = pressed ? yes : no;
    return { type, status: pressed ? 'True' : 'False', reason, message };
  });
  return [...pressures, readyCondition(readiness)].map((condition) => {
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
