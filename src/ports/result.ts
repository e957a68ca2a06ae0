// The one way a port answers: a value or a fault, both in the signature.

/** Outcome of a call that can fail in expected ways. `fault` is a closed union, never an Error. */
export type Result<T, F> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: F };

export function ok(): Result<void, never>;
export function ok<T>(value: T): Result<T, never>;
export function ok<T>(value?: T): Result<T | undefined, never> {
  return { ok: true, value };
}

export function fail<F>(fault: F): Result<never, F> {
  return { ok: false, fault };
}

/** Something running that its owner must end. `stop` is idempotent and resolves when nothing is left behind. */
export interface Stoppable {
  stop(): Promise<void>;
}
