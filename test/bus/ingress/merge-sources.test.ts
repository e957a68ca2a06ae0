import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { podsPerSourceMax } from '../../../src/bus/ingress/merge-state.ts';
import { startMergeSources } from '../../../src/bus/ingress/merge-sources.ts';
import type { SourceUpdate } from '../../../src/bus/source-update.ts';
import type { DesiredPod, PodSource, PodUid } from '../../../src/ports/pod-types.ts';
import { inputFaultLine } from '../../../src/ports/faults.ts';
import { decodedPod } from '../../support/manifests.ts';

interface Merged {
  /** `op source name,name` and `ready` in order; emptied by `said`. */
  readonly log: string[];
  readonly refused: string[];
  readonly latest: Map<string, DesiredPod>;
  say(update: SourceUpdate): string[];
  stop(): Promise<void>;
}

function merged(sources: readonly PodSource[] = ['file', 'mqtt']): Merged {
  const bus = new Bus(new VirtualClock());
  const test = bus.as('test');
  const log: string[] = [];
  const refused: string[] = [];
  const latest = new Map<string, DesiredPod>();
  test.on('pods.changed', ({ payload }) => {
    log.push(`${payload.op} ${payload.source} ${payload.pods.map(({ name }) => name).join(',')}`.trim());
    for (const pod of payload.pods) latest.set(pod.name, pod);
  });
  test.on('sources.ready', ({ payload }) => log.push(`ready ${payload.sources.join(',')}`));
  test.on('input.refused', ({ payload }) => refused.push(inputFaultLine(payload.fault)));
  const merge = startMergeSources({ bus: bus.as('merge-sources'), clock: new VirtualClock(), sources });
  return {
    log, refused, latest,
    say: (update) => {
      test.publish('source.updated', update);
      return log.splice(0);
    },
    stop: () => merge.stop(),
  };
}

const set = (source: PodSource, ...pods: DesiredPod[]): SourceUpdate => ({ kind: 'set', source, pods });
const upsert = (pod: DesiredPod): SourceUpdate => ({ kind: 'upsert', source: pod.source, pod });
const forget = (pod: DesiredPod): SourceUpdate => ({ kind: 'forget', source: pod.source, uid: pod.uid });
const pod = (name: string, part: Parameters<typeof decodedPod>[0] = {}): DesiredPod =>
  decodedPod({ ...part, metadata: { name, uid: `uid-${name}`, ...part.metadata } });
const image = (text: string): Parameters<typeof decodedPod>[0] => ({ container: { image: text } });

describe('merge of the sources', () => {
  it('given a first content, when said, then ADD, SET with all, and ready only when all have spoken', () => {
    const { say } = merged();
    expect(say(set('file'))).toEqual(['SET file']);
    expect(say(upsert(pod('a')))).toEqual(['ADD mqtt a']);
    expect(say(set('mqtt', pod('a'), pod('b')))).toEqual(['ADD mqtt b', 'SET mqtt a,b', 'ready file,mqtt']);
    expect(say(set('mqtt', pod('a'), pod('b')))).toEqual([]);
  });

  it('given a new pod, when added, then it carries the time it was first seen, which later content does not change', () => {
    const { say, latest } = merged();
    const seen = 'kubernetes.io/config.seen';
    say(upsert(pod('a')));
    const first = latest.get('a')?.pod.metadata.annotations?.[seen];
    expect(first).toBe('2026-01-01T00:00:00.000000Z');
    expect(say(upsert(pod('a', { ...image('b:2'), metadata: { annotations: { [seen]: 'never' } } })))).toEqual(['UPDATE mqtt a']);
    expect(latest.get('a')?.pod.metadata.annotations?.[seen]).toBe(first);
    expect(latest.get('a')?.pod.spec.containers[0]?.image).toBe('b:2');
  });

  it.each<[string, Parameters<typeof decodedPod>[0], string[]]>([
    ['nothing', {}, []],
    ['the spec', image('b:2'), ['UPDATE mqtt a']],
    ['labels', { metadata: { labels: { a: 'b' } } }, ['UPDATE mqtt a']],
    ['an annotation', { metadata: { annotations: { a: 'b' } } }, ['UPDATE mqtt a']],
    ['an annotation that says how it came', { metadata: { annotations: { 'kubernetes.io/config.seen': 'x', 'kubernetes.io/config.mirror': 'y' } } }, []],
    ['the resource version', { metadata: { resourceVersion: '5' } }, []],
    ['the status', { more: { status: { phase: 'Running' } } }, ['RECONCILE mqtt a']],
    ['status and spec', { ...image('b:2'), more: { status: { phase: 'Running' } } }, ['UPDATE mqtt a']],
    ['a request for deletion', { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } }, ['DELETE mqtt a']],
  ])('given a known pod, when %s is different, then %s is told', (_name, part, expected) => {
    const { say } = merged();
    say(upsert(pod('a')));
    expect(say(upsert(pod('a', part)))).toEqual(expected);
    expect(say(upsert(pod('a', part)))).toEqual([]);
  });

  it('given a pod being deleted, when a late message is from before, then the deletion stays', () => {
    const { say, latest } = merged();
    const deleted = pod('a', { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } });
    say(upsert(pod('a')));
    say(upsert(deleted));
    expect(say(upsert(pod('a')))).toEqual([]);
    expect(say(upsert(pod('a', image('b:2'))))).toEqual(['DELETE mqtt a']);
    expect(latest.get('a')?.pod.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 });
    expect(say(upsert(pod('a', { metadata: { deletionTimestamp: '2026-01-01T00:00:01Z', deletionGracePeriodSeconds: 1 } })))).toEqual(['DELETE mqtt a']);
  });

  it('given one content with everything in it, when said, then the operations come in kubelet\'s order', () => {
    const { say } = merged();
    say(set('mqtt', pod('gone'), pod('same'), pod('edited'), pod('ended'), pod('reported')));
    const update = set('mqtt',
      pod('reported', { more: { status: { phase: 'Running' } } }), pod('ended', { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' } }),
      pod('edited', image('b:2')), pod('new'), pod('same'));
    expect(say(update)).toEqual(['REMOVE mqtt gone', 'ADD mqtt new', 'UPDATE mqtt edited', 'DELETE mqtt ended', 'RECONCILE mqtt reported']);
  });

  it('given a manifest that was edited, when its UID is another, then REMOVE of the old and ADD of the new', () => {
    const { say } = merged();
    say(set('file', pod('a', { source: 'file' })));
    expect(say(set('file', pod('a', { source: 'file', ...image('b:2'), metadata: { uid: 'other' } })))).toEqual(['REMOVE file a-edge-07', 'ADD file a-edge-07']);
  });

  it('given a pod of the API, when one of its name comes with another UID, then it takes its place', () => {
    const { say, refused } = merged();
    say(upsert(pod('a')));
    expect(say(upsert(pod('a', { metadata: { uid: 'other' } })))).toEqual(['REMOVE mqtt a', 'ADD mqtt a']);
    expect(say({ kind: 'forget', source: 'mqtt', uid: 'uid-a' as PodUid })).toEqual([]);
    expect(say({ kind: 'forget', source: 'mqtt', uid: 'other' as PodUid })).toEqual(['REMOVE mqtt a']);
    expect(refused).toEqual([]);
  });

  it('given two pods of one name in one content, when said, then the first stays, the second is told once and follows it', () => {
    const { say, refused } = merged();
    const first = pod('a', { origin: 'first' });
    const second = pod('a', { origin: 'second', metadata: { uid: 'other' } });
    expect(say(set('mqtt', first, second))).toEqual(['ADD mqtt a', 'SET mqtt a']);
    say(set('mqtt', first, second, pod('b')));
    expect(refused).toEqual(['second: metadata.name: Duplicate value: "shop/a": first has it; this one waits until that one is gone']);
    expect(say(set('mqtt', second, pod('b')))).toEqual(['REMOVE mqtt a', 'ADD mqtt a']);
  });

  it('given a name taken by another source, when that one goes, then the one that waited comes without being said again', () => {
    const { say, refused } = merged();
    say(set('file', pod('a', { source: 'file', origin: 'a.yaml', metadata: { namespace: 'shop' } })));
    const waiting = pod('a-edge-07', { origin: 'topic' });
    expect(say(upsert(waiting))).toEqual([]);
    expect(say(upsert(waiting))).toEqual([]);
    expect(refused).toEqual(['topic: metadata.name: Duplicate value: "shop/a-edge-07": a.yaml has it; this one waits until that one is gone']);
    expect(say(set('file'))).toEqual(['REMOVE file a-edge-07', 'ADD mqtt a-edge-07']);
  });

  it('given a UID taken by another pod, when said, then it is refused', () => {
    const { say, refused } = merged();
    say(set('mqtt', pod('a', { origin: 'x' }), pod('b', { origin: 'y', metadata: { uid: 'uid-a' } })));
    expect(say(set('file', pod('c', { source: 'file', origin: 'z', metadata: { uid: 'uid-a' } })))).toEqual(['SET file', 'ready file,mqtt']);
    expect(refused).toEqual([
      'y: metadata.uid: Duplicate value: "uid-a": x has it; give each pod its own', 'z: metadata.uid: Duplicate value: "uid-a": x has it; give each pod its own',
    ]);
  });

  it('given more pods than a source may have, when said, then the first ones run, the others are told, and follow when there is room', () => {
    const { say, refused } = merged();
    const pods = Array.from({ length: podsPerSourceMax + 2 }, (_, index) => pod(`p${index}`, { origin: `o${index}` }));
    const said = say(set('mqtt', ...pods));
    expect(said[0]?.split(',').length).toBe(podsPerSourceMax);
    expect(refused).toEqual([500, 501].map((number) => `o${number}: Too many: source mqtt has 500 pods already; remove one for this one to start`));
    expect(say(forget(pod('p3')))).toEqual(['REMOVE mqtt p3', 'ADD mqtt p500']);
    expect(refused).toHaveLength(2);
  });

  it('given a source that was not configured, when it speaks, then nothing happens', () => {
    const { say } = merged(['file']);
    expect(say(set('mqtt', pod('a')))).toEqual([]);
    expect(say(set('file'))).toEqual(['SET file', 'ready file']);
  });

  it('given it was stopped, when a source speaks, then nothing happens', async () => {
    const { say, stop } = merged();
    await stop();
    await stop();
    expect(say(set('mqtt', pod('a')))).toEqual([]);
  });
});
