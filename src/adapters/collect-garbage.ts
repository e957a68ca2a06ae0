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
  collect(globalThis.gc);
  for (const flag of flags) setFlagsFromString(`--no-${flag}`);
}

/** Newer V8s keep freed pages for themselves until memory is all that counts, which is to be asked for; older ones never look for that wish. */
function collect(gc: NonNullable<typeof globalThis.gc>): void {
  let isAsked = false;
  gc({
    type: 'major',
    execution: 'sync',
    get flavor() {
      isAsked = true;
      return 'last-resort' as const;
    },
  });
  if (!isAsked) gc();
}
