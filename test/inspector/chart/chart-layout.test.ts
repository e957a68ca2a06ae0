// Charts that can be read: nothing lies on anything else, arrows end at borders, for our machines and for any other.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chart, layOutChart } from '../../../src/inspector/chart/chart-layout.ts';
import { chartMarks } from '../../../src/inspector/chart/chart-marks.ts';
import { type Box, overlaps } from '../../../src/inspector/chart/shapes.ts';
import { describeMachine } from '../../../src/inspector/describe-machine.ts';
import type { MachineDescription } from '../../../src/inspector/machine-description.ts';
import { leaseMachine } from '../../../src/machines/lease-machine.ts';
import { linkMachine } from '../../../src/machines/link-machine.ts';
import { podMachine } from '../../../src/machines/pod-machine.ts';

const isInside = (path: string, outer: string): boolean => path.startsWith(`${outer}.`);
const contains = (outer: Box, inner: Box): boolean => inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width && inner.y + inner.height <= outer.y + outer.height;

/** What is wrong with a chart, one line each. */
function faultsOf(chart: Chart): string[] {
  const faults: string[] = [];
  const boxes = new Map(chart.states.map(({ path, box }) => [path, box]));
  const all = [...boxes];
  all.forEach(([a, boxA], index) => all.slice(index + 1).forEach(([b, boxB]) => {
    if (isInside(b, a) ? !contains(boxA, boxB) : overlaps(boxA, boxB)) faults.push(`${a} and ${b}`);
  }));
  chart.arrows.forEach(({ from, to, points, label, lines }, index) => {
    const ends = [[boxes.get(from), points[0]], [boxes.get(to), points.at(-1)]] as const;
    for (const [box, point] of ends) {
      if (box === undefined || point === undefined || (point.x !== box.x && point.x !== box.x + box.width) || point.y <= box.y || point.y >= box.y + box.height) faults.push(`${from} to ${to} does not end at a border`);
    }
    points.slice(1).forEach((point, at) => {
      const before = points[at] ?? point;
      if (before.x !== point.x && before.y !== point.y) faults.push(`${from} to ${to} is not at right angles`);
      const segment = { x: Math.min(before.x, point.x) + 1, y: Math.min(before.y, point.y), width: Math.abs(before.x - point.x) - 2, height: Math.abs(before.y - point.y) };
      for (const [path, box] of all) {
        if (path !== from && path !== to && !isInside(from, path) && !isInside(to, path) && overlaps(box, { ...segment, height: segment.height + 0.1 })) faults.push(`${from} to ${to} runs through ${path}`);
      }
    });
    if (all.some(([, box]) => overlaps(box, label))) faults.push(`the label of ${from} to ${to} lies on a state`);
    for (const other of chart.arrows.slice(index + 1)) {
      if (overlaps(label, other.label)) faults.push(`labels of ${from} to ${to} and ${other.from} to ${other.to}`);
      if (points[0]?.y === other.points[0]?.y && points[0]?.x === other.points[0]?.x) faults.push('two arrows begin at one place');
    }
    for (const { at } of lines) if (at.y < label.y || at.y > label.y + label.height) faults.push(`a line of ${from} to ${to} leaves its label`);
  });
  const whole = { x: 0, y: 0, width: chart.width, height: chart.height };
  for (const box of [...boxes.values(), ...chart.arrows.map(({ label }) => label)]) if (!contains(whole, box)) faults.push('something lies outside');
  for (const { points } of chart.arrows) for (const { x, y } of points) if (x < 0 || y < 0 || x > chart.width || y > chart.height) faults.push('an arrow leaves the chart');
  for (const { into, dot } of chart.starts) {
    if (all.some(([path, box]) => !isInside(into, path) && overlaps(box, { x: dot.x - 4, y: dot.y - 4, width: 8, height: 8 }))) faults.push(`the start of ${into} lies on a state`);
  }
  return faults;
}

const ours = [['pod', podMachine], ['link', linkMachine], ['lease', leaseMachine]] as const;

describe('statechart', () => {
  test.each(ours)('given the machine %s, when laid out, then it can be read, all of it is there, and it is the same each time', (_name, machine) => {
    const description = describeMachine(machine);
    const chart = layOutChart(description);
    expect(faultsOf(chart)).toEqual([]);
    expect(chart.states.map(({ path }) => path).filter((path) => path !== '')).toEqual(description.states.map(({ path }) => path));
    const shown = chart.arrows.flatMap(({ from, to, lines }) => lines.flatMap(({ ids }) => ids.map((id) => `${id} ${from} ${to}`)));
    expect(shown.sort()).toEqual(description.transitions.filter(({ to }) => to !== '').map(({ id, from, to }) => `${id} ${from} ${to}`).sort());
    expect(layOutChart(describeMachine(machine))).toEqual(chart);
    expect(chart.width).toBeLessThan(700);
  });

  test('given the pod machine, when laid out, then arrows carry events with guards, and states what they do', () => {
    const { arrows, states, starts } = layOutChart(describeMachine(podMachine));
    const textOf = (from: string, to: string) => arrows.find((arrow) => arrow.from === from && arrow.to === to)?.lines.map(({ text }) => text);
    expect(textOf('running.settled', 'running.syncing')).toEqual(['[isAsked]', 'pod.retry [isUnsettled]', 'after wake']);
    expect(textOf('settling', 'creating.settled')).toEqual(['always']);
    expect(states.find(({ path }) => path === 'terminating.stopping')?.does.text).toBe('does stopPod');
    expect(states.find(({ path }) => path === 'done')?.kind).toBe('final');
    expect(starts.map(({ into }) => into)).toEqual(['pending', 'creating.syncing', 'running.syncing', 'terminating.stopping', 'finishing.removing']);
  });

  test('given any machine, when laid out, then it can be read', () => {
    fc.assert(fc.property(machines, (description) => {
      expect(faultsOf(layOutChart(description))).toEqual([]);
    }), { numRuns: 300 });
  });

  test('given nothing, or transitions to nowhere, when laid out, then there is an empty chart', () => {
    expect(layOutChart({ id: 'x', states: [], transitions: [] })).toMatchObject({ states: [], arrows: [], starts: [] });
    const lost = layOutChart({ id: 'x', states: [], transitions: [{ id: 't', from: 'a', to: 'b', kind: 'event', event: 'e', guard: '', actions: [] }] });
    expect(lost.arrows).toEqual([]);
  });
});

/** Up to three levels, transitions between any two states, to themselves, and to states around and inside them. */
const machines: fc.Arbitrary<MachineDescription> = fc.tuple(fc.array(fc.array(fc.nat(3), { maxLength: 3 }), { minLength: 1, maxLength: 5 }), fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean(), fc.nat(60)), { maxLength: 30 })).map(([shape, moves]) => {
  const states: { path: string; name: string; parent: string; kind: 'atomic' | 'compound'; initial: boolean; invokes: string[] }[] = [];
  const add = (name: string, parent: string, options: { readonly kind: 'atomic' | 'compound'; readonly initial: boolean }) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    states.push({ path, name, parent, ...options, invokes: path.length % 2 === 0 ? ['work'] : [] });
    return path;
  };
  shape.forEach((inner, index) => {
    const top = add(`s${index}`, '', { kind: inner.length > 0 ? 'compound' : 'atomic', initial: index === 1 });
    inner.forEach((count, place) => {
      const middle = add(`m${place}`, top, { kind: count > 0 ? 'compound' : 'atomic', initial: place === 0 });
      for (let leaf = 0; leaf < count; leaf += 1) add(`l${leaf}`, middle, { kind: 'atomic', initial: leaf === count - 1 });
    });
  });
  const transitions = moves.map(([from, to, guarded, length], index) => ({
    id: `t${index}`, from: states[from % states.length]?.path ?? '', to: states[to % states.length]?.path ?? '', kind: 'event' as const, event: 'e'.repeat(length), guard: guarded ? 'isSo' : '', actions: [],
  }));
  return { id: 'any', states, transitions };
});

describe('marks of a statechart', () => {
  test('given where a pod is and was, when marked, then states around them are too, and the arrow taken is found by its transition', () => {
    const description = describeMachine(podMachine);
    const chart = layOutChart(description);
    const id = description.transitions.find(({ from, to, event }) => from === 'running.settled' && to === 'running.syncing' && event === 'after wake')?.id ?? '';
    const marks = chartMarks(chart, { state: 'running.syncing', visits: [{ state: 'pending' }, { state: 'creating.syncing' }], transitions: [id, 'unknown:1', id] });
    expect([...marks.active]).toEqual(['running', 'running.syncing']);
    expect([...marks.visited]).toEqual(['pending', 'creating', 'creating.syncing']);
    expect(marks.taken.map((index) => `${chart.arrows[index]?.from} ${chart.arrows[index]?.to}`)).toEqual(['running.settled running.syncing']);
    expect(chartMarks(chart, { state: '', visits: [], transitions: [] })).toEqual({ active: new Set(), visited: new Set(), taken: [] });
  });
});
