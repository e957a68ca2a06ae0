// How the node gets its next certificate, as the agent needs it: one attempt, with no key passing here.
import type { Result } from './result.ts';

export interface IdentityPort {
  /** Chance from 0 to 1, drawn once: a fleet that joined at once does not renew at once. */
  readonly spread: number;
  /** The files hold the next certificate when it resolves to success. A fault is one line with the mend. */
  renew(): Promise<Result<{ readonly notAfterMs: number }, { readonly message: string }>>;
}
