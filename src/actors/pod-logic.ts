// The pod machine with hands, once for all pods: XState copies the whole tree of states with every `provide`, tens of KiB for a pod.
// Each pod is an actor system of its own, so the system tells whose hands to use.
import { createActor, fromPromise, type Actor, type InspectionEvent } from 'xstate';
import { podMachine } from '../machines/pod-machine.ts';
import type { PodContext, PodInput, StopInput, StopOutcome, SyncOutcome } from '../machines/pod-types.ts';
import type { ClockPort } from '../ports/clock-port.ts';

/** What one pod's machine can have done. */
export interface PodHands {
  sync(context: PodContext): Promise<SyncOutcome>;
  stop(input: StopInput): Promise<StopOutcome>;
  remove(context: PodContext): Promise<void>;
  reclaim(context: PodContext): Promise<void>;
  report(context: PodContext, options: { readonly final: boolean }): void;
  announceTerminated(context: PodContext): void;
  interruptSync(): void;
}

const handsBySystem = new WeakMap<object, PodHands>();

function handsOf(system: object): PodHands {
  const hands = handsBySystem.get(system);
  if (hands === undefined) throw new Error('a pod machine runs without hands');
  return hands;
}

const podLogic = podMachine.provide({
  actors: {
    syncPod: fromPromise(({ input, system }) => handsOf(system).sync(input)),
    stopPod: fromPromise(({ input, system }) => handsOf(system).stop(input)),
    removePod: fromPromise(({ input, system }) => handsOf(system).remove(input)),
    reclaimPod: fromPromise(({ input, system }) => handsOf(system).reclaim(input)),
  },
  actions: {
    reportStatus: ({ context, system }) => handsOf(system).report(context, { final: false }),
    reportFinalStatus: ({ context, system }) => handsOf(system).report(context, { final: true }),
    announceTerminated: ({ context, system }) => handsOf(system).announceTerminated(context),
    interruptSync: ({ system }) => handsOf(system).interruptSync(),
  },
});

export type PodMachineActor = Actor<typeof podLogic>;

/** A machine that has not been started yet. */
export function createPodMachine(
  input: PodInput, hands: PodHands, { clock, inspect }: { readonly clock: ClockPort; readonly inspect?: ((event: InspectionEvent) => void) | undefined },
): PodMachineActor {
  const actor = createActor(podLogic, {
    input,
    ...(inspect === undefined ? {} : { inspect }),
    clock: {
      setTimeout: (callback, delayMs) => clock.setTimeout(() => callback(), delayMs),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    },
  });
  handsBySystem.set(actor.system, hands);
  return actor;
}
