import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { withLastingCause } from '../../src/bus/lasting-cause.ts';
import type { PodReference } from '../../src/bus/messages.ts';
import type { PodUid } from '../../src/ports/pod-types.ts';

// A UID is a text with a name of its own.
const pod: PodReference = { uid: 'u1' as PodUid, namespace: 'default', name: 'web' };

describe('withLastingCause', () => {
  test('given work that goes on after a message, when it publishes, then the message it was told last is its cause', async () => {
    const bus = new Bus(new VirtualClock());
    const causes: number[] = [];
    bus.tap(({ topic, cause }) => { if (topic === 'pod.planned') causes.push(cause); });
    const { bus: lasting, heard } = withLastingCause(bus.as('pod'));
    const plan = (): number => lasting.publish('pod.planned', { pod, steps: [] });
    lasting.on('token.changed', () => {
      heard();
      void Promise.resolve().then(plan);
    });
    plan();
    const told = bus.as('tokens').publish('token.changed', { pod });
    await Promise.resolve();
    plan();
    expect(causes).toEqual([0, told, told]);
    expect(lasting.cause()).toBe(told);
  });

  test('given a message in delivery or a cause by name, when something is published, then that is its cause', () => {
    const bus = new Bus(new VirtualClock());
    const causes: number[] = [];
    bus.tap(({ topic, cause }) => { if (topic === 'pod.planned') causes.push(cause); });
    const { bus: lasting } = withLastingCause(bus.as('pod'));
    lasting.on('token.changed', () => { lasting.publish('pod.planned', { pod, steps: [] }); });
    const told = bus.as('tokens').publish('token.changed', { pod });
    lasting.publish('pod.planned', { pod, steps: [] }, { cause: 77 });
    expect(causes).toEqual([told, 77]);
  });
});
