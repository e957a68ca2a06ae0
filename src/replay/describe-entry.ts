// An entry of a recording of everything in one line, for people who look for where two runs part.
import type { Entry, Output } from './entries.ts';

const describedMax = 300;

/** In one line. */
export function describeEntry(what: Entry | Pick<Output, 'port' | 'method' | 'args'>): string {
  if (!('k' in what)) return `${what.port}.${what.method}(${JSON.stringify(what.args).slice(1, -1)})`.slice(0, describedMax);
  switch (what.k) {
    case 'call':
    case 'sync':
      return `${what.port}.${what.method}(${JSON.stringify(what.args).slice(1, -1)})`.slice(0, describedMax);
    case 'answer':
    case 'thrown':
      return `the answer to call ${what.n}`;
    case 'event':
      return `an event for function ${what.callback}`;
    case 'timer':
      return `timer ${what.n} fires`;
    default:
      return `the entry "${what.k}"`;
  }
}
