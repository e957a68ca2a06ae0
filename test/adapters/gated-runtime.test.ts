// The gate: how many heavy calls run, who goes first, and that a place is never lost.
import { describe, expect, it } from 'vitest';
import { gateRuntime, placeMsMax } from '../../src/adapters/gated-runtime.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { ContainerId, SandboxId } from '../../src/ports/pod-types.ts';
import type { RuntimePort } from '../../src/ports/runtime-port.ts';
import { sandboxConfigOf } from '../support/runtime-configs.ts';

/** A runtime whose calls end when told, and which keeps the order in which they began. */
function heldRuntime() {
  const begun: string[] = [];
  const open: (() => void)[] = [];
  const port = new Proxy({}, {
    get: (_target, name) => (...args: unknown[]) => {
      begun.push(`${String(name)} ${typeof args[0] === 'string' ? args[0] : ''}`.trim());
      return new Promise((resolve) => { open.push(() => resolve({ ok: true, value: undefined })); });
    },
  }) as RuntimePort; // Every method of the port is answered by the proxy.
  const release = async (): Promise<void> => {
    open.shift()?.();
    await new Promise((resolve) => { setImmediate(resolve); });
  };
  return { port, begun, release, inFlight: () => open.length };
}

const container = (id: string): ContainerId => id as ContainerId; // Invented for the test.
const sandbox = (id: string): SandboxId => id as SandboxId; // Invented for the test.

describe('gateRuntime', () => {
  it('given one place and calls of every class waiting, when places come free, then what has begun is finished first', async () => {
    const held = heldRuntime();
    const gated = gateRuntime(held.port, { startsMax: 1 });
    void gated.runSandbox(sandboxConfigOf({ uid: 'first' }), '');
    void gated.removeContainer(container('r1'));
    void gated.removeSandbox(sandbox('r2'));
    void gated.runSandbox(sandboxConfigOf({ uid: 'second' }), '');
    void gated.stopSandbox(sandbox('s'));
    void gated.createContainer(sandbox('c1'), {} as never, {} as never); // The held runtime looks at no configuration.
    void gated.startContainer(container('a'));
    void gated.startContainer(container('b'));
    for (let index = 0; index < 8; index++) await held.release();
    expect(held.begun).toEqual([
      'runSandbox', 'startContainer a', 'startContainer b', 'createContainer c1', 'stopSandbox s', 'runSandbox', 'removeContainer r1', 'removeSandbox r2',
    ]);
  });

  it('given full places, when stops and looks are called, then they pass at once', async () => {
    const held = heldRuntime();
    const gated = gateRuntime(held.port, { startsMax: 1 });
    void gated.startContainer(container('a'));
    void gated.startContainer(container('b'));
    void gated.stopContainer(container('c'), { graceMs: 0 });
    void gated.containerStatus(container('d'));
    void gated.listSandboxes();
    expect(held.begun).toEqual(['startContainer a', 'stopContainer c', 'containerStatus d', 'listSandboxes']);
  });

  it('given a burst of fifty sandboxes, when all have run, then never more than the limit were in flight and no place is lost', async () => {
    const clock = new VirtualClock();
    const sim = new SimRuntime({ clock, random: new SeededRandom('gate') });
    let inFlight = 0;
    let inFlightMax = 0;
    const counted = new Proxy(sim, {
      get: (target, name) => {
        if (name !== 'runSandbox') return Reflect.get(target, name, target) as unknown;
        return async (...args: Parameters<RuntimePort['runSandbox']>) => {
          inFlightMax = Math.max(inFlightMax, ++inFlight);
          const answer = await target.runSandbox(...args);
          inFlight--;
          return answer;
        };
      },
    });
    const gated = gateRuntime(counted, { startsMax: 4 });
    // The odd ones are refused: their name is taken.
    const burst = Promise.all(Array.from({ length: 50 }, (_, index) => gated.runSandbox(sandboxConfigOf({ uid: `pod-${index >> 1}` }), '')));
    let answers: Awaited<typeof burst> | undefined;
    void burst.then((all) => { answers = all; });
    await clock.runUntil(() => answers !== undefined, { limitMs: 60_000 });
    expect(answers?.filter((answer) => answer.ok)).toHaveLength(25);
    expect([inFlightMax, inFlight]).toEqual([4, 0]);
  });

  it('given calls that hang in all places, when they have held them too long, then others get their turn', async () => {
    const held = heldRuntime();
    const clock = new VirtualClock();
    const gated = gateRuntime(held.port, { startsMax: 2, clock });
    for (const uid of ['a', 'b', 'c', 'd', 'e']) void gated.runSandbox(sandboxConfigOf({ uid }), '');
    await clock.advance(placeMsMax - 1);
    expect(held.begun).toHaveLength(2);
    await clock.advance(1);
    expect(held.begun).toHaveLength(4);
    while (held.inFlight() > 0) await held.release();
    expect(held.begun).toHaveLength(5);
    expect(clock.pendingTimers()).toEqual([]);
  });
});
