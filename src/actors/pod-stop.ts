// Stopping a pod for good: containers with their grace, then sandboxes, then, when the source lets go, everything that is left.
import { withContainer, withStoppedSandbox, withoutContainer } from '../machines/decide/observed.ts';
import { podOwnedTrees } from '../machines/decide/cri-config.ts';
import { stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import type { PodContext, StopInput, StopOutcome } from '../machines/pod-types.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { ContainerId } from '../ports/pod-types.ts';
import type { ObservedPod, RuntimePort } from '../ports/runtime-port.ts';
import { lookAtPod } from './look-at-pod.ts';
import type { PodDeps } from './pod-deps.ts';

/** A container to stop, and how long its process may take. */
export interface ContainerStop {
  readonly id: ContainerId;
  readonly graceMs: number;
}

/**
 * Stops containers side by side and reads what became of each.
 * @returns the observation as far as it is known, and the first fault
 */
export async function stopContainers(
  runtime: RuntimePort,
  observed: ObservedPod,
  stops: readonly ContainerStop[],
): Promise<{ readonly observed: ObservedPod; readonly fault: RuntimeFault | undefined }> {
  const answers = await Promise.all(
    stops.map(async ({ id, graceMs }) => {
      const stopped = await runtime.stopContainer(id, { graceMs });
      return { id, answer: stopped.ok ? await runtime.containerStatus(id) : stopped };
    }),
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

/** One attempt to bring a pod to rest. What could not be stopped is tried again by the machine. */
export async function stopPod(deps: PodDeps, input: StopInput): Promise<StopOutcome> {
  const { runtime, bus } = deps;
  let observed = input.observed;
  if (input.look) {
    const looked = await lookAtPod(runtime, observed.podUid);
    if (!looked.ok) return { observed, stopped: false, trouble: looked.fault.message };
    observed = looked.value;
  }
  const alive = observed.containers.filter((container) => container.state === 'running' || container.state === 'unknown');
  for (const container of alive) {
    bus.publish('event.noted', {
      subject: { kind: 'Pod', pod: input.desired, fieldPath: `spec.containers{${container.name}}` },
      type: 'Normal',
      reason: 'Killing',
      message: `Stopping container ${container.name}`,
    });
  }
  const graceMs = Math.max(stopGraceMsMin, input.graceMs);
  const stopped = await stopContainers(runtime, observed, alive.map(({ id }) => ({ id, graceMs })));
  observed = stopped.observed;
  if (stopped.fault !== undefined) return { observed, stopped: false, trouble: stopped.fault.message };

  // Dead ones too: they may still hold their network.
  const answers = await Promise.all(observed.sandboxes.map(async ({ id }) => ({ id, answer: await runtime.stopSandbox(id) })));
  for (const { id, answer } of answers) {
    if (!answer.ok) return { observed, stopped: false, trouble: answer.fault.message };
    observed = withStoppedSandbox(observed, id);
  }
  const running = observed.containers.filter((container) => container.state === 'running');
  if (running.length > 0) return { observed, stopped: false, trouble: `still running: ${running.map(({ name }) => name).join(', ')}` };
  return { observed, stopped: true, trouble: '' };
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
  for (const path of podOwnedTrees(desired, settings)) {
    const answer = await files.removeTree(path);
    if (!answer.ok) throw new Error(answer.fault.message);
  }
}
