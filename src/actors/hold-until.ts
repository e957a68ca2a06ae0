// A listener that is not ready yet: it gets the newest of what came meanwhile, then everything as it comes. Nothing else waits for it.

/** @returns a handler that calls `handler` once `ready` has resolved; of what came before, only the last counts */
export function holdUntil<T>(ready: Promise<unknown>, handler: (value: T) => void): (value: T) => void {
  let isReady = false;
  let held: { readonly value: T } | undefined;
  void ready.then(() => {
    isReady = true;
    if (held !== undefined) handler(held.value);
    held = undefined;
  });
  return (value) => {
    if (isReady) handler(value);
    else held = { value };
  };
}
