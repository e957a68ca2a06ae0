// What the inspector costs a simulated node while nobody looks: an agent's own messages, listeners and machines, where measure-bus.ts has
// listeners that do nothing. Processor time of this process, by turns.
import { observerOn } from './measure-inspector.ts';
import type { BenchOptions } from './options.ts';
import type { Section } from './section.ts';
import { type SimulatedRun, simulatedRun } from './simulated-node.ts';
import { figureOf } from './statistics.ts';

const runs = { full: 12, quick: 4 } as const;
/** Warm the compiler. */
const runsBefore = 2;

export async function measureInspectedNode({ quick }: BenchOptions): Promise<Section> {
  const off: SimulatedRun[] = [];
  const on: SimulatedRun[] = [];
  for (let turn = -runsBefore; turn < (quick ? runs.quick : runs.full); turn += 1) {
    // Each is as often behind the other as before it.
    for (const inspected of turn % 2 === 0 ? [false, true] : [true, false]) {
      const run = await simulatedRun(inspected ? observerOn : undefined);
      if (turn >= 0) (inspected ? on : off).push(run);
    }
  }
  const us = (of: readonly SimulatedRun[], part: 'cpuMs' | 'busMs') => figureOf(of.map((run) => (run[part] * 1_000) / run.messages));
  const [offUs, onUs, busUs] = [us(off, 'cpuMs'), us(on, 'cpuMs'), us(off, 'busMs')];
  const percent = offUs === undefined || onUs === undefined || busUs === undefined ? undefined : Math.max(0, ((onUs.median - offUs.median) / busUs.median) * 100);
  const shown = (value: number | undefined) => value?.toFixed(1) ?? '–';
  return {
    name: 'inspectedNode',
    title: 'The inspector on a simulated node of 100 pods, nobody looking: processor time for a message of an agent',
    tables: [{
      columns: ['', 'median, µs', 'runs'],
      rows: [['the whole process, without it', shown(offUs?.median), String(off.length)], ['of it the bus and its listeners', shown(busUs?.median), String(off.length)], ['the whole process, with it', shown(onUs?.median), String(on.length)]],
    }],
    figures: { cpuOffUs: offUs, cpuOnUs: onUs, busOffUs: busUs, percentOfBus: percent },
    bars: [{ what: 'inspector on, nobody looks: of the bus of a simulated node', measured: percent, limit: 2, unit: '%' }],
    notes: ['what is more with it, wherever it falls, against the time of the bus alone'],
  };
}
