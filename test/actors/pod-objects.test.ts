// Pods that wait for a secret or a config map: what they show meanwhile, and that the arrival wakes them.
import { afterEach, describe, expect, test } from 'vitest';
import { objectKey, type StoredObject } from '../../src/ports/stored-object.ts';
import { aContainer } from '../support/pods.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aConfigMap, aSecret } from '../support/stored-objects.ts';

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

describe('a pod with volumes', () => {
  const volumes = [{ name: 'conf', configMap: { name: 'files' } }, { name: 'keys', secret: { secretName: 'keys' } }];
  const withVolumes = simPod('sim/run', { containers: [aContainer('app', { image: 'sim/run' })], volumes }, { metadata: { labels: { a: '1' } } });
  const conf = `/var/lib/mqlet/pods/${withVolumes.uid}/volumes/kubernetes.io~configmap/conf`;
  const failed = (seen: ReturnType<typeof world>['seen']) => seen.flatMap((each) => (each.topic === 'event.noted' && each.payload.reason === 'FailedMount' ? [each.payload.message] : []));

  test('given objects that come one after the other, when both are there, then it starts, and until then says what is missing', async () => {
    const { clock, operate, arrive, state, seen, sim } = world();
    await clock.advance(1_000);
    operate('ADD', withVolumes);
    await clock.advance(100);
    expect(failed(seen)).toEqual(['MountVolume.SetUp failed for volume "conf" : configmap "files" not found', 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found']);
    expect(sim.sandboxes.size).toBe(0);
    arrive(aConfigMap('files', { a: 'one' }));
    arrive(aSecret('keys', { token: planted }));
    await clock.advance(200);
    expect(state()?.to).toBe('running.settled');
    expect(JSON.stringify(seen)).not.toContain(planted);
  });

  test('given an object that never comes, when time passes, then the tries grow rare', async () => {
    const { clock, operate, seen } = world();
    await clock.advance(1_000);
    operate('ADD', withVolumes);
    await clock.advance(10_000);
    const early = failed(seen).length;
    await clock.advance(600_000);
    expect(early).toBeGreaterThanOrEqual(8);
    expect(failed(seen).length).toBeLessThan(40);
  });

  test('given a running pod, when the object changes, then its volume is rewritten once and nothing restarts', async () => {
    const { clock, operate, arrive, volumes: twin, sim } = world();
    arrive(aConfigMap('files', { a: 'one' }));
    arrive(aSecret('keys', { token: planted }));
    await clock.advance(1_000);
    operate('ADD', withVolumes);
    await clock.advance(2_000);
    expect([twin.written, sim.containers.size]).toEqual([2, 1]);
    arrive(aConfigMap('files', { a: 'two' }));
    await clock.advance(1_000);
    expect(twin.contents.get(conf)).toEqual(new Map([['a', 'two']]));
    expect([twin.written, sim.containers.size]).toEqual([3, 1]);
  });

  test('given a volume that cannot be rewritten, when its pod runs, then it goes on running and the failure is told', async () => {
    const { clock, operate, arrive, volumes: twin, seen, state } = world();
    arrive(aConfigMap('files', { a: 'one' }));
    arrive(aSecret('keys', { token: planted }));
    await clock.advance(1_000);
    operate('ADD', withVolumes);
    await clock.advance(2_000);
    twin.broken.set(conf, 'no space left on the device');
    arrive(aConfigMap('files', { a: 'two' }));
    await clock.advance(1_000);
    expect(failed(seen)).toEqual(['MountVolume.SetUp failed for volume "conf" : no space left on the device']);
    expect(state()?.to).toBe('running.settled');
  });

  test('given a running pod with memory, when it is deleted, then nothing stays mounted but what the node shares', async () => {
    const { clock, operate, arrive, volumes: twin } = world();
    arrive(aSecret('keys', { token: planted }));
    const pod = simPod('sim/run', { containers: [aContainer('app', { image: 'sim/run' })], volumes: [{ name: 'm', emptyDir: { medium: 'Memory' } }, ...volumes.slice(1)] });
    await clock.advance(1_000);
    operate('ADD', pod);
    await clock.advance(2_000);
    expect(twin.mounts.size).toBe(2);
    operate('REMOVE', pod);
    await clock.advance(60_000);
    expect([...twin.mounts]).toEqual(['/var/lib/mqlet/memory']);
  });
});
