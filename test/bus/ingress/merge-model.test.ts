// Random sequences of what sources say, against a model that knows only the rules: whoever applies the operations has what it has.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeState } from '../../../src/bus/ingress/merge-state.ts';
import type { PodOperation, SourceUpdate } from '../../../src/bus/source-update.ts';
import { type DesiredPod, podFullName, type PodSource, type PodUid } from '../../../src/ports/pod-types.ts';
import { decodedPod } from '../../support/manifests.ts';

const sources: readonly PodSource[] = ['file', 'mqtt', 'admin'];
const cache = new Map<string, DesiredPod>();

/** Few names, UIDs and contents, so that they meet often. `admin` and `mqtt` share names. */
function podOf(source: PodSource, facts: { readonly name: string; readonly uid: string; readonly version: number; readonly deleted: boolean; readonly phase: string }): DesiredPod {
  const { name, uid, version, deleted, phase } = facts;
  const key = JSON.stringify([source, facts]);
  const known = cache.get(key) ?? decodedPod({
    source, origin: key, container: { image: `a:${version}` }, more: { status: { phase } },
    metadata: { name, uid, ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:30Z' } : {}) },
  });
  cache.set(key, known);
  return known;
}

const facts = fc.record({
  name: fc.constantFrom('a', 'b', 'c'), uid: fc.constantFrom('1', '2', '3', '4', '5'), version: fc.constantFrom(1, 2),
  deleted: fc.boolean(), phase: fc.constantFrom('Pending', 'Running'),
});
const updates: fc.Arbitrary<SourceUpdate> = fc.constantFrom(...sources).chain((source) => fc.oneof(
  fc.array(facts, { maxLength: 5 }).map((all): SourceUpdate => ({ kind: 'set', source, pods: all.map((one) => podOf(source, one)) })),
  facts.map((one): SourceUpdate => ({ kind: 'upsert', source, pod: podOf(source, one) })),
  facts.map(({ uid }): SourceUpdate => ({ kind: 'forget', source, uid: uid as PodUid })),
));

/** What a listener has that does as the operations say. It fails where an operation does not fit what it has. */
class Follower {
  readonly pods = new Map<string, DesiredPod>();

  apply({ op, source, pods }: PodOperation): void {
    for (const pod of pods) {
      const has = this.pods.get(pod.uid);
      const where = `${op} ${source} ${pod.uid} ${pod.name}`;
      expect(pod.source, where).toBe(source);
      if (op === 'ADD') {
        expect(has, where).toBeUndefined();
        expect([...this.pods.values()].map(podFullName), where).not.toContain(podFullName(pod));
      } else expect(has?.source, where).toBe(source);
      if (op === 'DELETE') expect(pod.pod.metadata.deletionTimestamp, where).toBeDefined();
      if (op !== 'ADD' && op !== 'REMOVE') expect(podFullName(has ?? pod), where).toBe(podFullName(pod));
      if (op !== 'ADD' && has?.pod.metadata.deletionTimestamp !== undefined) expect(pod.pod.metadata.deletionTimestamp, where).toBeDefined();
      if (op === 'REMOVE') this.pods.delete(pod.uid);
      // Its status may be newer, and with it the origin, which names the status here: RECONCILE comes after SET.
      else if (op === 'SET') expect({ ...has, origin: '', pod: { ...has?.pod, status: {} } }, where).toEqual({ ...pod, origin: '', pod: { ...pod.pod, status: {} } });
      else this.pods.set(pod.uid, pod);
    }
  }
}

/** What each source says now; the rules of a set, an upsert and a forget and nothing else. */
class Offers {
  readonly bySource = new Map<PodSource, DesiredPod[]>(sources.map((source) => [source, []]));

  hear(update: SourceUpdate): void {
    const has = this.bySource.get(update.source) ?? [];
    switch (update.kind) {
      case 'set':
        this.bySource.set(update.source, update.pods.filter((pod, index, all) => all.findIndex(({ uid }) => uid === pod.uid) === index));
        break;
      case 'upsert': {
        const { pod } = update;
        const others = has.filter((one) => one.uid === pod.uid || podFullName(one) !== podFullName(pod));
        const at = others.findIndex(({ uid }) => uid === pod.uid);
        if (at < 0) others.push(pod);
        else others[at] = pod;
        this.bySource.set(update.source, others);
        break;
      }
      case 'forget':
        this.bySource.set(update.source, has.filter(({ uid }) => uid !== update.uid));
        break;
      default:
        update satisfies never;
    }
  }
}

describe('the merge, over any sequence of updates', () => {
  it('given whoever applies its operations, when a sequence ends, then they have what is offered and free, and are ready when all have set', () => {
    fc.assert(fc.property(fc.array(updates, { maxLength: 30 }), (sequence) => {
      const state = new MergeState(sources);
      const follower = new Follower();
      const offers = new Offers();
      const spoken = new Set<PodSource>();
      let readies = 0;
      for (const update of sequence) {
        const { operations, becameReady } = state.take(update, '2026-01-01T00:00:00Z');
        offers.hear(update);
        if (update.kind === 'set') spoken.add(update.source);
        for (const operation of operations) follower.apply(operation);
        if (becameReady) readies += 1;
        expect(readies).toBe(spoken.size === sources.length ? 1 : 0);
        check(follower, offers);
      }
    }), { numRuns: 400 });
  });

  it('given the last word of all sources again, when said twice, then nothing is told', () => {
    fc.assert(fc.property(fc.array(updates, { maxLength: 10 }), (sequence) => {
      const state = new MergeState(sources);
      for (const update of sequence) state.take(update, 'x');
      const offers = new Offers();
      for (const update of sequence) offers.hear(update);
      const repeat = sources.map((source): SourceUpdate => ({ kind: 'set', source, pods: offers.bySource.get(source) ?? [] }));
      for (const update of repeat) state.take(update, 'y');
      for (const update of repeat) expect(state.take(update, 'z')).toEqual({ operations: [], refusals: [], becameReady: false });
    }), { numRuns: 200 });
  });
});

function check(follower: Follower, offers: Offers): void {
  const names = [...follower.pods.values()].map(podFullName);
  expect(new Set(names).size).toBe(names.length);
  const offered = [...offers.bySource.values()].flat();
  for (const has of follower.pods.values()) {
    // What runs is what its source says now, but for a deletion that was asked for before.
    const said = offered.find((pod) => pod.source === has.source && pod.uid === has.uid);
    expect(said?.pod.spec).toEqual(has.pod.spec);
    expect(said === undefined ? '' : podFullName(said)).toBe(podFullName(has));
  }
  for (const pod of offered) {
    // What does not run although it is said has its name or UID taken.
    const runs = follower.pods.get(pod.uid);
    if (runs === undefined) expect(names).toContain(podFullName(pod));
  }
}
