// The watch over the runtime's event stream, on a runtime that is played.
import { afterEach, describe, expect, test } from 'vitest';
import { startRuntimeWatch } from '../../src/actors/runtime-watch.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Messages } from '../../src/bus/messages.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import type { RuntimeListener, RuntimePort } from '../../src/ports/runtime-port.ts';
import { silentLog } from '../support/silent-log.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const actor of running.splice(0)) await actor.stop(); });

/** A simulated runtime whose streams can be broken alone: every call goes on being answered. */
function world() {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const sim = new SimRuntime({ clock, random: new SeededRandom(1), latencies: { status: [10, 10] } });
  const listeners: RuntimeListener[] = [];
  const health: Messages['runtime.health'][] = [];
  const runtime: RuntimePort = new Proxy<RuntimePort>(sim, {
    get: (target, name) => {
      if (name === 'watch') return (listener: RuntimeListener) => { listeners.push(listener); return target.watch(listener); };
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  bus.as('test').on('runtime.health', ({ payload }) => { health.push(payload); });
  running.push(startRuntimeWatch({ bus: bus.as('runtime'), runtime, clock, random: new SeededRandom(2), log: silentLog, identified: async () => undefined }));
  return { clock, health, listeners };
}

describe('runtime watch', () => {
  test('given a status call under way, when the stream breaks before its answer, then the stream is opened again', async () => {
    const { clock, health, listeners } = world();
    await clock.runUntil(() => listeners.length === 1, { limitMs: 1_000 });
    // The stream is open within 4 ms; the status call after it takes 10 ms.
    await clock.advance(6);
    expect(health).toEqual([]);
    listeners[0]?.lost({ kind: 'unavailable', message: 'the stream broke' });
    await clock.advance(1_000);
    expect(listeners).toHaveLength(2);
    expect(health.at(-1)).toMatchObject({ runtimeReady: true, streaming: true });
  });
});
