// One thing that was looked at and what came of it: the vocabulary of all checks. Judges nothing.

export interface Finding {
  /** Stable name for programs: `broker.certificate`. */
  readonly check: string;
  /** The same for people. */
  readonly title: string;
  /** `warning`: it works, with a limit that is named. `fault`: pods or the node will not work. */
  readonly outcome: 'good' | 'warning' | 'fault';
  readonly found: string;
  /** What would be good; absent where `found` says it. */
  readonly needed?: string;
  /** What to do, with the command or setting; on everything but `good`. */
  readonly mend?: string;
}

/** What is wrong, and the way out. */
export interface Trouble {
  readonly found: string;
  readonly needed?: string;
  readonly mend: string;
}

/** The words of one check. */
export interface Check {
  good(found: string): Finding;
  warning(trouble: Trouble): Finding;
  fault(trouble: Trouble): Finding;
}

export function check(name: string, title: string): Check {
  return {
    good: (found) => ({ check: name, title, outcome: 'good', found }),
    warning: (trouble) => ({ check: name, title, outcome: 'warning', ...trouble }),
    fault: (trouble) => ({ check: name, title, outcome: 'fault', ...trouble }),
  };
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.5 GiB` */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
