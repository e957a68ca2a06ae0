// Stopping a pod for good: containers with their grace, then sandboxes, then, when the source lets go, everything that is left.
import { withStoppedSandbox } from '../machines/decide/observed.ts';
import { podOwnedTrees } from '../machines/decide/cri-config.ts';
import { isSidecar } from '../machines/decide/pod-phase.ts';
import { stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import type { PodContext, StopInput, StopOutcome } from '../machines/pod-types.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { DesiredPod, PodSpec } from '../ports/pod-types.ts';
import { ok } from '../ports/result.ts';
import type { ObservedPod } from '../ports/runtime-port.ts';
import { stopContainers, type StopPlace } from './container-stopper.ts';
import { lookAtPod } from './look-at-pod.ts';
import type { PodDeps } from './pod-deps.ts';
import { mayHaveMounts } from './volume-keeper.ts';

/** Where hooks and events of a pod's containers belong. */
export function stopPlaceOf({ facts }: Pick<PodDeps, 'facts'>, desired: DesiredPod, observed: ObservedPod): StopPlace {
  const { spec } = desired.pod;
  const own = observed.sandboxes.find(({ state }) => state === 'ready')?.ips[0];
  return {
    pod: desired,
    fieldPath: (name) => fieldPathOf(spec, name),
    sidecars: (spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name),
    podIp: (spec.hostNetwork === true ? facts().hostIps[0] : own) ?? '',
  };
}

/** As events name a container of a pod. */
export function fieldPathOf({ initContainers = [], ephemeralContainers = [] }: PodSpec, name: string): string {
  if (initContainers.some((container) => container.name === name)) return `spec.initContainers{${name}}`;
  return ephemeralContainers.some((container) => container.name === name) ? `spec.ephemeralContainers{${name}}` : `spec.containers{${name}}`;
}

/** One attempt to bring a pod to rest. What could not be stopped is tried again by the machine. */
export async function stopPod(deps: PodDeps, input: StopInput): Promise<StopOutcome> {
  const { runtime, bus } = deps;
  let observed = input.observed;
  if (input.look) {
    const looked = await lookAtPod(runtime, observed.podUid);
    if (!looked.ok) {
      noteFault(deps, input.desired, 'FailedSync', 'error determining status', looked.fault);
      return { observed, stopped: false, trouble: looked.fault.message };
    }
    observed = looked.value;
  }
  const alive = observed.containers.filter((container) => container.state === 'running' || container.state === 'unknown');
  for (const container of alive) {
    bus.publish('event.noted', {
      subject: { kind: 'Pod', pod: input.desired, fieldPath: fieldPathOf(input.desired.pod.spec, container.name) },
      type: 'Normal',
      reason: 'Killing',
      message: `Stopping container ${container.name}`,
    });
  }
  const graceMs = Math.max(stopGraceMsMin, input.graceMs);
  const stopped = await stopContainers(deps, observed, alive.map(({ id }) => ({ id, graceMs })), stopPlaceOf(deps, input.desired, observed));
  observed = stopped.observed;
  if (stopped.fault !== undefined) {
    noteFault(deps, input.desired, 'FailedKillPod', 'error killing pod', stopped.fault);
    return { observed, stopped: false, trouble: stopped.fault.message };
  }

  // Dead ones too: they may still hold their network.
  const answers = await Promise.all(observed.sandboxes.map(async ({ id }) => ({ id, answer: await runtime.stopSandbox(id) })));
  for (const { id, answer } of answers) {
    if (!answer.ok) {
      noteFault(deps, input.desired, 'FailedKillPod', 'error killing pod', answer.fault);
      return { observed, stopped: false, trouble: answer.fault.message };
    }
    observed = withStoppedSandbox(observed, id);
  }
  const running = observed.containers.filter((container) => container.state === 'running');
  if (running.length > 0) return { observed, stopped: false, trouble: `still running: ${running.map(({ name }) => name).join(', ')}` };
  // What resists is tried again when the pod is removed.
  await deps.cgroups?.release(input.desired.uid);
  return { observed, stopped: true, trouble: '' };
}

/** A runtime that is away is the node's trouble, not the pod's, and told as such. */
function noteFault({ bus }: PodDeps, desired: DesiredPod, reason: string, text: string, fault: RuntimeFault): void {
  if (fault.kind === 'unavailable') return;
  bus.publish('event.noted', { subject: { kind: 'Pod', pod: desired }, type: 'Warning', reason, message: `${text}: ${fault.message}` });
}

/** Removes containers, sandboxes and directories of a stopped pod. Throws a line for the log when something resists. */
export async function removePod(deps: PodDeps, { desired, observed }: PodContext): Promise<void> {
  const { runtime, files, settings } = deps;
  const inSandbox = new Set<string>(observed.sandboxes.map(({ id }) => id));
  const strays = observed.containers.filter((container) => !inSandbox.has(container.sandboxId));
  const removed = await Promise.all([
    ...observed.sandboxes.map(({ id }) => runtime.removeSandbox(id)),
    ...strays.map(({ id }) => runtime.removeContainer(id)),
  ]);
  const failed = removed.find((answer) => !answer.ok);
  if (failed !== undefined && !failed.ok) throw new Error(failed.fault.message);
  const uncaged = (await deps.cgroups?.release(desired.uid)) ?? ok();
  if (!uncaged.ok) throw new Error(uncaged.fault.message);
  const released = mayHaveMounts(desired) ? await deps.volumes.release(desired.uid) : ok();
  if (!released.ok) throw new Error(released.fault.message);
  for (const path of podOwnedTrees(desired, settings)) {
    const answer = await files.removeTree(path);
    if (!answer.ok) throw new Error(answer.fault.message);
  }
}
