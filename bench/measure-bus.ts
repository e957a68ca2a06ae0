// The bus alone, in this process: how many messages a second it delivers. No daemon, no runtime.
import { SystemClock } from '../src/adapters/system-clock.ts';
import { Bus } from '../src/bus/bus.ts';
import type { RuntimeEvent } from '../src/ports/runtime-port.ts';
import { feedOn, inspectorBars, rememberedMib, throughputCost } from './measure-inspector.ts';
import type { BenchOptions } from './options.ts';
import { figureColumns, figureRow, type Section } from './section.ts';
import { figureOf } from './statistics.ts';

/** Many short turns: the cost of the inspector is less than what one turn differs from the next. */
const repeats = 60;
/** Warm the compiler. */
const repeatsBefore = 4;
const listeners = 10;
/** As many pods as a node has by default. */
const keys = 110;

export function measureBus({ extent: { busMessages } }: BenchOptions): Section {
  // The first time counts what compilers make, too, and that is not what is remembered.
  rememberedMib();
  const memoryMib = rememberedMib();
  const rates = { all: [] as number[], keyed: [] as number[], watched: [] as number[] };
  const kinds = [
    { name: 'all', rig: () => listenersOfAll() }, { name: 'watched', rig: () => listenersOfAll({ inspected: true }) }, { name: 'keyed', rig: () => listenersByKey() },
  ] as const;
  for (let repeat = 0; repeat < repeatsBefore + repeats; repeat += 1) {
    // Each is as often behind the other as before it.
    for (const { name, rig } of repeat % 2 === 0 ? kinds : kinds.toReversed()) {
      const rate = messagesPerSecond(busMessages, rig());
      if (repeat >= repeatsBefore) rates[name].push(rate);
    }
  }
  const all = figureOf(rates.all);
  const keyed = figureOf(rates.keyed);
  const watched = figureOf(rates.watched);
  const cost = { throughputPercent: throughputCost(all?.median ?? 0, watched?.median ?? 0), memoryMib };
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
