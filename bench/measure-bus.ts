// The bus alone, in this process: how many messages a second it delivers. No daemon, no runtime.
import { SystemClock } from '../src/adapters/system-clock.ts';
import { Bus } from '../src/bus/bus.ts';
import type { RuntimeEvent } from '../src/ports/runtime-port.ts';
import { feedOn, inspectorBars, inspectorCost } from './measure-inspector.ts';
import type { BenchOptions } from './options.ts';
import { figureColumns, figureRow, type Section } from './section.ts';
import { figureOf } from './statistics.ts';

const repeats = 5;
const listeners = 10;
/** As many pods as a node has by default. */
const keys = 110;

export function measureBus({ extent: { busMessages } }: BenchOptions): Section {
  const rates = { all: [] as number[], keyed: [] as number[], watched: [] as number[] };
  for (let repeat = 0; repeat <= repeats; repeat += 1) {
    const all = messagesPerSecond(busMessages, listenersOfAll());
    const watched = messagesPerSecond(busMessages, listenersOfAll({ inspected: true }));
    const keyed = messagesPerSecond(busMessages, listenersByKey());
    // The first round warms the compiler.
    if (repeat === 0) continue;
    rates.all.push(all);
    rates.keyed.push(keyed);
    rates.watched.push(watched);
  }
  const all = figureOf(rates.all);
  const keyed = figureOf(rates.keyed);
  const watched = figureOf(rates.watched);
  const cost = inspectorCost(all?.median ?? 0, watched?.median ?? 0);
  return {
    name: 'bus',
    title: 'The bus alone, in process: messages a second',
    tables: [{
      columns: ['', ...figureColumns],
      rows: [
        figureRow(`each to ${listeners} listeners`, all, 0),
        figureRow(`each to ${listeners} listeners, with the inspector on and nobody looking`, watched, 0),
        figureRow(`each to the one of ${keys} listeners whose key it has`, keyed, 0),
      ],
    }],
    figures: { listeners, keys, messagesPerSecond: all, keyedMessagesPerSecond: keyed, inspectedMessagesPerSecond: watched, inspectorMemoryMib: cost.memoryMib },
    bars: inspectorBars(cost),
    notes: [],
  };
}

interface Rig {
  readonly bus: Bus;
  readonly keyOf: (index: number) => string | undefined;
  readonly received: () => number;
  readonly expected: number;
}

function listenersOfAll({ inspected }: { readonly inspected: boolean } = { inspected: false }): Rig {
  const bus = new Bus(new SystemClock());
  if (inspected) feedOn(bus);
  let received = 0;
  for (let index = 0; index < listeners; index += 1) bus.as(`listener-${index}`).on('runtime.event', ({ payload }) => void (received += payload.id.length));
  return { bus, keyOf: () => undefined, received: () => received, expected: listeners };
}

function listenersByKey(): Rig {
  const bus = new Bus(new SystemClock());
  let received = 0;
  const names = Array.from({ length: keys }, (_, index) => `key-${index}`);
  for (const name of names) bus.as(name).on('runtime.event', ({ payload }) => void (received += payload.id.length), name);
  return { bus, keyOf: (index) => names[index % keys], received: () => received, expected: 1 };
}

function messagesPerSecond(count: number, rig: Rig): number {
  const port = rig.bus.as('bench');
  const event: RuntimeEvent = { kind: 'exited', id: 'x' };
  const beganMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    const key = rig.keyOf(index);
    port.publish('runtime.event', event, key === undefined ? {} : { key });
  }
  const elapsedMs = performance.now() - beganMs;
  if (rig.received() !== count * rig.expected) throw new Error('the bus lost messages');
  return count / (elapsedMs / 1_000);
}
