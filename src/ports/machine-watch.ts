// How whoever watches machines is told of their steps. No library types; what is watched is never changed by it.

/** A machine took one event. Filled in while it does: complete when the call that brought the event has returned. */
export interface MachineStep {
  readonly k: 'step';
  /** `id` of the machine's definition. */
  readonly machine: string;
  /** Name of its actor on the bus. */
  readonly actor: string;
  /** UID; empty where it is no pod's. */
  readonly pod: string;
  /** Wall milliseconds. */
  readonly at: number;
  /** `seq` of the message in delivery; 0 where none is. */
  readonly cause: number;
  readonly event: { readonly type: string };
  /** Paths of states, `running.settled`; `from` is empty at the start. */
  from: string;
  to: string;
  /** Ids of the transitions taken, in order. */
  transitions: readonly string[];
  /** Afterwards; undefined until then. */
  context: unknown;
  status: 'active' | 'done' | 'error' | 'stopped';
  /** Events that waited before it, itself among them. */
  readonly mailbox: number;
}

export interface MachineWatch {
  /** Called before the event is taken. */
  begins(step: MachineStep): void;
}
