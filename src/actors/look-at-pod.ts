// Reading from the runtime what a pod looks like now. The only place that turns several CRI answers into one observation.
import { newestFirst, withContainer, withStoppedSandbox, withoutContainer } from '../machines/decide/observed.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { ContainerId, PodUid } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { ObservedPod, RuntimePort } from '../ports/runtime-port.ts';

/** CRI marks a container exited slightly after the exit event; these are the pauses between looks. */
const exitLooksMs: readonly number[] = [2, 5, 10, 20, 50, 100];

type Look = Promise<Result<ObservedPod, RuntimeFault>>;

/**
 * Everything the runtime knows of one pod. Objects that vanish between listing and reading are left out.
 * @returns a fault as soon as one call fails otherwise: half a picture is no picture
 */
export async function lookAtPod(runtime: RuntimePort, podUid: PodUid): Look {
  const [listedSandboxes, listedContainers] = await Promise.all([runtime.listSandboxes({ podUid }), runtime.listContainers({ podUid })]);
  if (!listedSandboxes.ok) return listedSandboxes;
  if (!listedContainers.ok) return listedContainers;
  const [sandboxes, containers] = await Promise.all([
    Promise.all(listedSandboxes.value.map(({ id }) => runtime.sandboxStatus(id))),
    Promise.all(listedContainers.value.map(({ id }) => runtime.containerStatus(id))),
  ]);
  const seenSandboxes = present(sandboxes);
  if (!seenSandboxes.ok) return seenSandboxes;
  const seenContainers = present(containers);
  if (!seenContainers.ok) return seenContainers;
  return ok({ podUid, sandboxes: seenSandboxes.value.sort(newestFirst), containers: seenContainers.value.sort(newestFirst) });
}

/** The values of all answers but `not-found`; the first other fault otherwise. */
function present<T>(answers: readonly Result<T, RuntimeFault>[]): Result<T[], RuntimeFault> {
  const values: T[] = [];
  for (const answer of answers) {
    if (answer.ok) values.push(answer.value);
    else if (answer.fault.kind !== 'not-found') return fail(answer.fault);
  }
  return ok(values);
}

/**
 * Re-reads the objects that events named. Cheap: one call each.
 * An ID that the pod is not known to have makes it a look at the whole pod.
 */
export async function lookAtObjects(runtime: RuntimePort, clock: ClockPort, observed: ObservedPod, ids: ReadonlySet<string>): Look {
  let seen = observed;
  for (const id of ids) {
    const container = seen.containers.find((candidate) => candidate.id === id);
    const sandbox = seen.sandboxes.find((candidate) => candidate.id === id);
    if (container !== undefined) {
      const answer = await lookForExit(runtime, clock, container.id);
      if (answer.ok) seen = withContainer(seen, answer.value);
      else if (answer.fault.kind === 'not-found') seen = withoutContainer(seen, container.id);
      else return answer;
    } else if (sandbox !== undefined) {
      const answer = await runtime.sandboxStatus(sandbox.id);
      // The pause process has ended: whatever the runtime says this instant, the sandbox can no longer be used.
      if (answer.ok || answer.fault.kind === 'not-found') seen = withStoppedSandbox(seen, sandbox.id);
      else return answer;
    } else {
      return lookAtPod(runtime, observed.podUid);
    }
  }
  return ok(seen);
}

async function lookForExit(runtime: RuntimePort, clock: ClockPort, id: ContainerId) {
  for (const pauseMs of exitLooksMs) {
    const answer = await runtime.containerStatus(id);
    if (!answer.ok || answer.value.state !== 'running') return answer;
    await pause(clock, pauseMs);
  }
  return runtime.containerStatus(id);
}

/** Resolves after a while. Ends by itself, so nobody needs to cancel it: keep `delayMs` short. */
export function pause(clock: ClockPort, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, delayMs);
  });
}
