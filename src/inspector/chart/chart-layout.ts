// Lays a machine out as a statechart: states one below the other, those inside others inside them, arrows in lanes beside them, labels
// between states and lanes. So nothing can lie on anything else, at any width. Pure and deterministic; the page draws it and lights it.
import type { MachineDescription, StateDescription } from '../machine-description.ts';
import { type ArrowLine, type ChartPlan, planChart, type PlannedArrow, type Port, type Row, type Side } from './chart-plan.ts';
import { type Box, type Point, roundedPath, textWidth } from './shapes.ts';

/** All lengths are pixels at the chart's own scale. */
export interface Chart {
  readonly width: number;
  readonly height: number;
  /** Outer states before the ones inside them: drawn in this order, nothing is hidden. */
  readonly states: readonly ChartState[];
  readonly arrows: readonly ChartArrow[];
  /** Where the machine and each state with states inside begin: a dot and a short arrow to the border of the first state. */
  readonly starts: readonly { readonly into: string; readonly dot: Point; readonly path: string }[];
}

/** One without a path stands for all: what leaves it may happen in any of them. */
export interface ChartState extends Pick<StateDescription, 'path' | 'name' | 'kind' | 'initial'> {
  readonly depth: number;
  readonly box: Box;
  /** Base line of its name. */
  readonly title: Point;
  /** What runs while it is active; empty where nothing does. */
  readonly does: { readonly text: string; readonly at: Point };
}

export interface ChartArrow {
  /** Paths. */
  readonly from: string;
  readonly to: string;
  readonly side: Side;
  /** Corners from border to border; `path` is the same with round corners. */
  readonly points: readonly Point[];
  readonly path: string;
  /** Which way the head points. */
  readonly heading: 'left' | 'right';
  /** One line for each transition, `at` is its base line's beginning. */
  readonly lines: readonly (ArrowLine & { readonly at: Point })[];
  readonly label: Box;
}

const marginPx = 14;
const insetPx = 14;
const gapPx = 26;
const titlePx = 22;
const doesPx = 14;
const padPx = 8;
const labelGapPx = 10;
const linePx = 13;
const underlinePx = 4;
const portPx = 12;
const lanePx = 9;
const laneGapPx = 10;
const columnPxMin = 132;
const dotAbovePx = 17;

export function layOutChart(machine: MachineDescription): Chart {
  const plan = planChart(machine);
  const places = placeRows(plan);
  const lanes = { left: assignLanes(plan, places, 'left'), right: assignLanes(plan, places, 'right') };
  const zone = { left: zonePx(plan, 'left'), right: zonePx(plan, 'right') };
  const lanesPx = { left: lanes.left.count * lanePx, right: lanes.right.count * lanePx };
  const columnX = marginPx + lanesPx.left + zone.left;
  const columnPx = columnWidth(plan);
  const boxes = plan.rows.map(({ depth }, index): Box => {
    const { top, height } = places.rows[index] ?? nowhere;
    return { x: columnX + depth * insetPx, y: top, width: columnPx - 2 * depth * insetPx, height };
  });
  const laneX = (arrow: PlannedArrow): number => {
    const lane = lanes[arrow.side].of.get(arrow) ?? 0;
    return arrow.side === 'right' ? columnX + columnPx + zone.right + lane * lanePx : columnX - zone.left - lane * lanePx;
  };
  return {
    width: columnX + columnPx + zone.right + lanesPx.right + marginPx,
    height: places.bottom + marginPx,
    states: plan.rows.map((row) => stateOf(row, boxes[row.index] ?? nowhereBox)),
    arrows: plan.arrows.map((arrow) => arrowOf(arrow, { plan, places, boxes, laneX: laneX(arrow), columnX, columnPx })),
    starts: plan.rows.filter(({ state }) => state.initial).map(({ state, index }) => startOf(state, boxes[index] ?? nowhereBox)),
  };
}

interface Places {
  readonly rows: readonly { readonly top: number; readonly height: number }[];
  readonly portYs: ReadonlyMap<Port, number>;
  readonly bottom: number;
}

const nowhere = { top: 0, height: 0 };
const nowhereBox: Box = { x: 0, y: 0, width: 0, height: 0 };

/** From top to bottom. A state with states inside ends below the last of them. */
function placeRows({ rows, ports }: ChartPlan): Places {
  const placed: { top: number; height: number }[] = [];
  const portYs = new Map<Port, number>();
  const open: { readonly depth: number; readonly index: number }[] = [];
  let y = marginPx;
  const closeTo = (depth: number): void => {
    for (let last = open.at(-1); last !== undefined && last.depth >= depth; last = open.at(-1)) {
      const place = placed[last.index];
      y += padPx;
      if (place !== undefined) place.height = y - place.top;
      open.pop();
    }
  };
  for (const { state, depth, index } of rows) {
    closeTo(depth);
    y += gapPx;
    const own = titlePx + (state.invokes.length > 0 ? doesPx : 0) + padPx;
    const sides = ports[index] ?? { left: [], right: [] };
    const height = Math.max(own, placePorts(sides.left, y, portYs), placePorts(sides.right, y, portYs));
    placed.push({ top: y, height });
    y += height;
    if (state.kind === 'compound') open.push({ depth, index });
  }
  closeTo(0);
  return { rows: placed, portYs, bottom: y };
}

/** @returns the height that the ports take */
function placePorts(ports: readonly Port[], top: number, portYs: Map<Port, number>): number {
  let y = top + padPx;
  for (const port of ports) {
    y += port.end === 'in' ? portPx : port.arrow.lines.length * linePx + underlinePx;
    portYs.set(port, y);
    y += underlinePx;
  }
  return y + padPx - top;
}

/** Room for the longest label of a side, and the air around it. */
function zonePx({ arrows }: ChartPlan, side: Side): number {
  const widths = arrows.filter((arrow) => arrow.side === side).flatMap(({ lines }) => lines.map(({ text }) => textWidth(text)));
  return widths.length === 0 ? marginPx : Math.max(...widths) + labelGapPx + laneGapPx;
}

function columnWidth({ rows }: ChartPlan): number {
  return Math.max(columnPxMin, ...rows.map(({ state, depth }) => Math.max(textWidth(state.name) * 1.25, textWidth(doesText(state))) + 2 * insetPx * (depth + 1)));
}

/** The short arrows run inside, the long ones outside; two that pass the same height never share a lane. */
function assignLanes(plan: ChartPlan, { portYs }: Places, side: Side): { readonly of: ReadonlyMap<PlannedArrow, number>; readonly count: number } {
  const spans = plan.arrows.filter((arrow) => arrow.side === side).map((arrow) => {
    const [fromY, toY] = endsOf(plan, arrow, portYs);
    return { arrow, top: Math.min(fromY, toY), bottom: Math.max(fromY, toY) };
  });
  spans.sort((a, b) => a.bottom - a.top - (b.bottom - b.top) || a.top - b.top);
  const taken: { top: number; bottom: number }[][] = [];
  const of = new Map<PlannedArrow, number>();
  for (const { arrow, top, bottom } of spans) {
    // Outside of everything it spans, so that what begins within it need not cross it.
    const found = taken.findLastIndex((lane) => lane.some((other) => top <= other.bottom && other.top <= bottom)) + 1;
    (taken[found] ??= []).push({ top, bottom });
    of.set(arrow, found);
  }
  return { of, count: taken.length };
}

function endsOf({ ports }: ChartPlan, arrow: PlannedArrow, portYs: Places['portYs']): readonly [from: number, to: number] {
  const portAt = (row: number, end: Port['end']): Port | undefined => ports[row]?.[arrow.side].find((port) => port.arrow === arrow && port.end === end);
  const y = (port: Port | undefined): number => (port === undefined ? 0 : (portYs.get(port) ?? 0));
  return [y(portAt(arrow.from, 'out')), y(portAt(arrow.to, 'in'))];
}

interface Drawing {
  readonly plan: ChartPlan;
  readonly places: Places;
  readonly boxes: readonly Box[];
  readonly laneX: number;
  readonly columnX: number;
  readonly columnPx: number;
}

function arrowOf(arrow: PlannedArrow, { plan, places, boxes, laneX, columnX, columnPx }: Drawing): ChartArrow {
  const [fromY, toY] = endsOf(plan, arrow, places.portYs);
  const from = boxes[arrow.from] ?? nowhereBox;
  const to = boxes[arrow.to] ?? nowhereBox;
  const isRight = arrow.side === 'right';
  const points = [
    { x: isRight ? from.x + from.width : from.x, y: fromY }, { x: laneX, y: fromY }, { x: laneX, y: toY }, { x: isRight ? to.x + to.width : to.x, y: toY },
  ];
  const width = Math.max(...arrow.lines.map(({ text }) => textWidth(text)));
  const height = arrow.lines.length * linePx;
  const label = { x: isRight ? columnX + columnPx + labelGapPx : columnX - labelGapPx - width, y: fromY - underlinePx - height + 1, width, height };
  return {
    from: plan.rows[arrow.from]?.state.path ?? '', to: plan.rows[arrow.to]?.state.path ?? '', side: arrow.side, points, path: roundedPath(points),
    heading: isRight ? 'left' : 'right', label,
    lines: arrow.lines.map((line, index) => ({ ...line, at: { x: isRight ? label.x : label.x + width - textWidth(line.text), y: label.y + (index + 1) * linePx - 3 } })),
  };
}

function stateOf({ state, depth }: Row, box: Box): ChartState {
  const { path, name, kind, initial } = state;
  const x = box.x + insetPx;
  return { path, name, kind, initial, depth, box, title: { x, y: box.y + titlePx - 5 }, does: { text: doesText(state), at: { x, y: box.y + titlePx + doesPx - 5 } } };
}

function doesText({ invokes }: StateDescription): string {
  return invokes.length === 0 ? '' : `does ${invokes.join(', ')}`;
}

function startOf({ path }: StateDescription, { x, y }: Box): Chart['starts'][number] {
  const dot = { x: x + insetPx, y: y - dotAbovePx };
  return { into: path, dot, path: `M${dot.x} ${dot.y}L${dot.x} ${y}` };
}
