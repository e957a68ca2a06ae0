// Lays messages out as a sequence chart: a life line for each actor, a row for each message or step, arrows to whoever did something
// because of it, and beside the line of an actor the time between what it heard and what it did. Pure.
import { type Point, textWidth } from './shapes.ts';

/** What the chart needs of an entry. */
export interface SequenceEntry {
  readonly n: number;
  readonly at: number;
  /** Who published it or stepped. */
  readonly actor: string;
  readonly kind: 'message' | 'step';
  /** The entry that led to it; 0 for none. */
  readonly cause: number;
  /** Topic of a message; event of a step. */
  readonly title: string;
}

export interface Sequence {
  readonly width: number;
  readonly height: number;
  /** The rows begin below the actors' names. */
  readonly headPx: number;
  readonly rowPx: number;
  /** From left to right. The last one stands for all others where there are too many. */
  readonly actors: readonly { readonly name: string; readonly x: number; readonly stands: number }[];
  /** In the order of the entries, each `rowPx` below the one before: a page that scrolls takes the ones it shows. */
  readonly rows: readonly SequenceRow[];
}

export interface SequenceRow {
  readonly n: number;
  readonly kind: SequenceEntry['kind'];
  /** Place of the actor in `actors`. */
  readonly actor: number;
  /** On the actor's life line. */
  readonly at: Point;
  /** Base line of its title. */
  readonly label: Point;
  /** To those that did something because of it, the nearest first; none where nobody did or it is not shown. */
  readonly arrows: readonly { readonly to: number; readonly path: string; readonly heading: 'left' | 'right' }[];
  /** From where the cause arrived at this actor down to here; undefined where the cause is none or not shown. */
  readonly since?: { readonly n: number; readonly fromY: number };
}

const rowPx = 26;
const headPx = 44;
const columnPxMin = 96;
const columnPxMax = 190;
const marginPx = 16;
/** Room for titles at the right of the last life line. */
const tailPx = 220;
const loopPx = 22;
const labelAbovePx = 5;
const labelBesidePx = 9;
/** Life lines beside each other, unless another number is given. */
export const actorsMaxUsual = 12;

export function layOutSequence(entries: readonly SequenceEntry[], options: { readonly actorsMax?: number } = {}): Sequence {
  const { actors, columnOf } = actorsOf(entries, Math.max(2, options.actorsMax ?? actorsMaxUsual));
  const placeOf = new Map(entries.map(({ n }, index) => [n, index]));
  const heardBy = listenersOf(entries, placeOf, columnOf);
  const y = (index: number): number => headPx + index * rowPx + rowPx / 2;
  const rows = entries.map((entry, index): SequenceRow => {
    const actor = columnOf(entry.actor);
    const at = { x: actors[actor]?.x ?? 0, y: y(index) };
    const arrows = [...(heardBy.get(entry.n) ?? [])].sort((a, b) => Math.abs(a - actor) - Math.abs(b - actor) || a - b)
      .map((to) => ({ to, ...arrowPath(at, actors[to]?.x ?? at.x) }));
    const cause = placeOf.get(entry.cause);
    return {
      n: entry.n, kind: entry.kind, actor, at, arrows, label: labelOf(at, arrows.map(({ to }) => actors[to]?.x ?? at.x)),
      ...(cause === undefined || cause >= index ? {} : { since: { n: entry.cause, fromY: y(cause) } }),
    };
  });
  return { width: (actors.at(-1)?.x ?? marginPx) + tailPx, height: headPx + entries.length * rowPx + marginPx, headPx, rowPx, actors, rows };
}

interface Columns {
  readonly actors: Sequence['actors'];
  columnOf(actor: string): number;
}

/** In the order in which they appear, so that causes stand left of effects where they can. */
function actorsOf(entries: readonly SequenceEntry[], actorsMax: number): Columns {
  const names = [...new Set(entries.map(({ actor }) => actor))];
  const own = names.length <= actorsMax ? names : names.slice(0, actorsMax - 1);
  const others = names.length - own.length;
  const shown = [...own.map((name) => ({ name, stands: 1 })), ...(others === 0 ? [] : [{ name: `${others} others`, stands: others }])];
  let x = marginPx + columnPxMin / 2;
  const actors = shown.map(({ name, stands }, index) => {
    const before = shown[index - 1];
    // Half of each name's width on either side of the gap between two lines.
    if (before !== undefined) x += Math.min(columnPxMax, Math.max(columnPxMin, (textWidth(before.name) + textWidth(name)) / 2 + marginPx));
    return { name, stands, x: Math.round(x) };
  });
  const places = new Map(own.map((name, index) => [name, index]));
  return { actors, columnOf: (actor) => places.get(actor) ?? own.length };
}

/** Columns of those that published or stepped because of an entry, by that entry. */
function listenersOf(entries: readonly SequenceEntry[], placeOf: ReadonlyMap<number, number>, columnOf: Columns['columnOf']): ReadonlyMap<number, ReadonlySet<number>> {
  const heardBy = new Map<number, Set<number>>();
  for (const { cause, actor, n } of entries) {
    if (cause === 0 || cause === n || !placeOf.has(cause)) continue;
    const found = heardBy.get(cause) ?? new Set<number>();
    found.add(columnOf(actor));
    heardBy.set(cause, found);
  }
  return heardBy;
}

/** Straight across, or a loop to itself. */
function arrowPath({ x, y }: Point, toX: number): { readonly path: string; readonly heading: 'left' | 'right' } {
  if (toX === x) return { path: `M${x} ${y}H${x + loopPx}V${y + rowPx / 3}H${x}`, heading: 'left' };
  return { path: `M${x} ${y}H${toX}`, heading: toX > x ? 'right' : 'left' };
}

/** Above its arrow, or beside its dot where it has none. */
function labelOf({ x, y }: Point, ends: readonly number[]): Point {
  const left = Math.min(x, ...ends);
  const straight = ends.some((end) => end !== x);
  return straight ? { x: left + labelBesidePx, y: y - labelAbovePx } : { x: x + (ends.length > 0 ? loopPx : 0) + labelBesidePx, y: y + 4 };
}

/** Numbers of all entries shown that led to one, and of all that followed from it. */
export function trailOf(entries: readonly SequenceEntry[], n: number): ReadonlySet<number> {
  const byNumber = new Map(entries.map((entry) => [entry.n, entry]));
  const trail = new Set<number>();
  for (let at = byNumber.get(n); at !== undefined && !trail.has(at.n); at = byNumber.get(at.cause)) trail.add(at.n);
  const after = new Set([n]);
  // A cause comes before its effects.
  for (const entry of entries) if (after.has(entry.cause)) after.add(entry.n);
  for (const each of after) if (byNumber.has(each)) trail.add(each);
  return trail;
}
