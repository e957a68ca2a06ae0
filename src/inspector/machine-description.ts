// A statechart as plain data, for drawing: what the page and the chart's layout are given of a machine. Types only.

export interface MachineDescription {
  /** `pod`, `link`, `lease`. */
  readonly id: string;
  /** Outer states before the ones inside them, in the order of the definition. */
  readonly states: readonly StateDescription[];
  readonly transitions: readonly TransitionDescription[];
}

export interface StateDescription {
  /** `running.settled`: names from the outermost on; what `from`, `to` and `state` of entries say is the innermost one. */
  readonly path: string;
  readonly name: string;
  /** Path; empty for those at the top. */
  readonly parent: string;
  readonly kind: 'atomic' | 'compound' | 'final';
  /** It is where its parent begins. */
  readonly initial: boolean;
  /** Names of what runs while it is active: `syncPod`. */
  readonly invokes: readonly string[];
}

export interface TransitionDescription {
  /** `running.settled:3`: its state and its place there. Entries name the transitions taken by it. */
  readonly id: string;
  readonly from: string;
  /** Path; empty where it only acts and the machine stays. */
  readonly to: string;
  readonly kind: 'event' | 'always' | 'after' | 'done' | 'failed';
  /** `pod.kill`, `after wake`, `syncPod done`; empty for `always`. */
  readonly event: string;
  /** By name; empty where it has none. */
  readonly guard: string;
  readonly actions: readonly string[];
}
