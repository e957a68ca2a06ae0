// What is lit in a statechart: where the machine is, where it has been, and which transitions it took just now. Pure.
import type { Chart } from './chart-layout.ts';

export interface ChartMarks {
  /** Paths of the active state and of those around it. */
  readonly active: ReadonlySet<string>;
  /** Paths of states it has been in, and of those around them. */
  readonly visited: ReadonlySet<string>;
  /** Places in `chart.arrows`, in the order in which they were taken. */
  readonly taken: readonly number[];
}

export interface Marked {
  /** Path of the innermost active state; empty before the start. */
  readonly state: string;
  readonly visits: readonly { readonly state: string }[];
  /** Ids of the transitions of the last step. */
  readonly transitions: readonly string[];
}

export function chartMarks(chart: Chart, { state, visits, transitions }: Marked): ChartMarks {
  const known = new Set(chart.states.map(({ path }) => path));
  const place = new Map(chart.arrows.flatMap(({ lines }, index) => lines.flatMap(({ ids }) => ids.map((id) => [id, index] as const))));
  return {
    active: new Set(around(state).filter((path) => known.has(path))),
    visited: new Set(visits.flatMap((visit) => around(visit.state)).filter((path) => known.has(path))),
    taken: [...new Set(transitions.flatMap((id) => place.get(id) ?? []))],
  };
}

/** `running`, `running.settled` of `running.settled`. */
function around(path: string): readonly string[] {
  const names = path === '' ? [] : path.split('.');
  return names.map((_, index) => names.slice(0, index + 1).join('.'));
}
