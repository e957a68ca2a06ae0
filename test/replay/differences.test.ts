// What counts as a difference between two runs: rules by which values are made equal, states in their order, events as a set.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/bus/dialects/json-value.ts';
import { compareTold, type Difference, fieldDifferences } from '../../src/replay/differences.ts';
import { normalised, rules } from '../../src/replay/normalise.ts';
import { ToldObjects } from '../../src/replay/told-objects.ts';

const pod = 'Pod shop/web';
const id = 'a'.repeat(64);

describe('making equal what a simulated runtime cannot know', () => {
  it.each<[rule: string, object: string, value: JsonObject, expected: JsonObject]>([
    ['versions', pod, { metadata: { name: 'web', resourceVersion: '7', generation: 2, creationTimestamp: null } }, { metadata: { name: 'web' } }],
    ['container-ids', pod, { containerStatuses: [{ name: 'a', containerID: `containerd://${id}` }, { name: 'b', containerID: '' }] }, { containerStatuses: [{ name: 'a', containerID: '<container>' }, { name: 'b', containerID: '' }] }],
    ['image-ids', pod, { imageID: `sha256:${id}` }, { imageID: '<image>' }],
    ['pod-addresses', pod, { podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }], hostIP: '10.0.0.7' }, { podIP: '<address>', podIPs: '<address>', hostIP: '10.0.0.7' }],
    ['node-images', 'Node edge-07', { status: { images: [{ names: ['a'] }] }, spec: { images: 1 } }, {}],
    ['runtime', 'Node edge-07', { nodeInfo: { containerRuntimeVersion: 'containerd://1.6', kubeletVersion: 'v1' }, runtimeHandlers: [] }, { nodeInfo: { kubeletVersion: 'v1' } }],
    ['event-names', `Event of ${pod}: Started`, { metadata: { name: 'web.17a' }, involvedObject: { name: 'web' } }, { metadata: { name: '<name>' }, involvedObject: { name: 'web' } }],
    ['presence-since', 'Presence edge-07', { online: true, since: 5 }, { online: true }],
    ['event-counts', `Event of ${pod}: BackOff`, { count: 4, reason: 'BackOff' }, { reason: 'BackOff' }],
    ['times', pod, { startTime: '2026-01-31T12:00:00Z', message: 'since 2026-01-31T12:00:00.123456+01:00' }, { startTime: '<time>', message: 'since <time>' }],
    ['uids', pod, { uid: '466d39b8-0c68-4d8e-b6d3-730d82173373' }, { uid: '<uid>' }],
    ['digests', pod, { message: `pulled sha256:${id}` }, { message: 'pulled <digest>' }],
    ['ids', pod, { message: `container ${id} is gone` }, { message: 'container <id> is gone' }],
    ['sizes', pod, { message: 'Image size: 1234 bytes.' }, { message: 'Image size: <size>.' }],
    ['durations', `Event of ${pod}: Pulled`, { message: 'Successfully pulled image "a" in 1.2s (3m2s including waiting).' }, { message: 'Successfully pulled image "a" in <duration> (<duration> including waiting).' }],
  ])('given what the rule %s is about, when it is applied, then that is equal and nothing else is touched', (rule, object, value, expected) => {
    expect(rules.map(({ name }) => name)).toContain(rule);
    expect(normalised(object, value)).toEqual(expected);
  });

  it('given every rule, when it is looked for, then this table and the page on recordings have it', async () => {
    const { readFileSync } = await import('node:fs');
    const page = readFileSync(new URL('../../docs/recording.md', import.meta.url), 'utf8');
    expect(rules.filter(({ name }) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it.each([
    ['a back-off', { message: 'back-off 10s restarting failed container=app' }],
    ['counts of restarts', { containerStatuses: [{ name: 'app', restartCount: 3, ready: true }] }],
    ['exit codes and reasons', { state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }],
    ['names of containers and images', { name: 'app', image: 'registry.example/web:1' }],
    ['a lease', { spec: { holderIdentity: 'edge-07', leaseDurationSeconds: 40 } }],
  ])('given %s, when the rules are applied, then it is compared as it is', (_name, value) => {
    expect(normalised(pod, value)).toEqual(value);
  });

  it('given any value, when it is made equal twice, then it is as after the first time', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const once = normalised(pod, value);
      expect(normalised(pod, once)).toEqual(once);
    }));
  });
});

/** Statuses of one pod by the second at which they were told. */
function told(statuses: Readonly<Record<number, JsonObject | 'gone'>>, object = pod): ToldObjects {
  const objects = new ToldObjects('lite');
  for (const [second, status] of Object.entries(statuses)) {
    const place = { sinceMs: Number(second) * 1_000, line: Number(second) + 1 };
    if (status === 'gone') objects.tell({ object, verb: 'gone', value: {} }, place);
    else objects.tell({ object, verb: 'whole', value: status }, place);
  }
  return objects;
}

const brief = (differences: readonly Difference[]): readonly string[] => differences.map(({ place, field, recorded, now }) => `${place}: ${field} ${recorded} → ${now}`);

describe('comparing what two runs told', () => {
  it.each<[name: string, recorded: ToldObjects, now: ToldObjects, expected: readonly string[], passing: number]>([
    ['the same', told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' } }), told({ 1: { phase: 'Pending' }, 5: { phase: 'Running' } }), [], 0],
    ['the same state told twice', told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' } }), told({ 0: { phase: 'Pending' }, 1: { phase: 'Pending' }, 5: { phase: 'Running' } }), [], 0],
    ['another end', told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' } }), told({ 0: { phase: 'Pending' }, 9: { phase: 'Failed' } }), ['state 2, line 10: phase "Running" → "Failed"'], 0],
    ['a state that was missed', told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' }, 20: { phase: 'Failed' } }), told({ 0: { phase: 'Pending' }, 9: { phase: 'Failed' } }), ['state 2, line 10: phase "Running" → (no such state)'], 0],
    ['a state that came beside', told({ 0: { phase: 'Pending' }, 9: { phase: 'Failed' } }), told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' }, 20: { phase: 'Failed' } }), ['between states 1 and 2: phase (no such state) → "Running"'], 0],
    ['a state that was passed', told({ 0: { phase: 'Pending' }, 1: { phase: 'Pending', ip: 'x' }, 2: { phase: 'Running' } }), told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' } }), [], 1],
    ['a state that only now was passed', told({ 0: { phase: 'Pending' }, 9: { phase: 'Running' } }), told({ 0: { phase: 'Pending' }, 1: { phase: 'Pending', ip: 'x' }, 2: { phase: 'Running' } }), [], 1],
    ['states that are others, though passed', told({ 0: { phase: 'A' }, 1: { phase: 'B' }, 2: { phase: 'C' } }), told({ 0: { phase: 'A' }, 1: { phase: 'X' }, 2: { phase: 'C' } }), ['state 2, line 2: phase "B" → "X"'], 0],
    ['the last state, however late', told({ 0: { phase: 'A' }, 1: { phase: 'B' } }), told({ 0: { phase: 'A' } }), ['state 2, line 2: phase "B" → (no such state)'], 0],
    ['an end that did not come', told({ 0: { phase: 'A' }, 9: 'gone' }), told({ 0: { phase: 'A' } }), ['state 2, line 10:  (nothing) → (no such state)'], 0],
    ['an object that did not come', told({ 0: { phase: 'A' }, 9: { phase: 'B' } }), told({}), [':  2 states → (nothing)'], 0],
    ['events in another order and number', told({ 0: { message: 'a' }, 1: { message: 'b' } }, `Event of ${pod}: Pulled`), told({ 0: { message: 'b' }, 1: { message: 'a' }, 2: { message: 'b' } }, `Event of ${pod}: Pulled`), [], 0],
    ['another event', told({ 0: { message: 'a' } }, `Event of ${pod}: Pulled`), told({ 0: { message: 'b' } }, `Event of ${pod}: Pulled`), ['line 1: message "a" → "b"'], 0],
  ])('given %s, when they are compared, then what differs is told', (_name, recorded, now, expected, passing) => {
    const compared = compareTold(recorded, now);
    expect(brief(compared.differences)).toEqual(expected);
    expect(compared.passing).toBe(passing);
  });

  it('given lists, when their fields are compared, then entries are told apart by name or type, else by place', () => {
    expect(fieldDifferences({ c: [{ name: 'a', x: 1 }, { name: 'b', x: 2 }] }, { c: [{ name: 'b', x: 2 }, { name: 'a', x: 3 }] })).toEqual([{ field: 'c[a].x', recorded: '1', now: '3' }]);
    expect(fieldDifferences([{ type: 'IP', x: 1 }, { type: 'IP', x: 2 }], [{ type: 'IP', x: 1 }, { type: 'IP', x: 3 }])).toEqual([{ field: '[1].x', recorded: '2', now: '3' }]);
    expect(fieldDifferences(['a'], ['a', 'b'])).toEqual([{ field: '[1]', recorded: '(nothing)', now: '"b"' }]);
  });

  it('given any two values, when one is compared with itself, then nothing differs; with another, something does unless they are equal', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (one, two) => {
      expect(fieldDifferences(one, one)).toEqual([]);
      if (JSON.stringify(one) !== JSON.stringify(two) && typeof one !== 'object') expect(fieldDifferences(one, two).length).toBeGreaterThan(0);
    }));
  });
});
