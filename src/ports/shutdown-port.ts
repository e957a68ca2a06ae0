// How the machine tells that it goes down, and how it is asked to wait.
import type { Result, Stoppable } from './result.ts';

export type ShutdownFault =
  /** Nobody here tells, or waits: there is no service manager that does. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

type Answer<T> = Promise<Result<T, ShutdownFault>>;

export interface ShutdownListener {
  /** The machine is about to go down, or, with false, does not any more. */
  preparing(goesDown: boolean): void;
  /** Nothing is heard any more. Called at most once; the adapter does not try again by itself. */
  lost(fault: ShutdownFault): void;
}

export interface ShutdownPort {
  /** Resolves once what happens is heard. */
  watch(listener: ShutdownListener): Answer<Stoppable>;
  /** From now on a machine that goes down waits, as long as it waits for anybody, until this is stopped. */
  delay(): Answer<Stoppable>;
  /** How long it waits at most. Less than wanted: it is asked, for good, to wait longer. */
  delayMsMax(options: { readonly wantedMs: number }): Answer<number>;
  /** Whether it goes down now; false where nobody can tell. */
  isGoingDown(): Promise<boolean>;
}
