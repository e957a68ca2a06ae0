// What the embedded cloud side answers where it has nothing: the node must be able to tell "never" from "not you".
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { MemoryStore } from '../../src/bridge/memory-store.ts';
import { answerWrite } from '../../src/bridge/mqlet-answers.ts';

const store = new MemoryStore({ clock: new VirtualClock(), random: new SeededRandom(1) });
const nothing = { object: { spec: { audiences: [] } }, patch: undefined, base: undefined, whole: false, uid: undefined, gracePeriodSeconds: undefined };

describe('answers to what the embedded cloud side has not', () => {
  it.each([
    ['TokenRequest', 'NotImplemented'],
    ['Secret', 'Forbidden'],
  ])('given a %s, when it is to be created, then the refusal says %s', (kind, reason) => {
    const answer = answerWrite({ store, nodeName: 'edge-07', tokensOf: () => ({ token: '', status: '' }) }, { verb: 'create', kind, namespace: 'shop', name: 'teller', ...nothing });
    expect(answer).toMatchObject({ refused: { reason } });
  });
});
