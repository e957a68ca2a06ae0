import { describe, expect, it } from 'vitest';
import { Bus } from '../../src/bus/bus.ts';
import type { PodUid } from '../../src/ports/pod-types.ts';

const clock = { nowMs: () => 1_000, monotonicMs: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };
const pod = { uid: 'u1' as PodUid, namespace: 'default', name: 'web' };
const health = (message: string) => ({ runtimeReady: true, networkReady: true, streaming: true, message });

describe('bus', () => {
  it('given a listener that publishes, when a message is delivered, then the new one comes after all listeners had the first', () => {
    const bus = new Bus(clock);
    const seen: string[] = [];
    const first = bus.as('first');
    first.on('runtime.health', ({ payload }) => {
      seen.push(`first ${payload.message}`);
      if (payload.message === 'a') first.publish('runtime.health', health('b'));
    });
    bus.as('second').on('runtime.health', ({ payload }) => seen.push(`second ${payload.message}`));
    bus.as('root').publish('runtime.health', health('a'));
    expect(seen).toEqual(['first a', 'second a', 'first b', 'second b']);
  });

  it('given a keeper, when messages pass, then it has each before its listeners and by the chunk, notes in between, and nothing once it is off', () => {
    const bus = new Bus(clock);
    const taken: (number | string)[][] = [];
    const kept = bus.keep<{ readonly note: string }>({ take: (chunk) => void taken.push(chunk.map((one) => ('note' in one ? one.note : one.seq))) });
    bus.as('listener').on('runtime.health', ({ seq }) => kept.add({ note: `heard ${seq}` }));
    for (let index = 0; index < 100; index += 1) bus.as('root').publish('runtime.health', health(`${index}`));
    expect(taken.map(({ length }) => length)).toEqual([128]);
    kept.handOver();
    expect(taken.flat().slice(0, 4)).toEqual([1, 'heard 1', 2, 'heard 2']);
    expect(taken.flat()).toHaveLength(200);
    kept.off();
    bus.as('root').publish('runtime.health', health('last'));
    kept.handOver();
    expect(taken).toHaveLength(2 + 1);
  });

  it('given a keeper, when one message leads to hundreds, then they come in order and in chunks, also those asked for in the middle of a delivery', () => {
    const bus = new Bus(clock);
    const taken: number[][] = [];
    const kept = bus.keep<never>({ take: (chunk) => void taken.push(chunk.map(({ seq }) => seq)) });
    const port = bus.as('root');
    port.on('runtime.event', ({ seq }) => {
      if (seq === 1) for (let index = 0; index < 300; index += 1) port.publish('runtime.health', health(''));
    });
    // The message in delivery is among those that are handed over, those behind it are not.
    port.on('runtime.health', ({ seq }) => { if (seq === 51) kept.handOver(); });
    port.publish('runtime.event', { kind: 'exited', id: 'c1' });
    kept.handOver();
    expect(taken.map(({ length }) => length)).toEqual([51, 128, 122]);
    expect(taken.flat()).toEqual(Array.from({ length: 301 }, (_, index) => index + 1));
    expect(bus.statistics()).toMatchObject({ published: 301, queued: 0 });
  });

  it('given a keeper that throws, when a chunk is full, then that is told and messages go on', () => {
    const bus = new Bus(clock);
    const failed: string[] = [];
    let delivered = 0;
    bus.as('log').on('actor.failed', ({ payload }) => failed.push(payload.action));
    bus.as('listener').on('runtime.health', () => void (delivered += 1));
    bus.keep({ take: () => { throw new Error('broken'); } });
    for (let index = 0; index < 300; index += 1) bus.as('root').publish('runtime.health', health(`${index}`));
    expect({ failed, delivered }).toEqual({ failed: ['messages are not kept any more'], delivered: 300 });
  });

  it('given keyed listeners, when a keyed message is published, then only that key and the keyless hear it', () => {
    const bus = new Bus(clock);
    const seen: string[] = [];
    bus.as('one').on('runtime.event', () => seen.push('one'), 'c1');
    bus.as('two').on('runtime.event', () => seen.push('two'), 'c2');
    bus.as('all').on('runtime.event', () => seen.push('all'));
    bus.as('root').publish('runtime.event', { kind: 'exited', id: 'c1' }, { key: 'c1' });
    expect(seen).toEqual(['one', 'all']);
  });

  it('given a chain of messages, when each is published by a handler of the former, then causes lead back to the first', () => {
    const bus = new Bus(clock);
    const causes: [string, number, number][] = [];
    bus.tap(({ topic, seq, cause }) => causes.push([topic, seq, cause]));
    bus.as('pod').on('runtime.event', () => bus.as('pod').publish('pod.transitioned', { pod, from: 'a', to: 'b', on: 'x' }));
    bus.as('root').publish('runtime.event', { kind: 'exited', id: 'c1' });
    expect(causes).toEqual([
      ['runtime.event', 1, 0],
      ['pod.transitioned', 2, 1],
    ]);
  });

  it('given a listener that throws, when a message is delivered, then the others hear it and the fault is a message', () => {
    const bus = new Bus(clock);
    const seen: string[] = [];
    bus.as('broken').on('runtime.health', () => {
      throw new Error('planted');
    });
    bus.as('whole').on('runtime.health', () => seen.push('whole'));
    bus.as('log').on('actor.failed', ({ payload }) => seen.push(`${payload.actor}: ${payload.message.split('\n')[0]}`));
    bus.as('root').publish('runtime.health', health('a'));
    expect(seen).toEqual(['whole', 'broken: Error: planted']);
  });

  it('given a listener of failures that fails itself, when something fails, then delivery ends', () => {
    const bus = new Bus(clock);
    bus.as('log').on('actor.failed', () => {
      throw new Error('again');
    });
    bus.as('root').publish('actor.failed', { actor: 'x', message: 'y', action: 'z' });
    expect(bus.statistics()).toMatchObject({ published: 1, failures: 1, queued: 0 });
  });

  it('given a listener that has left, when a message is published, then it is not called', () => {
    const bus = new Bus(clock);
    const seen: string[] = [];
    const listening = bus.as('gone').on('runtime.event', () => seen.push('gone'), 'c1');
    listening.off();
    bus.as('root').publish('runtime.event', { kind: 'exited', id: 'c1' }, { key: 'c1' });
    expect(seen).toEqual([]);
  });

  it('given a listening ended twice, when another has taken its key meanwhile, then that one goes on', () => {
    const bus = new Bus(clock);
    const port = bus.as('test');
    const heard: string[] = [];
    const first = port.on('runtime.event', () => heard.push('first'), 'c1');
    first.off();
    port.on('runtime.event', () => heard.push('second'), 'c1');
    first.off();
    port.publish('runtime.event', { kind: 'exited', id: 'c1' }, { key: 'c1' });
    expect(heard).toEqual(['second']);
  });
});
