// What the cloud says and when it is believed: starts, pushes, deletions, stale and repeated messages.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiOutcome, ApiWrite } from '../../../src/bus/api-write.ts';
import type { SourceUpdate } from '../../../src/bus/source-update.ts';
import type { PodUid } from '../../../src/ports/pod-types.ts';
import { fail } from '../../../src/ports/result.ts';
import { wirePod, WireWorld } from '../../support/wire-world.ts';

const notFound: ApiOutcome = { kind: 'refused', status: { reason: 'NotFound' } };

describe('the MQTT ingress', () => {
  let world: WireWorld;
  beforeEach(() => {
    world = new WireWorld();
  });
  afterEach(async () => {
    await world.stop();
    expect(world.clock.pendingTimers()).toEqual([]);
    expect(world.payloads('actor.failed')).toEqual([]);
  });

  /** Updates in short: names of a set, `+name` for an upsert, `-uid` for a forget. */
  const short = (update: SourceUpdate): string | string[] => {
    switch (update.kind) {
      case 'set': return update.pods.map(({ name, uid }) => (uid === `uid-${name}` ? name : `${name}:${uid}`));
      case 'upsert': return `+${update.pod.name}`;
      case 'forget': return `-${update.uid}`;
    }
  };
  const updates = () => world.payloads('source.updated').map(short);
  const up = async (...pods: readonly unknown[]) => {
    world.link('up');
    await world.clock.settle();
    world.answerStart(pods);
    world.log.length = 0;
  };
  const push = (pod: unknown) => world.down({ data_type: 'pod', pod_data: pod });
  const settle = (write: Partial<ApiWrite> & { verb: string; name: string }, outcome: ApiOutcome) => {
    const whole = { id: 'i', writer: 'status-reporter', lane: 'l', kind: 'Pod', namespace: 'shop', ...write } as ApiWrite; // Fields of the verb are given by each test.
    world.bus.as('api-writer').publish('api.settled', { write: whole, outcome }, { key: whole.writer });
  };
  const terminated = (name: string) => {
    const pod = { uid: `uid-${name}` as PodUid, namespace: 'shop', name };
    const desired = { ...pod, source: 'mqtt' as const, origin: 'test', pod: { metadata: {}, spec: { containers: [] } } };
    world.bus.as('pod').publish('pod.terminated', { pod, desired }, { key: pod.uid });
  };
  const reconnect = async () => {
    world.link('backingOff');
    world.link('up');
    await world.clock.settle();
  };

  describe('the start', () => {
    it('given the link comes up, when nobody answers, then the start is repeated for ever under one identity, oftener at first', async () => {
      world.link('up');
      await world.clock.advance(30_000);
      const early = world.starts().length;
      expect(early).toBeGreaterThanOrEqual(2);
      await world.clock.advance(86_400_000);
      expect(world.starts().length).toBeGreaterThan(1_000);
      expect(world.starts().length).toBeLessThan(2_500);
      expect(new Set(world.starts().map(({ identity }) => identity)).size).toBe(1);
      world.answerStart([]);
      const settled = world.starts().length;
      await world.clock.advance(600_000);
      expect(world.starts().length).toBe(settled);
    });

    it('given a publish that fails, when the start is sent, then it is tried again', async () => {
      world.publishResult = () => Promise.resolve(fail({ kind: 'timeout', message: 'no PUBACK', afterMs: 1 }));
      world.link('up');
      await world.clock.advance(10_000);
      expect(world.starts().length).toBeGreaterThanOrEqual(3);
    });

    it('given the link breaks, when a late answer comes after the reconnect, then only the new start counts', async () => {
      world.link('up');
      await world.clock.settle();
      const old = world.starts()[0]?.identity ?? '';
      await reconnect();
      world.answer(old, { kind: 'accepted', object: { pods_list: [] } });
      expect(updates()).toEqual([]);
      world.answerStart([wirePod('a')]);
      expect(updates()).toEqual([['a']]);
    });

    it('given an error or no object as answer, when it comes, then nothing changes and the start is repeated', async () => {
      await up(wirePod('a'));
      await reconnect();
      const { identity } = world.starts().at(-1) ?? { identity: '' };
      world.answer(identity, { kind: 'refused', status: { reason: 'InternalError' } });
      await world.clock.advance(5_000);
      world.answer(identity, { kind: 'accepted', object: undefined });
      await world.clock.advance(70_000);
      expect(updates()).toEqual([]);
      expect(world.starts().length).toBeGreaterThanOrEqual(4);
      world.answerStart([]);
      expect(updates()).toEqual([[]]);
    });

    it('given an answer without the list, when it comes, then the list is empty: Go leaves empty lists out', async () => {
      await up(wirePod('a'));
      await reconnect();
      world.answer(world.starts().at(-1)?.identity ?? '', { kind: 'accepted', object: {} });
      expect(updates()).toEqual([[]]);
    });

    it('given the node in the answer, when it comes, then it is passed on', async () => {
      world.link('up');
      await world.clock.settle();
      world.answerStart([], { node: { metadata: { name: 'edge-07', uid: 'n' } } });
      expect(world.payloads('node.received')).toMatchObject([{ node: { metadata: { uid: 'n' } } }]);
    });

    it('given a pod pushed after the start was sent, when the older answer comes without it, then it stays', async () => {
      await up(wirePod('a'));
      await reconnect();
      push(wirePod('new'));
      world.answerStart([wirePod('a')]);
      expect(updates()).toEqual(['+new', ['a', 'new']]);
      await reconnect();
      world.answerStart([wirePod('a')]);
      expect(updates().at(-1)).toEqual(['a']);
    });

    it('given a newer push, when the answer holds an older state of that pod, then the newer one stays', async () => {
      world.link('up');
      await world.clock.settle();
      push(wirePod('a', { version: '9', metadata: { labels: { state: 'new' } } }));
      world.answerStart([wirePod('a', { version: '7', metadata: { labels: { state: 'old' } } })]);
      expect(world.payloads('source.updated').at(-1)).toMatchObject({ kind: 'set', pods: [{ pod: { metadata: { labels: { state: 'new' } } } }] });
    });

    it('given one entry that cannot be read, when the answer comes, then the others are taken and none is deleted', async () => {
      await up(wirePod('a'), wirePod('b'));
      await reconnect();
      world.answerStart([wirePod('b'), null]);
      expect(updates()).toEqual([['a', 'b']]);
      expect(world.refusals()).toHaveLength(1);
    });

    it('given the same pod twice, when the answer comes, then it is one pod', async () => {
      world.link('up');
      await world.clock.settle();
      world.answerStart([wirePod('a'), wirePod('a')]);
      expect(updates()).toEqual([['a']]);
    });
  });

  describe('pushes', () => {
    it.each([
      ['a repeated push', ['5', '5'], ['+a']],
      ['an older push', ['5', '4'], ['+a']],
      ['a newer push', ['5', '6'], ['+a', '+a']],
      ['versions that are no numbers', ['x', 'y'], ['+a', '+a']],
      ['longer numbers', ['99999999999999999999', '9'], ['+a']],
    ])('given %s, when it comes, then it is taken only where it is newer', async (_name, versions, expected) => {
      await up();
      for (const version of versions) push(wirePod('a', { version }));
      expect(updates()).toEqual(expected);
    });

    it('given another pod of the same name, when it is newer, then it takes the place, and late pushes of the first change nothing', async () => {
      await up();
      push(wirePod('a', { uid: 'first', version: '5' }));
      push(wirePod('a', { uid: 'second', version: '8' }));
      push(wirePod('a', { uid: 'first', version: '9' }));
      push(wirePod('a', { uid: 'zeroth', version: '3' }));
      expect(updates()).toEqual(['+a', '-first', '+a']);
    });

    it('given pods without versions, when another one of the name comes, then the time of creation decides', async () => {
      await up();
      push(wirePod('a', { uid: 'second', metadata: { creationTimestamp: '2024-05-06T06:08:09Z' } }));
      push(wirePod('a', { uid: 'first', metadata: { creationTimestamp: '2024-05-06T05:00:00Z' } }));
      expect(updates()).toEqual(['+a']);
    });

    it('given a pod that cannot be read, when it is new here and bound to this node, then it is told as refused; a change of a known one is not', async () => {
      await up(wirePod('a'));
      push(wirePod('a', { version: '2', spec: { containers: [], nodeName: 'edge-07' } }));
      push(wirePod('b', { spec: { containers: [], nodeName: 'edge-07' } }));
      push(wirePod('c', { spec: { containers: [], nodeName: 'edge-08' } }));
      push(wirePod('b', { spec: { containers: [], nodeName: 'edge-07' }, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }));
      const message = 'spec.containers: Required value';
      expect(world.payloads('pod.refused')).toEqual([
        { pod: { uid: 'uid-b', namespace: 'shop', name: 'b' }, message, deleting: false },
        { pod: { uid: 'uid-b', namespace: 'shop', name: 'b' }, message, deleting: true },
      ]);
    });

    it('given a mirror pod, when it is pushed and later missing in the list, then mirror pods hears of both, and no source does', async () => {
      await up();
      push(wirePod('m', { version: '1', metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }));
      push(wirePod('m', { version: '1', metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }));
      expect(world.payloads('mirror.received')).toMatchObject([{ fullName: 'm_shop', pod: { metadata: { name: 'm' } } }]);
      await reconnect();
      world.answerStart([]);
      expect(world.payloads('mirror.received').at(-1)).toEqual({ fullName: 'm_shop', pod: undefined });
      expect(updates()).toEqual([[]]);
    });

    it('given a mirror pod pushed since the start, when the older list misses it, then it stays', async () => {
      await up();
      await reconnect();
      push(wirePod('m', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }));
      world.answerStart([]);
      expect(world.payloads('mirror.received')).toHaveLength(1);
    });

    it('given our node, when it is pushed, then it is passed on', async () => {
      await up();
      world.down({ data_type: 'node', node_data: { metadata: { name: 'edge-07' } } });
      expect(world.payloads('node.received')).toHaveLength(1);
    });

    it('given a pod that runs without something, when it is pushed twice, then the warning is told once', async () => {
      await up();
      const unknown = wirePod('a', { spec: { someNewField: 7 } });
      push(unknown);
      push(unknown);
      expect(updates()[0]).toBe('+a');
      expect(world.refusals()).toHaveLength(1);
      expect(world.payloads('input.refused')[0]?.fault.severity).toBe('warning');
    });
  });

  describe('deletion', () => {
    it.each([
      ['accepted', { kind: 'accepted' }],
      ['refused as NotFound', notFound],
      ['refused for another UID', { kind: 'refused', status: { reason: 'Conflict' } }],
    ] as const)('given a pod that is terminated, when its delete is %s, then it is forgotten, and a late push does not bring it back', async (_name, outcome) => {
      await up(wirePod('a'), wirePod('b'));
      terminated('a');
      expect(updates()).toEqual([]);
      settle({ verb: 'delete', name: 'a', uid: 'uid-a' as PodUid }, outcome);
      expect(updates()).toEqual(['-uid-a']);
      push(wirePod('a', { version: '99' }));
      expect(updates()).toEqual(['-uid-a']);
    });

    it('given a pod that is deleted first, when it is terminated, then it is forgotten then', async () => {
      await up(wirePod('a'));
      settle({ verb: 'delete', name: 'a', uid: 'uid-a' as PodUid }, { kind: 'accepted' });
      expect(updates()).toEqual([]);
      terminated('a');
      expect(updates()).toEqual(['-uid-a']);
    });

    it('given a delete without an answer, when it is settled, then the pod is kept', async () => {
      await up(wirePod('a'));
      terminated('a');
      settle({ verb: 'delete', name: 'a', uid: 'uid-a' as PodUid }, { kind: 'unanswered', message: '' });
      expect(updates()).toEqual([]);
    });

    it('given a forgotten pod, when a list made later still has it, then its end is played again; one made before is not believed', async () => {
      await up(wirePod('a'));
      await reconnect();
      terminated('a');
      settle({ verb: 'delete', name: 'a', uid: 'uid-a' as PodUid }, { kind: 'accepted' });
      world.answerStart([wirePod('a')]);
      expect(updates()).toEqual(['-uid-a', []]);
      await reconnect();
      world.answerStart([wirePod('a')]);
      expect(updates().at(-1)).toEqual(['a']);
    });

    it('given a running pod, when a status write is answered NotFound, then it is not stopped: the list is asked for and decides', async () => {
      await up(wirePod('a'), wirePod('b'));
      const before = world.starts().length;
      settle({ verb: 'patchStatus', name: 'a', patch: {} }, notFound);
      settle({ verb: 'patchStatus', name: 'b', patch: {} }, notFound);
      expect(updates()).toEqual([]);
      await world.clock.advance(10_000);
      expect(world.starts().length).toBe(before + 1);
      world.answerStart([wirePod('b')]);
      expect(updates()).toEqual([['b']]);
      push(wirePod('a'));
      expect(updates()).toEqual([['b']]);
    });

    it('given many hints, when they come one after the other, then the list is asked for at most every ten seconds', async () => {
      await up(wirePod('a'));
      const before = world.starts().length;
      for (let second = 0; second < 60; second += 1) {
        settle({ verb: 'get', name: 'a' }, notFound);
        await world.clock.advance(1_000);
        world.answerStart([wirePod('a')]);
      }
      expect(world.starts().length - before).toBeLessThanOrEqual(7);
    });

    it('given a terminated pod, when a get of it is answered NotFound, then it is forgotten at once', async () => {
      await up(wirePod('a'));
      terminated('a');
      settle({ verb: 'get', name: 'a' }, notFound);
      expect(updates()).toEqual(['-uid-a']);
    });

    it('given a new pod under the name of an old one, when a late answer about the old one comes, then the new one is kept', async () => {
      await up(wirePod('a'));
      terminated('a');
      settle({ verb: 'patchStatus', name: 'a', patch: { metadata: { uid: 'older' }, status: {} } }, notFound);
      settle({ verb: 'patchStatus', name: 'a', patch: { metadata: { uid: 'older' }, status: {} } }, { kind: 'refused', status: { reason: 'Conflict' } });
      settle({ verb: 'delete', name: 'a', uid: 'older' as PodUid }, notFound);
      expect(updates()).toEqual([]);
    });

    it('given a mirror pod created and never pushed, when the list after the next start misses it, then mirror pods hears that it is gone', async () => {
      await up();
      settle({ verb: 'create', name: 'm', object: {} }, { kind: 'accepted' });
      world.answerStart([]);
      expect(world.payloads('mirror.received')).toEqual([]);
      await reconnect();
      world.answerStart([]);
      expect(world.payloads('mirror.received')).toEqual([{ fullName: 'm_shop', pod: undefined }]);
    });

    it('given a mirror pod known from an answer alone, when a list has it, then it is passed on', async () => {
      await up();
      await reconnect();
      settle({ verb: 'create', name: 'm', object: {} }, { kind: 'accepted' });
      world.answerStart([wirePod('m', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' }, deletionTimestamp: '2026-01-01T00:00:00Z' } })]);
      expect(world.payloads('mirror.received')).toMatchObject([{ fullName: 'm_shop', pod: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } } }]);
    });

    it('given a mirror pod, when a write about it is answered NotFound, then mirror pods hears that it is gone', async () => {
      await up();
      push(wirePod('m', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }));
      settle({ verb: 'patchStatus', name: 'm', patch: {} }, notFound);
      expect(world.payloads('mirror.received').at(-1)).toEqual({ fullName: 'm_shop', pod: undefined });
    });

    it('given pods of other sources, when they end, then nothing is forgotten here', async () => {
      await up();
      terminated('static');
      settle({ verb: 'delete', name: 'static', uid: 'uid-static' as PodUid }, { kind: 'accepted' });
      expect(updates()).toEqual([]);
    });
  });

  it('given an answer to a write, when it comes, then it is passed on to the writer under its topic', async () => {
    await up();
    world.answer('someone', notFound as never);
    expect(world.payloads('mqtt.ack')).toEqual([{ topic: 'fleet/ctl/edge-07', identity: 'someone', answer: notFound }]);
  });
});
