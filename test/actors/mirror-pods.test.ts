// Mirror pods against an API that has them, has others, loses them, or contradicts itself.
import { afterEach, describe, expect, test } from 'vitest';
import { retryPeriodMs, startMirrorPods } from '../../src/actors/mirror-pods.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { ApiOutcome } from '../../src/bus/api-write.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Messages } from '../../src/bus/messages.ts';
import type { PodOperation } from '../../src/bus/source-update.ts';
import type { DesiredPod, Pod, PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { apiProbe } from '../support/api-probe.ts';
import { aPod } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const actor of running.splice(0)) await actor.stop(); });

const fullName = 'web-edge-07_default';
const node = { metadata: { name: 'edge-07', uid: 'node-uid' } };

function staticPod(hash: string): DesiredPod {
  const pod = aPod({}, { source: 'file', uid: hash as PodUid, name: 'web-edge-07', metadata: { name: 'web-edge-07', annotations: { 'kubernetes.io/config.hash': hash } } });
  return pod;
}

function mirrorOf(hash: string | undefined, uid: string, part: object = {}): Pod {
  const annotations = hash === undefined ? {} : { 'kubernetes.io/config.hash': hash, 'kubernetes.io/config.mirror': hash };
  return { metadata: { name: 'web-edge-07', namespace: 'default', uid, annotations, ...part }, status: { phase: 'Pending' } };
}

function world(options: { readonly ready?: boolean; readonly nodeRegisters?: boolean } = {}) {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const api = apiProbe(bus);
  const known: Messages['mirror.known'][] = [];
  api.bus.on('mirror.known', ({ payload }) => { known.push(payload); });
  running.push(startMirrorPods({ bus: bus.as('mirror-pods'), clock, random: new SeededRandom(1), log: silentLog, nodeRegisters: options.nodeRegisters ?? true }));
  if (options.ready !== false) {
    api.link('up');
    api.bus.publish('node.registered', { node });
    api.bus.publish('sources.ready', { sources: ['file'] });
  }
  return {
    clock, api,
    change: (op: PodOperation['op'], pod: DesiredPod) => { api.bus.publish('pods.changed', { op, source: 'file', pods: [pod] }); },
    ended: (pod: DesiredPod) => {
      api.bus.publish('pod.terminated', { pod, desired: pod });
      api.bus.publish('pod.forgotten', { pod });
    },
    received: (pod: Pod | undefined) => { api.bus.publish('mirror.received', { fullName, pod }); },
    accept: (object?: Pod) => api.settle({ kind: 'accepted', ...(object === undefined ? {} : { object }) }),
    settle: (outcome: ApiOutcome) => api.settle(outcome),
    /** What was told to the status reporter since the last call. */
    told: () => known.splice(0).map(({ staticUid, apiUid }) => `${staticUid}=${apiUid ?? 'none'}`),
    /** Since the start. */
    verbs: () => api.writes.map((write) => (write.verb === 'delete' && write.kind === 'Pod' ? `delete ${write.uid}` : write.verb)),
  };
}

describe('mirror pods', () => {
  test('given a static pod, then its mirror is created with hash and owner, and its UID is told', () => {
    const { api, change, accept, told } = world();
    change('ADD', staticPod('h1'));
    expect(api.writes).toEqual([{
      id: expect.any(String), writer: 'mirror-pods', lane: 'pod/h1', kind: 'Pod', verb: 'create', namespace: 'default', name: 'web-edge-07',
      object: {
        spec: staticPod('h1').pod.spec,
        metadata: {
          name: 'web-edge-07', namespace: 'default', uid: 'h1',
          annotations: { 'kubernetes.io/config.hash': 'h1', 'kubernetes.io/config.mirror': 'h1' },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'edge-07', uid: 'node-uid', controller: true }],
        },
      },
    }]);
    accept(mirrorOf('h1', 'm1'));
    expect(told()).toEqual(['h1=m1']);
  });

  test('given a static pod that ends, when its file comes back and is replaced by others meanwhile, then its mirror stays and is told again', () => {
    const { change, ended, accept, told, verbs } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    change('REMOVE', staticPod('h1'));
    change('ADD', staticPod('h2'));
    change('REMOVE', staticPod('h2'));
    change('ADD', staticPod('h1'));
    ended(staticPod('h2'));
    ended(staticPod('h1'));
    expect(verbs()).toEqual(['create']);
    // Again with each word of the end: whoever dropped what he knew of the first one knows it of the second.
    expect(told()).toEqual(['h1=m1', 'h1=m1', 'h1=m1']);
  });

  test('given a static pod whose containers are gone, when its file comes back before all of it is, then it has a mirror again', () => {
    const { api, change, accept, told, verbs } = world();
    const pod = staticPod('h1');
    change('ADD', pod);
    accept(mirrorOf('h1', 'm1'));
    change('REMOVE', pod);
    api.bus.publish('pod.terminated', { pod, desired: pod });
    accept();
    change('ADD', pod);
    accept(mirrorOf('h1', 'm2'));
    api.bus.publish('pod.forgotten', { pod });
    expect(verbs()).toEqual(['create', 'delete m1', 'create']);
    expect(told()).toEqual(['h1=m1', 'h1=none', 'h1=m2', 'h1=m2']);
  });

  test('given a static pod removed before its predecessor has ended, when it comes back and then is told to be gone, then it has a mirror', () => {
    const { change, ended, accept, verbs } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    change('REMOVE', staticPod('h1'));
    change('ADD', staticPod('h2'));
    change('REMOVE', staticPod('h2'));
    change('ADD', staticPod('h2'));
    ended(staticPod('h1'));
    accept();
    accept(mirrorOf('h2', 'm2'));
    ended(staticPod('h2'));
    expect(verbs()).toEqual(['create', 'delete m1', 'create']);
  });

  test('given a create without an answer, when its mirror was seen and then is gone, then it is created again', async () => {
    const { clock, change, received, settle, verbs } = world();
    change('ADD', staticPod('h1'));
    received(mirrorOf('h1', 'm1'));
    received(undefined);
    settle({ kind: 'unanswered', message: 'no answer' });
    await clock.advance(retryPeriodMs);
    expect(verbs()).toEqual(['create', 'create']);
  });

  test('given a create sent again, when the mirror was seen to be deleted before its old answer comes, then it is deleted and made anew', async () => {
    const { clock, change, received, accept, settle, verbs, told } = world();
    change('ADD', staticPod('h1'));
    settle({ kind: 'unanswered', message: 'no answer' });
    await clock.advance(retryPeriodMs);
    received(mirrorOf('h1', 'm1', { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    accept(mirrorOf('h1', 'm1'));
    accept();
    accept(mirrorOf('h1', 'm2'));
    expect([verbs(), told()]).toEqual([['create', 'create', 'delete m1', 'create'], ['h1=m2']]);
  });

  test('given no link or no node yet, then nothing is written before both are there', () => {
    const { api, change, verbs } = world({ ready: false });
    change('ADD', staticPod('h1'));
    api.link('up');
    expect(verbs()).toEqual([]);
    api.bus.publish('node.registered', { node });
    expect(verbs()).toEqual(['create']);
  });

  test('given a node that is not registered by us, then the mirror has no owner', () => {
    const { api, change } = world({ ready: false, nodeRegisters: false });
    change('ADD', staticPod('h1'));
    api.link('up');
    expect(api.writes).toMatchObject([{ verb: 'create' }]);
    expect(JSON.stringify(api.writes)).not.toContain('ownerReferences');
  });

  test('given an orphan that is being deleted, when its static pod comes, then the mirror is made anew', () => {
    const { change, received, accept, told, verbs } = world();
    received(mirrorOf('h1', 'm1'));
    change('ADD', staticPod('h1'));
    expect(told()).toEqual([]);
    accept();
    accept(mirrorOf('h1', 'm2'));
    expect([verbs(), told()]).toEqual([['delete m1', 'create'], ['h1=m2']]);
  });

  test('given a mirror of the same hash before the sources have spoken, then nothing is written', () => {
    const { api, change, received, told, verbs } = world({ ready: false });
    api.link('up');
    api.bus.publish('node.registered', { node });
    received(mirrorOf('h1', 'm1'));
    change('ADD', staticPod('h1'));
    api.bus.publish('sources.ready', { sources: ['file'] });
    expect([told(), verbs()]).toEqual([['h1=m1'], []]);
  });

  test('given AlreadyExists, then the API is asked what it has, and a mirror of the same hash is taken over', () => {
    const { api, change, accept, told, verbs } = world();
    change('ADD', staticPod('h1'));
    api.refuse('AlreadyExists');
    accept(mirrorOf('h1', 'm1'));
    expect([verbs(), told()]).toEqual([['create', 'get'], ['h1=m1']]);
  });

  test('given a mirror of another hash, then it is deleted and made anew', () => {
    const { api, change, accept, told, verbs } = world();
    change('ADD', staticPod('h1'));
    api.refuse('AlreadyExists');
    accept(mirrorOf('h0', 'm0'));
    accept();
    accept(mirrorOf('h1', 'm1'));
    expect([verbs(), told()]).toEqual([['create', 'get', 'delete m0', 'create'], ['h1=m1']]);
  });

  test('given a mirror that a user deletes, then it is removed for good and made anew', () => {
    const { change, accept, received, told, verbs } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    received(mirrorOf('h1', 'm1', { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    accept();
    accept(mirrorOf('h1', 'm2'));
    expect([verbs(), told()]).toEqual([['create', 'delete m1', 'create'], ['h1=m1', 'h1=none', 'h1=m2']]);
  });

  test('given a mirror that is gone, then it is made anew', () => {
    const { change, accept, received, verbs, told } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    received(undefined);
    expect([verbs(), told()]).toEqual([['create', 'create'], ['h1=m1', 'h1=none']]);
  });

  test('given a static pod that is removed, then its mirror goes when its containers have gone', () => {
    const { change, accept, ended, verbs, told } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    change('REMOVE', staticPod('h1'));
    expect(verbs()).toEqual(['create']);
    ended(staticPod('h1'));
    accept();
    expect([verbs(), told()]).toEqual([['create', 'delete m1'], ['h1=m1', 'h1=none']]);
  });

  test('given an edited file, then the old mirror stays until the old pod has ended, and the new one follows', () => {
    const { change, accept, ended, verbs, told } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    change('REMOVE', staticPod('h1'));
    change('ADD', staticPod('h2'));
    expect(verbs()).toEqual(['create']);
    ended(staticPod('h1'));
    accept();
    accept(mirrorOf('h2', 'm2'));
    expect([verbs(), told()]).toEqual([['create', 'delete m1', 'create'], ['h1=m1', 'h1=none', 'h2=m2']]);
  });

  test('given an edit that is taken back before its turn, then nothing is made of it', () => {
    const { change, accept, ended, verbs } = world();
    change('ADD', staticPod('h1'));
    accept(mirrorOf('h1', 'm1'));
    change('REMOVE', staticPod('h1'));
    change('ADD', staticPod('h2'));
    change('REMOVE', staticPod('h2'));
    ended(staticPod('h1'));
    accept();
    expect(verbs()).toEqual(['create', 'delete m1']);
  });

  test('given a mirror that no static pod wants, then it is deleted once the sources have spoken', () => {
    const { api, received, verbs } = world({ ready: false });
    api.link('up');
    api.bus.publish('node.registered', { node });
    received(mirrorOf('h0', 'm0'));
    expect(verbs()).toEqual([]);
    api.bus.publish('sources.ready', { sources: ['file'] });
    expect(verbs()).toEqual(['delete m0']);
    api.refuse('NotFound');
    expect(verbs()).toEqual(['delete m0']);
  });

  test('given an ordinary pod under the name, then it is left alone', async () => {
    const { clock, api, change, accept, verbs, told } = world();
    change('ADD', staticPod('h1'));
    api.refuse('AlreadyExists');
    accept(mirrorOf(undefined, 'other'));
    await clock.advance(3 * retryPeriodMs);
    expect([verbs(), told()]).toEqual([['create', 'get'], []]);
  });

  test('given no answer, when the pause is over, then the same create goes out under its name', async () => {
    const { clock, api, change } = world();
    change('ADD', staticPod('h1'));
    api.settle({ kind: 'unanswered', message: 'no answer' });
    await clock.advance(retryPeriodMs);
    expect(api.writes).toHaveLength(2);
    expect(api.writes[1]).toEqual(api.writes[0]);
  });

  test('given a namespace that does not exist, then it is tried again after each pause and a timer waits for it alone', async () => {
    const { clock, api, change, verbs } = world();
    change('ADD', staticPod('h1'));
    api.refuse('NotFound');
    await clock.advance(retryPeriodMs);
    expect(verbs()).toEqual(['create', 'create']);
    api.settle({ kind: 'accepted', object: mirrorOf('h1', 'm1') });
    expect(clock.pendingTimers()).toEqual([]);
  });

  test('given an API that contradicts itself, then there are pauses', async () => {
    const { clock, api, change, verbs } = world();
    api.bus.on('api.write', ({ payload }) => {
      const reason = payload.verb === 'create' ? 'AlreadyExists' : 'NotFound';
      api.bus.publish('api.settled', { write: payload, outcome: { kind: 'refused', status: { reason } } }, { key: payload.writer });
    });
    change('ADD', staticPod('h1'));
    const before = verbs().length;
    expect(before).toBeLessThanOrEqual(6);
    await clock.advance(retryPeriodMs);
    expect(verbs().length).toBe(2 * before);
  });
});
