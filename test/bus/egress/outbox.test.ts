// The outbox: what of the events reaches the disk, when, and that the next life delivers it.
import { beforeEach, describe, expect, it } from 'vitest';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import type { ApiWrite } from '../../../src/bus/api-write.ts';
import { ageMsMax, batchMs, lingerMs, outboxBytesMax } from '../../../src/bus/egress/outbox.ts';
import { eventsInFlightMax, repeatMs, spreadMs } from '../../../src/bus/egress/event-flow.ts';
import { fail, ok } from '../../../src/ports/result.ts';
import { outboxDirectory, WireWorld } from '../../support/wire-world.ts';

const journal = `${outboxDirectory}/events.journal`;
const common = (name: string) => ({ writer: 'events', kind: 'Event', namespace: 'shop', name, lane: `event/shop/${name}` }) as const;
const object = (name: string, count = 1, text = 'x') => ({ metadata: { name, namespace: 'shop' }, involvedObject: {}, message: text, count, lastTimestamp: `t${count}` });
const create = (id: string, name = id, text = 'x'): ApiWrite => ({ ...common(name), id, verb: 'create', object: object(name, 1, text) });
const patch = (id: string, name: string, count: number): ApiWrite => ({ ...common(name), id, verb: 'patch', object: object(name, count), patch: { count, lastTimestamp: `t${count}` } });

describe('the outbox', () => {
  let clock: VirtualClock;
  let files: SimFiles;
  let written: { bytes: number; calls: number };
  const life = async (): Promise<WireWorld> => {
    const counted = new Proxy(files, { get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (name === 'append' || name === 'writeAtomic') {
          written.calls += 1;
          written.bytes += String(args[1]).length;
        }
        return member.apply(target, args) as unknown;
      };
    } });
    const world = new WireWorld({ clock, files: counted });
    await clock.settle();
    return world;
  };
  const events = (world: WireWorld) => world.sent.filter(({ objectType }) => objectType === 'event').map(({ identity }) => identity);
  const text = (): string | undefined => {
    const file = files.peek(journal);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  };
  beforeEach(() => {
    clock = new VirtualClock();
    files = new SimFiles({ clock });
    files.putDirectory('/var/lib/mqlet');
    written = { bytes: 0, calls: 0 };
  });

  it('given a link that is up, when events are accepted at once, then nothing touches the disk', async () => {
    const world = await life();
    world.link('up');
    for (let index = 0; index < 50; index += 1) {
      world.write(create(`e${index}`));
      await clock.advance(200);
    }
    await clock.advance(60_000);
    expect(events(world)).toHaveLength(50);
    expect([written, text()]).toEqual([{ bytes: 0, calls: 0 }, undefined]);
    await world.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given a cloud that does not listen yet, when events come, then they wait until it has listed its pods, after each connect', async () => {
    const world = await life();
    for (const round of ['a', 'b']) {
      world.link('up', { cloud: 'silent' });
      world.write(create(round));
      await clock.advance(600_000);
      expect(events(world)).not.toContain(round);
      world.cloudLists();
      await clock.advance(1);
      expect(events(world)).toContain(round);
      world.link('backingOff');
    }
    await world.stop();
  });

  it('given no link, when events come, then they are written together after a moment, for root alone, and not again', async () => {
    const world = await life();
    for (const id of ['a', 'b', 'c']) world.write(create(id));
    await clock.advance(lingerMs - 1);
    expect(text()).toBeUndefined();
    await clock.advance(1);
    expect(text()?.split('\n')).toHaveLength(4);
    expect([files.peek(journal)?.mode, files.modeOfDirectory(outboxDirectory)]).toEqual([0o600, 0o700]);
    await clock.advance(3_600_000);
    expect(written.calls).toBe(1);
    await world.stop();
  });

  it('given one event that counts on for an hour, when it is written, then only what changed is', async () => {
    const world = await life();
    world.write(create('a', 'a', 'y'.repeat(1_000)));
    for (let count = 2; count <= 13; count += 1) {
      await clock.advance(300_000);
      world.write(patch(`p${count}`, 'a', count));
    }
    await clock.advance(batchMs);
    expect(written.calls).toBe(13);
    expect(written.bytes).toBeLessThan(1_300 + 12 * 110);
    await world.stop();
    const next = await life();
    next.link('up');
    await clock.advance(1);
    expect(next.sent.find(({ objectType }) => objectType === 'event')).toMatchObject({ identity: 'p13', object: { count: 13, lastTimestamp: 't13', message: 'y'.repeat(1_000) } });
    expect(events(next)).toEqual(['p13']);
    await next.stop();
  });

  it('given events that waited, when the power goes, then the next life delivers them once, in order, under their identities, before its own', async () => {
    const first = await life();
    for (const id of ['a', 'b', 'c']) first.write(create(id));
    await clock.advance(lingerMs);
    files.losePower(new SeededRandom(1));
    const second = new WireWorld({ clock, files });
    second.write(create('new'));
    second.link('up');
    await clock.advance(batchMs + lingerMs);
    expect(events(second)).toEqual(['a', 'b', 'c', 'new']);
    expect(text()).toBeUndefined();
    await second.stop();
    const third = await life();
    third.link('up');
    await clock.advance(60_000);
    expect(events(third)).toEqual([]);
    await third.stop();
  });

  it('given an event under way, when the daemon stops, then it is on disk and comes again under its identity', async () => {
    const first = await life();
    first.link('up');
    first.publishResult = () => new Promise(() => undefined);
    first.write(create('a'));
    await clock.settle();
    expect(events(first)).toEqual(['a']);
    const stopped = first.stop();
    await clock.settle();
    await stopped;
    const second = await life();
    second.link('up');
    await clock.advance(1);
    expect(events(second)).toEqual(['a']);
    await second.stop();
  });

  it('given a creation under way, when the link breaks and it counts on, then creation and patch are both sent, in order', async () => {
    const world = await life();
    world.link('up');
    world.publishResult = () => Promise.resolve(fail({ kind: 'unreachable', message: 'gone' }));
    world.publishResult = () => new Promise(() => undefined);
    world.write(create('a', 'a'));
    world.write(patch('p2', 'a', 2));
    world.link('backingOff');
    world.write(patch('p3', 'a', 3));
    world.publishResult = () => Promise.resolve(ok());
    world.link('up');
    await clock.settle();
    expect(events(world)).toEqual(['a', 'a', 'p3']);
    await world.stop();
  });

  it('given no PUBACK, when a while has passed, then the event is sent again, and given up in the end', async () => {
    const world = await life();
    world.link('up');
    world.publishResult = () => Promise.resolve(fail({ kind: 'timeout', message: 'no PUBACK', afterMs: 10_000 }));
    world.write(create('a'));
    await clock.advance(repeatMs * 10);
    expect(events(world)).toEqual(['a', 'a', 'a', 'a', 'a']);
    expect(world.outcomes()).toEqual([{ id: 'a', outcome: { kind: 'unanswered', message: 'no PUBACK' } }]);
    await world.stop();
  });

  it('given a long outage, when the link is up again, then events leave after a random moment, a few at a time', async () => {
    const starts = new Set<number>();
    for (let index = 0; index < 5; index += 1) {
      const world = new WireWorld({ clock, files });
      await clock.settle();
      for (let count = 0; count <= index * 7 + 20; count += 1) world.write(create(`e${index}-${count}`));
      world.publishResult = () => new Promise(() => undefined);
      world.link('up');
      const fromMs = clock.monotonicMs();
      while (events(world).length === 0 && clock.monotonicMs() - fromMs <= spreadMs) await clock.advance(10);
      starts.add(clock.monotonicMs() - fromMs);
      expect(events(world)).toHaveLength(eventsInFlightMax);
      world.link('backingOff');
      const stopped = world.stop();
      await clock.settle();
      await stopped;
      files.take(outboxDirectory);
    }
    expect(Math.max(...starts)).toBeLessThanOrEqual(spreadMs);
  });

  it('given events of a day ago and of a clock that was wrong, when the link is up, then only the old ones are dropped, and it is told', async () => {
    const world = await life();
    world.write(create('old'));
    await clock.advance(lingerMs + batchMs);
    await clock.advance(ageMsMax);
    world.write(create('young'));
    await clock.advance(lingerMs + batchMs);
    world.link('up');
    await clock.settle();
    expect(events(world)).toEqual(['young']);
    expect(world.payloads('event.noted')).toEqual([expect.objectContaining({ reason: 'EventsDropped', message: expect.stringMatching(/^1 events were dropped/) })]);
    world.link('backingOff');
    world.write(create('before-ntp'));
    await clock.advance(lingerMs + batchMs);
    clock.jumpWall(50 * 365 * 86_400_000);
    world.link('up');
    await clock.settle();
    expect(events(world)).toEqual(['young', 'before-ntp']);
    await world.stop();
  });

  it('given more than the disk is to hold, when it is written, then the oldest leave', async () => {
    const world = await life();
    const large = 'z'.repeat(3_000);
    const wanted = Math.floor(outboxBytesMax / 3_000) + 40;
    for (let index = 0; index < wanted; index += 1) world.write(create(`e${index}`, `e${index}`, large));
    await clock.advance(lingerMs + 2 * batchMs);
    const { waiting, dropped } = world.writer.statistics();
    expect(waiting + dropped).toBe(wanted);
    expect(dropped).toBeGreaterThan(20);
    await world.stop();
    expect((files.peek(journal)?.bytes.length ?? 0)).toBeLessThan(3 * outboxBytesMax);
    const next = await life();
    expect(next.writer.statistics().waiting).toBe(waiting);
    next.link('up');
    expect(next.payloads('event.noted')).toEqual([expect.objectContaining({ message: expect.stringMatching(new RegExp(`^${dropped} events`)) })]);
    await next.stop();
  });

  it('given a full disk, when it has room again, then what waits is written; trouble is told once', async () => {
    const world = await life();
    files.faults.noSpace = true;
    for (let index = 0; index < 5; index += 1) {
      world.write(create(`e${index}`));
      await clock.advance(10_000);
    }
    files.faults.noSpace = false;
    await clock.advance(30_000);
    expect(text()?.split('\n')).toHaveLength(6);
    expect(world.payloads('storage.health').map(({ area, trouble }) => [area, trouble?.reason])).toEqual([['outbox', 'DiskFull'], ['outbox', undefined]]);
    await world.stop();
  });
});
