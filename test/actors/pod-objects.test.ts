// Pods that wait for a secret or a config map: what they show meanwhile, and that the arrival wakes them.
import { afterEach, describe, expect, test } from 'vitest';
import { objectKey, type StoredObject } from '../../src/ports/stored-object.ts';
import { aContainer } from '../support/pods.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aSecret } from '../support/stored-objects.ts';

const worlds: { stop(): Promise<void> }[] = [];
afterEach(async () => { for (const world of worlds.splice(0)) await world.stop(); });

const planted = 'correct-horse-battery';
const needy = simPod('sim/run', {
  containers: [aContainer('app', { image: 'sim/run', env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }] })],
});

function world() {
  const objects = new Map<string, StoredObject>();
  const made = podWorld({ objects: (reference) => objects.get(objectKey(reference)) });
  worlds.push(made);
  return {
    ...made,
    arrive: (object: StoredObject) => {
      objects.set(objectKey(object), object);
      made.bus.as('objects').publish('object.changed', { kind: object.kind, namespace: object.namespace, name: object.name });
    },
    waiting: () => {
      const status = made.seen.findLast(({ topic }) => topic === 'pod.status')?.payload as { status: { containerStatuses?: { state?: { waiting?: object } }[] } }; // The topic's payload.
      return status.status.containerStatuses?.[0]?.state?.waiting;
    },
  };
}

describe('a pod that needs a secret', () => {
  test('given the secret is missing, when the pod starts, then it waits and says why', async () => {
    const { clock, operate, waiting } = world();
    await clock.advance(1_000);
    operate('ADD', needy);
    await clock.advance(2_000);
    expect(waiting()).toEqual({ reason: 'CreateContainerConfigError', message: 'secret "keys" not found' });
  });

  test('given a waiting pod, when the secret arrives, then it runs at once, and the value is in no message', async () => {
    const { clock, operate, arrive, state, seen } = world();
    await clock.advance(1_000);
    operate('ADD', needy);
    await clock.advance(2_000);
    arrive(aSecret('keys', { token: planted }));
    await clock.advance(500);
    expect(state()?.to).toBe('running.settled');
    expect(JSON.stringify(seen)).not.toContain(planted);
  });

  test('given a waiting pod, when another secret arrives, then it goes on waiting', async () => {
    const { clock, operate, arrive, seen } = world();
    await clock.advance(1_000);
    operate('ADD', needy);
    await clock.advance(2_000);
    const before = seen.length;
    arrive(aSecret('others', { token: planted }));
    await clock.advance(100);
    expect(seen.slice(before).filter(({ topic }) => topic === 'pod.transitioned')).toEqual([]);
  });
});
