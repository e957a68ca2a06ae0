// How a part of the demo says that it cannot be had.

export type DemoPart = 'host' | 'broker' | 'cloud' | 'containerd' | 'images' | 'agent' | 'pods' | 'teardown';

export interface PartFault {
  readonly part: DemoPart;
  /** What happened and, where it is known, how to mend it. */
  readonly message: string;
  /** The last lines of the part's own log, oldest first. */
  readonly tail: readonly string[];
}

/** The lines a person reads: the fault first, then the part's own words, indented. */
export function partFaultLines(fault: PartFault): readonly string[] {
  return [`${fault.part}: ${fault.message}`, ...fault.tail.map((line) => `    ${line}`)];
}
