// From things noted to Events of the API: counted, bounded, cut.
import { describe, expect, test } from 'vitest';
import { messageCharsMax, startEventRecorder } from '../../src/actors/event-recorder.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { PodReference } from '../../src/bus/messages.ts';
import { alikeMax, burst, combinedPrefix, refillMs, rememberedMax } from '../../src/machines/decide/event-correlation.ts';
import type { PodUid } from '../../src/ports/pod-types.ts';
import { apiProbe } from '../support/api-probe.ts';

function world() {
  const clock = new VirtualClock({ startMs: 1_767_225_600_000 });
  const bus = new Bus(clock);
  const api = apiProbe(bus);
  const recorder = startEventRecorder({ bus: bus.as('events'), clock, random: new SeededRandom(1), nodeName: 'edge-07' });
  const pod = (name: string): PodReference => ({ uid: `uid-${name}` as PodUid, namespace: 'shop', name });
  const note = (name: string, message = 'Started container web', fieldPath = 'spec.containers{web}') =>
    api.bus.publish('event.noted', { subject: { kind: 'Pod', pod: pod(name), fieldPath }, type: 'Normal', reason: 'Started', message });
  return { clock, api, recorder, note, pod };
}

describe('event recorder', () => {
  test('given a pod\'s event, when noted, then it is created in the pod\'s namespace with the kubelet\'s name', () => {
    const { api, note } = world();
    note('web-0');
    expect(api.writes).toEqual([{
      id: expect.any(String), writer: 'events', lane: expect.stringMatching(/^event\/shop\/web-0\.[0-9a-f]{16}$/),
      verb: 'create', kind: 'Event', namespace: 'shop', name: expect.stringMatching(/^web-0\.[0-9a-f]{16}$/),
      object: {
        metadata: { name: expect.stringMatching(/^web-0\.[0-9a-f]{16}$/), namespace: 'shop' },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-0', uid: 'uid-web-0', fieldPath: 'spec.containers{web}' },
        type: 'Normal', reason: 'Started', message: 'Started container web',
        source: { component: 'kubelet', host: 'edge-07' }, reportingComponent: 'kubelet', reportingInstance: 'edge-07',
        firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z', count: 1,
      },
    }]);
    // Milliseconds of the clock; what is below them is drawn.
    const nanoseconds = BigInt(`0x${api.writes[0]?.lane.split('.')[1] ?? ''}`);
    expect(nanoseconds / 1_000_000n).toBe(1_767_225_600_000n);
  });

  test('given the node\'s event, when noted, then it refers to the node by name and lives in default', () => {
    const { api } = world();
    api.bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' });
    expect(api.writes[0]).toMatchObject({ namespace: 'default', object: { involvedObject: { kind: 'Node', name: 'edge-07', uid: 'edge-07' } } });
  });

  test('given the same again, when noted, then a patch counts it in the same lane', async () => {
    const { clock, api, note } = world();
    note('web-0');
    await clock.advance(60_000);
    note('web-0');
    expect(api.writes[1]).toMatchObject({
      verb: 'patch', lane: api.writes[0]?.lane, patch: { count: 2, lastTimestamp: '2026-01-01T00:01:00Z' },
      object: { count: 2, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:01:00Z', reason: 'Started' },
    });
  });

  test('given another message, container or pod, when noted, then it is an event of its own with its own name', () => {
    const { api, note } = world();
    note('a');
    note('a', 'other');
    note('a', 'other', 'spec.containers{b}');
    note('b');
    expect(api.writes.map(({ verb }) => verb)).toEqual(['create', 'create', 'create', 'create']);
    expect(new Set(api.writes.map((write) => write.lane)).size).toBe(4);
  });

  test('given a flood about one object, when noted, then 25 pass, one more after 5 minutes, and others are not touched', async () => {
    const { clock, api, recorder, note } = world();
    for (let index = 0; index < 100; index++) note('loud', `message ${index}`);
    expect(api.writes).toHaveLength(burst);
    note('calm');
    expect(api.writes).toHaveLength(burst + 1);
    await clock.advance(refillMs);
    note('loud', 'later');
    note('loud', 'later still');
    expect(api.writes).toHaveLength(burst + 2);
    expect(recorder.statistics()).toEqual({ written: burst + 2, dropped: 76 });
  });

  test('given many alike, when more come, then one event stands for them and its patches carry the newest message', () => {
    const { api, note } = world();
    for (let index = 0; index <= alikeMax; index++) note('web', `message ${index}`);
    expect(api.writes.slice(-2)).toMatchObject([
      { verb: 'create', object: { message: `${combinedPrefix}message ${alikeMax - 1}`, count: 1 } },
      { verb: 'patch', patch: { count: 2, lastTimestamp: '2026-01-01T00:00:00Z', message: `${combinedPrefix}message ${alikeMax}` }, object: { message: `${combinedPrefix}message ${alikeMax}` } },
    ]);
    expect(api.writes.at(-1)?.lane).toBe(api.writes.at(-2)?.lane);
  });

  test('given a long message, when noted, then it is cut', () => {
    const { api, note } = world();
    note('web', 'x'.repeat(5_000));
    const write = api.writes[0];
    expect(write?.kind === 'Event' && write.verb === 'create' && write.object.message?.length).toBe(messageCharsMax);
  });

  test('given more events than are remembered, when the first comes again, then it starts at 1', () => {
    const { api, note } = world();
    for (let index = 0; index <= rememberedMax; index++) note(`pod-${index}`);
    note('pod-0');
    expect(api.writes.at(-1)?.verb).toBe('create');
    note(`pod-${rememberedMax}`);
    expect(api.writes.at(-1)?.verb).toBe('patch');
  });

  test('given refused input, when heard, then it becomes a warning with its place', () => {
    const { api, pod } = world();
    api.bus.publish('input.refused', { fault: { origin: '/m/a.yaml', line: 3, field: 'spec.x', message: 'no', severity: 'error' } });
    api.bus.publish('input.refused', { fault: { origin: '/m/a.yaml', message: 'ignored', severity: 'warning' }, pod: pod('web') });
    expect(api.writes).toMatchObject([
      { namespace: 'default', object: { type: 'Warning', reason: 'FailedValidation', message: '/m/a.yaml:3: spec.x: no', involvedObject: { kind: 'Node' } } },
      { namespace: 'shop', object: { type: 'Warning', reason: 'UnsupportedField', involvedObject: { name: 'web' } } },
    ]);
  });

  test('given it was stopped, when something is noted, then nothing is written', async () => {
    const { api, recorder, note } = world();
    await recorder.stop();
    note('web');
    expect(api.writes).toEqual([]);
  });
});
