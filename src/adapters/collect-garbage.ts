// A full collection of V8's heap that moves what lives together, so that pages become free and are given back.
// Only where the launcher has asked for the function; elsewhere nothing happens.
import { setFlagsFromString } from 'node:v8';
import type { Collection } from '../ports/collection.ts';

export function collectGarbage({ code }: Collection): void {
  if (globalThis.gc === undefined) return;
  // Without moving, the freed half of each page stays: the process is as large as before. Code that was asked for is not aged out by
  // collections on request, whatever their number, so that it is dropped by V8's own test of dropping it.
  const flags = ['compact-on-every-full-gc', ...(code === 'dropped' ? ['stress-flush-code'] : [])];
  for (const flag of flags) setFlagsFromString(`--${flag}`);
  globalThis.gc();
  for (const flag of flags) setFlagsFromString(`--no-${flag}`);
}
