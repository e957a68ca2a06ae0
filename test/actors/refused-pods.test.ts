// Pods that cannot be read: the API learns of it once, also over a bad link, and a deletion is not waited for in vain.
import { afterEach, describe, expect, test } from 'vitest';
import { refusedPodsMax, retryMs, startRefusedPods } from '../../src/actors/refused-pods.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { apiProbe } from '../support/api-probe.ts';
import { aPod } from '../support/pods.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const actor of running.splice(0)) await actor.stop(); });

const uid = 'uid-1' as PodUid;
const unanswered = { kind: 'unanswered', message: 'no answer' } as const;

function world() {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const api = apiProbe(bus);
  running.push(startRefusedPods({ bus: bus.as('refused-pods'), clock, random: new SeededRandom(1) }));
  const refused = (message: string, { deleting = false, of = uid }: { readonly deleting?: boolean; readonly of?: PodUid } = {}) => {
    api.bus.publish('pod.refused', { pod: { uid: of, namespace: 'shop', name: 'till' }, message, deleting });
  };
  const written = () => api.writes.map((write) => (write.verb === 'patchStatus' ? (write.patch as { status: object }).status : write.verb));
  return { clock, api, refused, written };
}

const failed = (message: string) => ({ phase: 'Failed', reason: 'InvalidPod', message });

describe('refused pods', () => {
  test('given a pod that cannot be read, when the cloud says it again, then its status is written once and whole, and anew when the reason is another', () => {
    const { api, refused, written } = world();
    api.link('up');
    refused('spec.containers: Required value');
    api.accept();
    refused('spec.containers: Required value');
    expect(api.writes).toMatchObject([{ kind: 'Pod', namespace: 'shop', name: 'till', lane: `pod/${uid}`, whole: true, patch: { metadata: { uid } } }]);
    refused('spec.restartPolicy: Unsupported value');
    expect(written()).toEqual([failed('spec.containers: Required value'), failed('spec.restartPolicy: Unsupported value')]);
  });

  test('given no link or no answer, then it is written when there is one', async () => {
    const { clock, api, refused, written } = world();
    refused('bad');
    expect(written()).toEqual([]);
    api.link('up');
    api.settle(unanswered);
    await clock.advance(retryMs);
    api.accept();
    api.link('backingOff');
    api.link('up');
    await clock.advance(retryMs);
    expect(written()).toEqual([failed('bad'), failed('bad')]);
  });

  test('given a refused pod, when it is to be deleted, then it is, also while its status is under way', () => {
    const { api, refused, written } = world();
    api.link('up');
    refused('bad');
    refused('bad', { deleting: true });
    api.accept();
    expect(written()).toEqual([failed('bad'), 'delete']);
    expect(api.writes.at(-1)).toMatchObject({ uid, gracePeriodSeconds: 0 });
    api.refuse('NotFound');
    api.link('backingOff');
    api.link('up');
    expect(written()).toHaveLength(2);
  });

  test('given a refused pod, when it comes in order, then nothing more is written of it here', async () => {
    const { clock, api, refused, written } = world();
    api.link('up');
    refused('bad');
    api.bus.publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod({}, { uid })] });
    api.settle(unanswered);
    await clock.advance(retryMs);
    expect(written()).toHaveLength(1);
  });

  test('given more refused pods than are kept, then the further ones are told by their events alone', () => {
    const { api, refused } = world();
    api.link('up');
    for (let count = 0; count <= refusedPodsMax; count += 1) refused('bad', { of: `uid-${count}` as PodUid });
    expect(api.writes).toHaveLength(refusedPodsMax);
  });
});
