// Turns what XState tells an inspector of one machine into steps for a watcher. It only looks; without a watcher nothing of it runs.
import type { AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { transitionId } from '../machines/transition-names.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { MachineStep, MachineWatch } from '../ports/machine-watch.ts';
import { stateName } from './state-name.ts';

/** Events that a machine may have before it takes them; one that has ended takes none, and they are forgotten. */
const pendingMax = 1_000;

export interface WatchedMachine {
  readonly watch: MachineWatch;
  /** `id` of the machine's definition. */
  readonly machine: string;
  /** Name of its actor on the bus. */
  readonly actor: string;
  /** UID; absent where it is no pod's. */
  readonly pod?: string;
  readonly clock: ClockPort;
  /** `seq` of the message in delivery. */
  readonly cause: () => number;
}

/** For the option `inspect` of `createActor`. */
export function stepsOf(watched: WatchedMachine): (event: InspectionEvent) => void {
  const { watch, machine, actor, pod = '', clock, cause } = watched;
  const pending: MachineStep[] = [];
  let state = '';
  let taken: string[] = [];
  return (told) => {
    // Only the root is the machine; what it invokes are promises.
    if (told.actorRef.sessionId !== told.rootId) return;
    if (told.type === '@xstate.event') {
      if (pending.length >= pendingMax) pending.length = 0;
      const step: MachineStep = {
        k: 'step', machine, actor, pod, at: clock.nowMs(), cause: cause(), event: told.event, from: state, to: state, transitions: [], context: undefined,
        status: 'active', mailbox: pending.length + 1,
      };
      pending.push(step);
      watch.begins(step);
    } else if (told.type === '@xstate.microstep') {
      for (const transition of told._transitions) taken.push(transitionId(transition));
    } else if (told.type === '@xstate.snapshot') {
      const step = pending.shift();
      if (step === undefined) return;
      // The root is a machine, so its snapshots are a machine's.
      const { value, context, status } = told.snapshot as AnyMachineSnapshot;
      step.from = state;
      state = stateName(value);
      step.to = state;
      step.transitions = taken;
      step.context = context;
      step.status = status;
      taken = [];
    }
  };
}
