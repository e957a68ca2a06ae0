// What the embedded cloud side answers where it has nothing: the node must be able to tell "never" from "not you".
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { answerTo } from '../../src/bridge/cloud-answers.ts';
import { Denials } from '../../src/bridge/denials.ts';
import { memoryCalls } from '../../src/bridge/memory-calls.ts';
import { MemoryStore } from '../../src/bridge/memory-store.ts';
import { answerWrite } from '../../src/bridge/mqlet-answers.ts';
import { silentLog } from '../support/silent-log.ts';

const clock = new VirtualClock();
const store = new MemoryStore({ clock, random: new SeededRandom(1) });
const answering = { store, calls: memoryCalls(store), denials: new Denials({ log: silentLog, clock }), nodeName: 'edge-07' };
const nothing = { object: { spec: { audiences: [] } }, patch: undefined, base: undefined, whole: false, uid: undefined, gracePeriodSeconds: undefined };

describe('answers to what the embedded cloud side has not', () => {
  it.each([
    ['TokenRequest', 'NotImplemented'],
    ['Secret', 'Forbidden'],
  ])('given a %s, when it is to be created, then the refusal says %s', async (kind, reason) => {
    const answer = await answerWrite({ ...answering, tokensOf: () => ({ token: '', status: '' }) }, { verb: 'create', kind, namespace: 'shop', name: 'teller', ...nothing });
    expect(answer).toMatchObject({ refused: { reason } });
  });
});

describe('what is not what it should be', () => {
  const mirror = (spec: object) => ({ ...nothing, object: { metadata: { name: 'till', annotations: { 'kubernetes.io/config.mirror': 'hash' } }, spec } });
  it.each([
    ['a kind that every object has', 'constructor', nothing, 'Forbidden'],
    ['a number for a list', 'Pod', mirror({ imagePullSecrets: 5 }), 'BadRequest'],
    ['nothing for a container', 'Pod', mirror({ containers: [null] }), 'BadRequest'],
  ])('given %s, when it is to be created, then it is refused and nothing throws', async (_what, kind, rest, reason) => {
    const answer = await answerWrite({ ...answering, tokensOf: () => ({ token: '', status: '' }) }, { verb: 'create', kind, namespace: 'shop', name: 'till', ...rest });
    expect(answer).toMatchObject({ refused: { reason } });
  });

  it('given the lite type that every object has, when it is to be created, then it is refused', async () => {
    const message = { objectType: 'constructor', operateType: 'create', nodeName: 'edge-07', objectName: 'x', objectNamespace: 'shop', object: {}, options: {}, patch: undefined, patchSubResources: [] };
    expect(await answerTo(answering, message)).toMatchObject({ kind: 'refused', status: { reason: 'BadRequest' } });
  });
});

describe('a pod whose name another took', () => {
  it('given a UID of the pod that was, when the node removes it, then it is gone, no alarm is raised, and the other stays', async () => {
    store.create({ kind: 'Pod', namespace: 'shop', name: 'moved' }, { metadata: { name: 'moved', namespace: 'shop' }, spec: { nodeName: 'edge-08' } });
    const before = answering.denials.count;
    const answer = await answerWrite({ ...answering, tokensOf: () => ({ token: '', status: '' }) }, { verb: 'delete', kind: 'Pod', namespace: 'shop', name: 'moved', ...nothing, object: undefined, uid: 'former' });
    expect(answer).toMatchObject({ refused: { reason: 'NotFound' } });
    expect([answering.denials.count, store.get({ kind: 'Pod', namespace: 'shop', name: 'moved' }).ok]).toEqual([before, true]);
  });
});

describe('a status that is said as a whole', () => {
  it('given a condition with a reason, when it is said without, then the reason is gone and conditions of others stay', async () => {
    const made = store.create({ kind: 'Pod', namespace: 'shop', name: 'till' }, {
      metadata: { name: 'till', namespace: 'shop' }, spec: { nodeName: 'edge-07' },
      status: { phase: 'Running', message: 'old', conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }, { type: 'shop.example/open', status: 'True' }] },
    });
    const uid = made.ok ? made.value.metadata.uid : '';
    const answer = await answerWrite({ ...answering, tokensOf: () => ({ token: '', status: 'now' }) }, {
      verb: 'patchStatus', kind: 'Pod', namespace: 'shop', name: 'till', ...nothing, object: undefined, whole: true,
      patch: { metadata: { uid }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
    });
    expect(answer).toHaveProperty('accepted');
    const now = store.get({ kind: 'Pod', namespace: 'shop', name: 'till' });
    expect(now.ok && now.value.status).toEqual({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }, { type: 'shop.example/open', status: 'True' }] });
  });
});
