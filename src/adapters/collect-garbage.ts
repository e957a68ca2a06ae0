// A full collection of V8's heap, where the launcher has asked for the function; elsewhere nothing happens.

export function collectGarbage(): void {
  globalThis.gc?.();
}
