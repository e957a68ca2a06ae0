// Lays out how long a machine was in which state: a row for each state, a bar for each stay, and the times below. Pure.
import { type Box, textWidth } from './shapes.ts';

export interface TimelineInput {
  /** Oldest first; the last one may go on. */
  readonly visits: readonly Stay[];
  /** End of the picture: now, or the moment that is shown. */
  readonly toMs: number;
  /** Of the whole drawing, pixels. */
  readonly width: number;
  /** `even` gives short stays room beside long ones: a stay's length counts by its logarithm. */
  readonly scale: 'linear' | 'even';
  /** Paths in the order of the rows; what is not named comes after, in the order in which it was entered. */
  readonly states?: readonly string[];
}

export interface Stay {
  readonly n: number;
  readonly state: string;
  readonly enteredAtMs: number;
  readonly leftAtMs?: number | undefined;
  readonly on: string;
}

export interface Timeline {
  readonly width: number;
  readonly height: number;
  readonly rows: readonly TimelineRow[];
  /** In order of time. Stays too short to be told apart share one. */
  readonly bars: readonly TimelineBar[];
  /** Upright lines from one bar to the next. */
  readonly moves: readonly { readonly x: number; readonly fromY: number; readonly toY: number; readonly on: string; readonly n: number }[];
  readonly ticks: readonly { readonly x: number; readonly atMs: number }[];
}

export interface TimelineRow {
  readonly state: string;
  /** Base line of its name, which begins at the left edge. */
  readonly y: number;
  readonly stays: number;
  readonly totalMs: number;
  /** Of the whole time shown, 0 to 1. */
  readonly share: number;
}

export interface TimelineBar extends Box {
  readonly state: string;
  /** Entry of the first stay in it. */
  readonly n: number;
  readonly enteredAtMs: number;
  readonly leftAtMs: number;
  readonly stays: number;
  /** The state is still active at the end. */
  readonly goesOn: boolean;
}

const rowPx = 24;
const barPx = 14;
const axisPx = 24;
const gutterPxMin = 72;
const gutterGapPx = 12;
const barPxMin = 2;
/** Between two ticks. */
const tickPxMin = 84;
const secondsSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 604_800];
const millisecondSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
/** Of the even scale: stays of so long and shorter look alike. */
const shortestMs = 20;

export function layOutTimeline({ visits, toMs, width, scale, states = [] }: TimelineInput): Timeline {
  const known = visits.map((visit) => ({ ...visit, leftAtMs: Math.max(visit.enteredAtMs, Math.min(visit.leftAtMs ?? toMs, toMs)), goesOn: visit.leftAtMs === undefined || visit.leftAtMs > toMs }))
    .filter(({ enteredAtMs }) => enteredAtMs <= toMs);
  const order = [...new Set([...states.filter((state) => known.some((stay) => stay.state === state)), ...known.map(({ state }) => state)])];
  const gutter = Math.max(gutterPxMin, ...order.map(textWidth)) + gutterGapPx;
  const fromMs = known[0]?.enteredAtMs ?? toMs;
  const place = placing(known, { fromMs, toMs, left: gutter, right: Math.max(gutter + 1, width - gutterGapPx), scale });
  const rowTop = (state: string): number => order.indexOf(state) * rowPx + (rowPx - barPx) / 2;
  const bars = barsOf(known, place, rowTop);
  return {
    width, height: order.length * rowPx + axisPx, bars,
    rows: order.map((state, index) => rowOf(state, index, known, Math.max(1, toMs - fromMs))),
    moves: bars.slice(1).map(({ n, x, y }, index) => ({ n, x, fromY: (bars[index]?.y ?? y) + barPx / 2, toY: y + barPx / 2, on: known.find((stay) => stay.n === n)?.on ?? '' })),
    ticks: scale === 'linear' ? niceTicks(fromMs, toMs, place) : spread(known.map(({ enteredAtMs }) => ({ atMs: enteredAtMs, x: place(enteredAtMs) }))),
  };
}

type Known = Stay & { readonly leftAtMs: number; readonly goesOn: boolean };
type Place = (atMs: number) => number;

function rowOf(state: string, index: number, stays: readonly Known[], wholeMs: number): TimelineRow {
  const own = stays.filter((stay) => stay.state === state);
  const totalMs = own.reduce((sum, { enteredAtMs, leftAtMs }) => sum + leftAtMs - enteredAtMs, 0);
  return { state, y: index * rowPx + rowPx / 2 + 4, stays: own.length, totalMs, share: Math.min(1, totalMs / wholeMs) };
}

interface Scale {
  readonly fromMs: number;
  readonly toMs: number;
  readonly left: number;
  readonly right: number;
  readonly scale: TimelineInput['scale'];
}

/** From a time to its place, never to the left of an earlier time's. */
function placing(stays: readonly Known[], { fromMs, toMs, left, right, scale }: Scale): Place {
  const widthPx = right - left;
  const wholeMs = Math.max(1, toMs - fromMs);
  if (scale === 'linear') return (atMs) => left + (widthPx * (Math.min(Math.max(atMs, fromMs), toMs) - fromMs)) / wholeMs;
  const weights = stays.map(({ enteredAtMs, leftAtMs }) => Math.log2(2 + (leftAtMs - enteredAtMs) / shortestMs));
  const whole = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  const begins = weights.map((_, index) => weights.slice(0, index).reduce((sum, weight) => sum + weight, 0));
  return (atMs) => {
    const index = Math.max(0, stays.findLastIndex(({ enteredAtMs }) => enteredAtMs <= atMs));
    const { enteredAtMs = fromMs, leftAtMs = toMs } = stays[index] ?? {};
    const within = Math.min(1, Math.max(0, (atMs - enteredAtMs) / Math.max(1, leftAtMs - enteredAtMs)));
    return left + (widthPx * ((begins[index] ?? 0) + (weights[index] ?? 0) * within)) / whole;
  };
}

function barsOf(stays: readonly Known[], place: Place, rowTop: (state: string) => number): readonly TimelineBar[] {
  const bars: TimelineBar[] = [];
  const last = new Map<string, number>();
  for (const { state, n, enteredAtMs, leftAtMs, goesOn } of stays) {
    const x = place(enteredAtMs);
    // Two stays may begin in one millisecond; on the even scale each has its own room, which `place` gives to the later one.
    const width = Math.max(barPxMin, place(leftAtMs) - x);
    const at = last.get(state);
    const before = at === undefined ? undefined : bars[at];
    if (at !== undefined && before !== undefined && x < before.x + before.width + 1) {
      bars[at] = { ...before, width: Math.max(before.width, x + width - before.x), leftAtMs, stays: before.stays + 1, goesOn };
      continue;
    }
    last.set(state, bars.length);
    bars.push({ state, n, x, y: rowTop(state), width, height: barPx, enteredAtMs, leftAtMs, stays: 1, goesOn });
  }
  return bars;
}

/** At whole seconds, minutes or hours, as many as have room. */
function niceTicks(fromMs: number, toMs: number, place: Place): Timeline['ticks'] {
  const widthPx = place(toMs) - place(fromMs);
  const stepsMax = Math.max(1, Math.floor(widthPx / tickPxMin));
  const needMs = (toMs - fromMs) / stepsMax;
  const stepMs = millisecondSteps.find((step) => step >= needMs) ?? (secondsSteps.find((step) => step * 1_000 >= needMs) ?? Math.ceil(needMs / 86_400_000) * 86_400) * 1_000;
  const ticks: { x: number; atMs: number }[] = [];
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs <= toMs && ticks.length <= stepsMax; atMs += stepMs) ticks.push({ atMs, x: place(atMs) });
  return ticks;
}

function spread(ticks: Timeline['ticks']): Timeline['ticks'] {
  const kept: { x: number; atMs: number }[] = [];
  for (const tick of ticks) if (kept.length === 0 || tick.x - (kept.at(-1)?.x ?? 0) >= tickPxMin) kept.push(tick);
  return kept;
}
