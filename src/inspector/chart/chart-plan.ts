// What a statechart's drawing has to show, before anything has a place: rows of states, arrows between them, and on which side
// of a row each arrow begins and ends, in which order. Pure.
import type { MachineDescription, StateDescription, TransitionDescription } from '../machine-description.ts';

/** A state, or the head of one that has states inside. Rows stand one below the other. */
export interface Row {
  readonly state: StateDescription;
  readonly depth: number;
  readonly index: number;
}

/** Transitions between the same two states that read the same. */
export interface ArrowLine {
  /** Of the transitions. */
  readonly ids: readonly string[];
  readonly text: string;
}

export interface PlannedArrow {
  readonly from: number;
  readonly to: number;
  readonly side: Side;
  readonly lines: readonly ArrowLine[];
}

/** Downwards on the right, upwards on the left: so no two arrows that pass each other share a lane. */
export type Side = 'left' | 'right';

/** Where an arrow touches a row. */
export interface Port {
  readonly arrow: PlannedArrow;
  readonly end: 'out' | 'in';
}

export interface ChartPlan {
  readonly rows: readonly Row[];
  readonly arrows: readonly PlannedArrow[];
  /** From top to bottom, by row. */
  readonly ports: readonly Readonly<Record<Side, readonly Port[]>>[];
}

/** Transitions that only act have no arrow; those to a state that is not described neither. */
export function planChart({ states, transitions }: MachineDescription): ChartPlan {
  const rows = rowsOf(transitions.some(({ from, to }) => from === '' && to !== '') ? [anyState, ...states] : states);
  const index = new Map(rows.map((row) => [row.state.path, row.index]));
  const grouped = new Map<string, { readonly from: number; readonly to: number; readonly lines: Map<string, string[]> }>();
  for (const transition of transitions) {
    const from = index.get(transition.from);
    const to = index.get(transition.to);
    if (from === undefined || to === undefined) continue;
    const key = `${from} ${to}`;
    const arrow = grouped.get(key) ?? { from, to, lines: new Map<string, string[]>() };
    grouped.set(key, arrow);
    const text = transitionText(transition);
    arrow.lines.set(text, [...(arrow.lines.get(text) ?? []), transition.id]);
  }
  const arrows = [...grouped.values()].map(({ from, to, lines }): PlannedArrow => ({
    from, to, side: to >= from ? 'right' : 'left', lines: [...lines].map(([text, ids]) => ({ ids, text })),
  }));
  return { rows, arrows, ports: rows.map((row) => ({ left: portsOf(row, arrows, 'left'), right: portsOf(row, arrows, 'right') })) };
}

/** Stands for the machine itself, whose transitions count in every state. Drawn only where there are such transitions. */
const anyState: StateDescription = { path: '', name: 'in any state', parent: '', kind: 'atomic', initial: false, invokes: [] };

/** `pod.kill [shortensGrace]`; what happens of itself and without a condition says so. */
export function transitionText({ event, guard }: Pick<TransitionDescription, 'event' | 'guard'>): string {
  return `${event}${guard === '' ? '' : ` [${guard}]`}`.trim() || 'always';
}

/** Each state before those inside it, in the order of the definition. A state whose parent is unknown stands at the top. */
function rowsOf(states: readonly StateDescription[]): readonly Row[] {
  const known = new Set(states.map(({ path }) => path));
  const rows: Row[] = [];
  const walk = (parent: string, depth: number): void => {
    for (const state of states) {
      if ((known.has(state.parent) ? state.parent : '') !== parent) continue;
      rows.push({ state, depth, index: rows.length });
      if (state.path !== '') walk(state.path, depth + 1);
    }
  };
  walk('', 0);
  return rows;
}

/**
 * Arrows of one side never cross for the sake of their order at a row: what comes from above arrives above what leaves downwards, the far
 * one runs outside the near one.
 */
function portsOf(row: Row, arrows: readonly PlannedArrow[], side: Side): readonly Port[] {
  const length = ({ from, to }: PlannedArrow): number => Math.abs(from - to);
  const here = arrows.filter((arrow) => arrow.side === side);
  const arriving = here.filter(({ to }) => to === row.index).map((arrow) => ({ arrow, end: 'in' as const }));
  const leaving = here.filter(({ from }) => from === row.index).map((arrow) => ({ arrow, end: 'out' as const }));
  const nearFirst = (ports: readonly Port[]): readonly Port[] => [...ports].sort((a, b) => length(a.arrow) - length(b.arrow));
  const farFirst = (ports: readonly Port[]): readonly Port[] => [...nearFirst(ports)].reverse();
  return side === 'right' ? [...nearFirst(arriving), ...farFirst(leaving)] : [...nearFirst(leaving), ...farFirst(arriving)];
}
