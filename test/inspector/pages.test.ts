import { describe, expect, test } from 'vitest';
import { PageSession, pendingBytesMax } from '../../src/inspector/page-session.ts';
import { Pages } from '../../src/inspector/pages.ts';
import { batchPeriodMs, entriesPerBatchMax, protocolVersion, type ServerMessage } from '../../src/inspector/protocol.ts';
import { type StatelyEvent, valueOf } from '../../src/inspector/stately.ts';
import { Questions } from '../../src/inspector/questions.ts';
import type { ContainerId } from '../../src/ports/pod-types.ts';
import { aPod, uid } from '../support/pods.ts';
import { type Fed, fedBus } from './fed-bus.ts';

class Socket {
  readonly sent: string[] = [];
  pending = 0;
  closedWith = 0;
  send = (text: string) => void this.sent.push(text);
  pendingBytes = () => this.pending;
  close = (code: number) => { this.closedWith = code; };

  of<T extends ServerMessage['t']>(kind: T): readonly Extract<ServerMessage, { readonly t: T }>[] {
    // The server's own messages, whose kind is compared.
    return this.sent.map((text) => JSON.parse(text) as ServerMessage).filter((message): message is Extract<ServerMessage, { readonly t: T }> => message.t === kind);
  }
}

function pagesOn({ feed, clock }: Fed): Pages {
  const hello = { t: 'hello' as const, protocol: protocolVersion, mode: 'live' as const, node: 'edge-07', version: 'v1', file: '', machines: [], topics: [] };
  return new Pages({ inspected: { feed, machines: [], names: { name: 'edge-07', version: 'v1' }, live: true }, clock, hello, definitions: new Map([['pod', '{"id":"pod"}']]) });
}

const noise = ({ bus }: Fed, count: number): void => {
  for (let index = 0; index < count; index += 1) bus.as('runtime').publish('runtime.event', { kind: 'started', id: `c${index}` as ContainerId });
};

describe('batches', () => {
  test('given a thousand messages at once, when the batch is due, then it holds the newest and counts the others', async () => {
    const fed = fedBus();
    const pages = pagesOn(fed);
    const socket = new Socket();
    pages.open(socket);
    noise(fed, 1_000);
    await fed.clock.advance(batchPeriodMs);
    const [batch] = socket.of('batch');
    expect([batch?.n, batch?.entries.length, batch?.leftOut, batch?.entries.at(-1)?.n]).toEqual([1_000, entriesPerBatchMax, 1_000 - entriesPerBatchMax, 1_000]);
    pages.stop('over');
  });

  test('given a page that takes nothing, when much happens, then it gets nothing more, and once it can, one batch with rows of now', async () => {
    const fed = fedBus();
    const pages = pagesOn(fed);
    const socket = new Socket();
    pages.open(socket);
    socket.pending = pendingBytesMax + 1;
    fed.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    for (let round = 0; round < 50; round += 1) {
      noise(fed, 100);
      await fed.clock.advance(batchPeriodMs);
    }
    expect(socket.of('batch')).toEqual([]);
    socket.pending = 0;
    await fed.clock.advance(batchPeriodMs);
    const [batch, ...more] = socket.of('batch');
    expect([batch?.pods.map((pod) => pod.uid), batch?.entries.length, batch?.leftOut, more.length]).toEqual([[uid], entriesPerBatchMax, 5_001 - entriesPerBatchMax, 0]);
    pages.stop('over');
  });

  test('given a filter and no entries, when things happen, then batches hold what was asked for', async () => {
    const fed = fedBus();
    const pages = pagesOn(fed);
    const socket = new Socket();
    const page = pages.open(socket);
    page.received(JSON.stringify({ ask: 'follow', id: 1, filter: { topics: ['pods.changed'], pods: [], actors: [], text: 'WEB', steps: false }, entries: true, pod: uid }));
    fed.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    noise(fed, 5);
    await fed.clock.advance(batchPeriodMs);
    const [batch] = socket.of('batch');
    expect([batch?.entries.map(({ n }) => n), batch?.leftOut, batch?.details?.uid]).toEqual([[1], 0, uid]);
    pages.stop('over');
  });

  test('given no page, when time passes, then no timer runs', async () => {
    const fed = fedBus();
    const pages = pagesOn(fed);
    const page = pages.open(new Socket());
    page.closed();
    await fed.clock.advance(60_000);
    expect(fed.clock.pendingTimers()).toEqual([]);
    expect(pages.count).toBe(0);
  });

  test('given a page that waits for a recording, when it is read, then it gets progress first and the snapshot then', () => {
    const fed = fedBus();
    const pages = pagesOn(fed);
    pages.reading({ t: 'progress', done: 1, of: 2 });
    const socket = new Socket();
    pages.open(socket);
    expect(socket.of('snapshot')).toEqual([]);
    pages.read();
    expect([socket.of('progress').length, socket.of('snapshot').length]).toEqual([1, 1]);
    pages.stop('over');
  });
});

describe('a session', () => {
  test('given it has been closed, when things happen, then nothing is sent', () => {
    const fed = fedBus();
    const socket = new Socket();
    const inspected = { feed: fed.feed, machines: [], names: { name: 'edge-07', version: 'v1' }, live: true };
    const session = new PageSession({ inspected, questions: new Questions(inspected), clock: fed.clock, closed: () => undefined }, socket);
    session.begin();
    session.closed();
    noise(fed, 1);
    fed.feed.catchUp();
    session.tick();
    expect(socket.sent).toHaveLength(1);
  });
});

describe("Stately's events", () => {
  test('given a machine that takes an event, when a receiver listens, then it hears of the actor, the event and the snapshot in that package\'s form', async () => {
    const fed = fedBus();
    const pages = pagesOn(fed);
    const socket = new Socket();
    pages.openStately(socket);
    fed.bus.as('merge').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    fed.feed.watch.begins({
      k: 'step', machine: 'pod', actor: 'pod default/web', pod: uid, at: 5, cause: 0, event: { type: 'pod.admit' }, from: 'pending', to: 'creating.syncing', transitions: [], context: { looks: new Set(['a']) },
      status: 'active', mailbox: 1,
    });
    await fed.clock.advance(batchPeriodMs);
    // What is sent is read as that package reads it.
    const events = socket.sent.map((text) => JSON.parse(text) as StatelyEvent);
    const common = { sessionId: 'pod default/web', rootId: 'pod default/web', createdAt: '5', _version: '0.4.0' };
    const snapshot = { status: 'active', value: { creating: 'syncing' }, context: { looks: ['a'] } };
    expect(events).toEqual([
      { ...common, id: '0', type: '@xstate.actor', name: 'pod default/web', definition: '{"id":"pod"}', snapshot },
      { ...common, id: '2', type: '@xstate.event', event: { type: 'pod.admit' } },
      { ...common, id: '2', type: '@xstate.snapshot', event: { type: 'pod.admit' }, snapshot },
    ]);
    pages.stop('over');
  });

  test('given names of states, when they are unfolded, then they are values of XState', () => {
    expect(['done', 'running.settled', 'a.b.c'].map(valueOf)).toEqual(['done', { running: 'settled' }, { a: { b: 'c' } }]);
  });
});
