// Why a device did not become a node: every kind with the line for the person who typed the command.
import type { RefusalReason } from '../bus/join/join-frames.ts';

export type JoinFault =
  /** The broker cannot be reached, or refuses. */
  | { readonly kind: 'broker'; readonly message: string }
  /** Whoever answers there is not who was named: nothing was said to him. */
  | { readonly kind: 'impostor'; readonly message: string }
  /** The clocks of the two sides differ. */
  | { readonly kind: 'clock'; readonly message: string }
  /** Nobody answers. */
  | { readonly kind: 'silent'; readonly message: string }
  /** The cloud side says no. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** What was answered cannot be, or cannot be proven. */
  | { readonly kind: 'answer'; readonly message: string }
  /** What came cannot be kept. */
  | { readonly kind: 'files'; readonly message: string }
  /** There is something already that would be lost. */
  | { readonly kind: 'joined'; readonly message: string };
