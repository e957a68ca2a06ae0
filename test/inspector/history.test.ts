import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContainerId } from '../../src/ports/pod-types.ts';
import { ObjectData } from '../../src/ports/stored-object.ts';
import { Questions } from '../../src/inspector/questions.ts';
import { windowFeed } from '../../src/inspector/window-feed.ts';
import { windowLines } from '../../src/inspector/window.ts';
import { SecretMask } from '../../src/replay/secret-mask.ts';
import { aPod, uid } from '../support/pods.ts';
import { type Fed, fedBus } from './fed-bus.ts';

const everything = { topics: [], pods: [], actors: [], text: '', steps: true };
const questionsOf = ({ feed }: Pick<Fed, 'feed'>) => new Questions({ feed, machines: [], names: { name: 'edge-07', version: 'v1' }, live: true });

/** One pod that is added, gets a status, moves and is forgotten; `noise` messages of no pod in between. */
function play({ bus, clock, feed }: Fed, noise = 0): void {
  const port = bus.as('merge');
  const pod = aPod();
  port.publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [pod] });
  const step = { k: 'step' as const, machine: 'pod', actor: 'pod default/web', pod: uid, at: clock.nowMs(), cause: 1, event: { type: 'pod.admit' }, from: '', to: 'pending', transitions: ['pending:1'], context: undefined, status: 'active' as const, mailbox: 1 };
  feed.watch.begins(step);
  for (let index = 0; index < noise; index += 1) bus.as('runtime').publish('runtime.event', { kind: 'started', id: `c${index}` as ContainerId });
  bus.as('pod default/web').publish('pod.status', { pod, desired: pod, status: { phase: 'Running' } }, { key: uid });
  bus.as('supervisor').publish('pod.forgotten', { pod });
  feed.catchUp();
}

describe('history', () => {
  test('given messages and a step, when they are asked for, then they are numbered in order and name their causes', () => {
    const fed = fedBus();
    fed.bus.as('source').on('sources.ready', () => void fed.bus.as('merge').publish('object.changed', { kind: 'Secret', namespace: 'a', name: 'b' }));
    fed.bus.as('source').publish('sources.ready', { sources: [] });
    play(fed);
    const { entries } = questionsOf(fed).entries({ filter: everything, limit: 100 });
    expect(entries.map((entry) => [entry.n, entry.k === 'step' ? entry.event : entry.topic, entry.cause])).toEqual([
      [1, 'sources.ready', 0], [2, 'object.changed', 1], [3, 'pods.changed', 0], [4, 'pod.admit', 1], [5, 'pod.status', 4], [6, 'pod.forgotten', 0],
    ]);
  });

  test('given an effect of a call that a step has begun, when its causes are asked for, then they lead back to what the step took', () => {
    const fed = fedBus();
    play(fed);
    const matterOf = (n: number) => {
      const matter = questionsOf(fed).causes({ n });
      return typeof matter === 'string' ? matter : matter.entries.map((entry) => entry.n);
    };
    // The step in it names the first message as its cause.
    expect([matterOf(3), matterOf(1), matterOf(4)]).toEqual([[1, 2, 3], [1, 2, 3], [4]]);
  });

  test('given a pod that came and went, when moments are asked for, then each shows what was then', () => {
    const fed = fedBus();
    play(fed);
    const states = [1, 2, 3, 4].map((n) => {
      const moment = questionsOf(fed).moment({ n });
      return typeof moment === 'string' ? moment : moment.pods.map(({ state, phase }) => [state, phase]);
    });
    expect(states).toEqual([[['', 'Pending']], [['pending', 'Pending']], [['pending', 'Running']], []]);
    expect(questionsOf(fed).moment({ n: 5 })).toBe('entry 5 is not remembered');
  });

  test('given more than fits, when the oldest have left, then what they did stays in the picture and the limit holds', () => {
    const fed = fedBus({ entriesMax: 300 });
    const pod = aPod();
    fed.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [pod] });
    for (let index = 0; index < 2_000; index += 1) fed.bus.as('runtime').publish('runtime.event', { kind: 'started', id: `c${index}` as ContainerId });
    fed.feed.catchUp();
    const { first, last } = fed.feed.history.range();
    expect({ last, kept: last - first + 1 <= 300, pods: [...fed.feed.history.head().pods.keys()] }).toEqual({ last: 2_001, kept: true, pods: [uid] });
  });

  test('given a limit of bytes and large statuses, when they come, then the estimate stays below it', () => {
    const fed = fedBus({ bytesMax: 200_000 });
    const pod = aPod();
    for (let index = 0; index < 2_000; index += 1) fed.bus.as('pod').publish('pod.status', { pod, desired: pod, status: { phase: 'Running', message: 'x'.repeat(2_000) } }, { key: uid });
    fed.feed.catchUp();
    expect(fed.feed.history.bytes).toBeLessThanOrEqual(200_000 + 128 * 3_000);
  });

  test('given any noise and any limit, when a moment is asked for, then its picture is the one folded from the beginning', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 130, max: 600 }), fc.boolean(), (noise, entriesMax, keepsPictures) => {
      const small = fedBus({ entriesMax, keepsPictures });
      const large = fedBus({ entriesMax: 100_000 });
      play(small, noise);
      play(large, noise);
      const { first, last } = small.feed.history.range();
      for (const n of [first, Math.floor((first + last) / 2), last]) {
        expect(small.feed.history.pictureAt(n)?.pods).toEqual(large.feed.history.pictureAt(n)?.pods);
        expect(small.feed.history.at(n)).toEqual(large.feed.history.at(n));
      }
    }), { numRuns: 30 });
  });

  test('given a listener that is slow to be heard, when a chunk is full with a notable message last, then its effect stays when it leaves', () => {
    const fed = fedBus({ entriesMax: 130 });
    for (let index = 0; index < 127; index += 1) fed.bus.as('runtime').publish('runtime.event', { kind: 'started', id: `c${index}` as ContainerId });
    fed.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    for (let index = 0; index < 1_000; index += 1) fed.bus.as('runtime').publish('runtime.event', { kind: 'started', id: `d${index}` as ContainerId });
    fed.feed.catchUp();
    expect([...fed.feed.history.head().pods.keys()]).toEqual([uid]);
  });
});

describe('secrets in what is kept', () => {
  const object = { kind: 'Secret' as const, namespace: 'shop', name: 'database', uid: 'u', version: '1', type: 'Opaque', data: new ObjectData(new Map([['password', new TextEncoder().encode('correct horse battery')]])) };

  test('given a secret that came in a packet and stands in a status, when everything is shown and exported, then its value is nowhere', () => {
    const fed = fedBus();
    const packet = new TextEncoder().encode(JSON.stringify({ data: { password: Buffer.from('correct horse battery').toString('base64') } }));
    fed.bus.as('link').publish('mqtt.received', { topic: 'fleet/data', payload: packet });
    fed.bus.as('ingress').publish('object.received', { object });
    const pod = aPod();
    fed.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [pod] });
    fed.bus.as('pod').publish('pod.status', { pod, desired: pod, status: { phase: 'Failed', message: 'cannot log in with correct horse battery' } }, { key: uid });
    fed.feed.catchUp();
    const questions = questionsOf(fed);
    const shown = [1, 2, 3, 4].map((n) => JSON.stringify(questions.entry({ n }))).concat(JSON.stringify(questions.pod({ uid })), JSON.stringify(questions.moment({ n: 4 })));
    shown.push(...windowLines({ feed: fed.feed, node: 'edge-07', version: 'v1' }, 1, 4));
    const leaks = shown.filter((text) => text.includes('correct horse') || text.includes(Buffer.from('correct horse battery').toString('base64')));
    expect(leaks).toEqual([]);
    expect(questions.entries({ filter: { ...everything, text: 'correct horse' }, limit: 10 }).entries).toEqual([]);
  });
});

describe('a window', () => {
  test('given a window that was exported, when it is read, then it shows the same moments and entries', () => {
    const fed = fedBus();
    play(fed, 20);
    const read = windowFeed(windowLines({ feed: fed.feed, node: 'edge-07', version: 'v1' }, 2, 22), new SecretMask());
    if (!read.ok) throw new Error(read.fault.message);
    expect(read.value.feed.history.range()).toMatchObject({ first: 2, last: 22 });
    const before = questionsOf(fed).entries({ filter: everything, after: 2, before: 22, limit: 100 });
    expect(questionsOf(read.value).entries({ filter: everything, after: 2, limit: 100 }).entries).toEqual(before.entries.map((entry) => (entry.cause === 1 ? { ...entry, cause: 0 } : entry)));
    const momentOf = (fedOne: Pick<Fed, 'feed'>) => {
      const moment = questionsOf(fedOne).moment({ n: 10 });
      return typeof moment === 'string' ? moment : moment.pods;
    };
    expect(momentOf(read.value)).toEqual(momentOf(fed));
  });

  test.each([
    ['nothing', [''], 1], ['another file', ['{"recording":1}'], 1], ['another version', ['{"inspection":9}'], 1], ['a header without a picture', ['{"inspection":1,"picture":{}}'], 1],
    ['a picture that is none', ['{"inspection":1,"picture":{"n":1,"atMs":1,"pods":{"$map":[["a",{"desired":7}]]},"actors":[],"node":{}}}'], 1],
  ])('given %s, when it is read, then the line is named and nothing is thrown', (_what, lines, line) => {
    const read = windowFeed(lines, new SecretMask());
    expect(read.ok ? undefined : read.fault.line).toBe(line);
  });

  test('given damaged lines, when they are read, then the first one is named', () => {
    const fed = fedBus();
    play(fed);
    const [header = '', ...lines] = windowLines({ feed: fed.feed, node: 'edge-07', version: 'v1' }, 1, 4);
    fc.assert(fc.property(fc.nat(lines.length - 1), fc.string(), (place, text) => {
      const damaged = lines.map((line, index) => (index === place ? line.slice(0, line.length / 2) + text : line));
      const read = windowFeed([header, ...damaged], new SecretMask());
      if (!read.ok) expect(read.fault.line).toBe(place + 2);
    }), { numRuns: 50 });
  });
});
