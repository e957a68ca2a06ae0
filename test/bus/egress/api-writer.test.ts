// The API writer on a bus: what is sent when, and what the writers are told.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiWrite } from '../../../src/bus/api-write.ts';
import { ackTimeoutMs, inFlightMax } from '../../../src/bus/egress/api-writer.ts';
import { spreadMs } from '../../../src/bus/egress/event-flow.ts';
import { eventsMax } from '../../../src/bus/egress/write-queue.ts';
import { fail, ok } from '../../../src/ports/result.ts';
import { WireWorld } from '../../support/wire-world.ts';

const pod = { writer: 'status-reporter', kind: 'Pod', namespace: 'shop' } as const;
const patch = (id: string, name = 'web-0'): ApiWrite => ({ ...pod, id, name, lane: `pod/${name}`, verb: 'patchStatus', patch: { status: { phase: id } } });
const event = (id: string): ApiWrite => ({ id, lane: `event/${id}`, writer: 'events', kind: 'Event', namespace: 'shop', name: id, verb: 'create', object: { metadata: { name: id, namespace: 'shop' }, involvedObject: {} } });
const accepted = { kind: 'accepted', object: { metadata: { name: 'web-0' }, status: {} } } as const;

describe('the API writer', () => {
  let world: WireWorld;
  const sentIds = (): string[] => world.sent.filter(({ objectType }) => objectType !== 'start').map(({ identity }) => identity);
  beforeEach(() => {
    world = new WireWorld();
  });
  afterEach(async () => {
    await world.stop();
    expect(world.clock.pendingTimers()).toEqual([]);
    expect(world.payloads('actor.failed')).toEqual([]);
  });

  it('given the link is down, when writes come, then they wait, newest of each lane, and are sent when it is up', async () => {
    world.write(patch('1'));
    world.write(patch('2'));
    world.write(patch('3', 'web-1'));
    expect(sentIds()).toEqual([]);
    expect(world.outcomes()).toEqual([{ id: '1', outcome: { kind: 'superseded' } }]);
    world.link('up');
    await world.clock.settle();
    expect(sentIds()).toEqual(['2', '3']);
  });

  it('given a write, when the answer comes, then its writer has the object, and the next of the lane is sent', async () => {
    world.link('up');
    world.write(patch('1'));
    world.write(patch('2'));
    await world.clock.settle();
    expect(sentIds()).toEqual(['1']);
    world.answer('1', accepted);
    expect(world.outcomes()).toEqual([{ id: '1', outcome: accepted }]);
    expect(sentIds()).toEqual(['1', '2']);
    expect(world.log.find(({ topic }) => topic === 'api.settled')?.key).toBe('status-reporter');
  });

  it('given a write, when it is settled, then the cause of the outcome is the write', () => {
    world.link('up');
    world.write(patch('1'));
    world.answer('1', accepted);
    const asked = world.log.find(({ topic }) => topic === 'api.write');
    expect(world.log.find(({ topic }) => topic === 'api.settled')?.cause).toBe(asked?.seq);
  });

  it('given an answer before the PUBACK, when both have come, then the write is settled once', async () => {
    world.link('up');
    let acknowledge: () => void = () => undefined;
    world.publishResult = () => new Promise((resolve) => { acknowledge = () => resolve(ok()); });
    world.write(patch('1'));
    world.answer('1', accepted);
    acknowledge();
    await world.clock.settle();
    expect(world.outcomes()).toEqual([{ id: '1', outcome: accepted }]);
  });

  it('given a dialect without words for a kind, when such a write comes, then it is refused and nothing is sent', async () => {
    world.link('up');
    world.write({ id: 't', lane: 'token/1', writer: 'token-manager', verb: 'create', kind: 'TokenRequest', namespace: 'shop', name: 'default', object: { spec: { audiences: [] } } });
    await world.clock.settle();
    expect(sentIds()).toEqual([]);
    expect(world.outcomes()).toMatchObject([{ id: 't', outcome: { kind: 'refused', status: { reason: 'NotImplemented', message: 'the lite dialect carries no TokenRequest' } } }]);
  });

  it('given a refusal by the API, when it comes, then its status is the outcome', () => {
    world.link('up');
    world.write(patch('1'));
    world.answer('1', { kind: 'refused', status: { reason: 'Conflict', code: 409 } });
    expect(world.outcomes()).toEqual([{ id: '1', outcome: { kind: 'refused', status: { reason: 'Conflict', code: 409 } } }]);
  });

  it('given answers nobody waits for, when they come, then nothing happens', () => {
    world.link('up');
    world.answer('nobody', accepted);
    world.write(patch('1'));
    world.answer('1', accepted);
    world.answer('1', accepted);
    expect(world.outcomes()).toHaveLength(1);
    expect(world.refusals()).toEqual([]);
  });

  it('given no answer, when the time is over, then the write is unanswered, and a late answer is dropped', async () => {
    world.link('up');
    world.write(patch('1'));
    world.write(patch('2'));
    await world.clock.advance(ackTimeoutMs);
    expect(world.outcomes()).toEqual([{ id: '1', outcome: { kind: 'unanswered', message: 'no answer in 10 s' } }]);
    world.answer('1', accepted);
    expect(world.outcomes()).toHaveLength(1);
    expect(sentIds()).toEqual(['1', '2']);
    world.answer('2', accepted);
  });

  it('given an object in the answer that is no pod, when it comes, then one line says so and the outcome is unanswered', () => {
    world.link('up');
    world.write(patch('1'));
    world.answer('1', { kind: 'accepted', object: { metadata: { uid: 7 } } });
    expect(world.refusals()).toEqual(['fleet/ctl/edge-07: ack_data.object.metadata.uid: must be a string, not a number']);
    expect(world.outcomes()).toMatchObject([{ id: '1', outcome: { kind: 'unanswered' } }]);
  });

  it('given writes in flight, when the link breaks and comes back, then they are sent again under the same identity', async () => {
    world.link('up');
    world.write(patch('1'));
    world.write(patch('2', 'web-1'));
    world.link('backingOff');
    await world.clock.advance(120_000);
    expect(world.outcomes()).toEqual([]);
    world.link('connecting');
    world.link('up');
    expect(sentIds()).toEqual(['1', '2', '1', '2']);
    world.answer('1', accepted);
    world.answer('2', accepted);
    expect(world.outcomes().map(({ id }) => id)).toEqual(['1', '2']);
  });

  it('given a write in flight and a newer one, when the link breaks, then only the newer one is sent again', () => {
    world.link('up');
    world.write(patch('1'));
    world.write(patch('2'));
    world.link('backingOff');
    world.link('up');
    expect(sentIds()).toEqual(['1', '2']);
    expect(world.outcomes()).toMatchObject([{ id: '1', outcome: { kind: 'unanswered' } }]);
    world.answer('2', accepted);
  });

  it('given a publish that fails because the link broke, when the link actor says so, then nothing is settled', async () => {
    world.link('up');
    let breakLink: () => void = () => undefined;
    world.publishResult = () => new Promise((resolve) => { breakLink = () => resolve(fail({ kind: 'unreachable', message: 'gone' })); });
    world.write(patch('1'));
    breakLink();
    world.link('backingOff');
    await world.clock.settle();
    expect(world.outcomes()).toEqual([]);
    world.publishResult = () => Promise.resolve(ok());
    world.link('up');
    world.answer('1', accepted);
    expect(world.outcomes()).toHaveLength(1);
  });

  it('given a broker that refuses the packet, when it is sent, then the outcome is unanswered, and the refusal is told once', async () => {
    world.link('up');
    await world.clock.settle();
    world.publishResult = () => Promise.resolve(fail({ kind: 'refused', message: 'the broker refuses the packet (0x87)', reasonCode: 0x87 }));
    world.write(patch('1'));
    world.write(patch('2', 'web-1'));
    await world.clock.settle();
    expect(world.outcomes()).toMatchObject([{ id: '1', outcome: { kind: 'unanswered' } }, { id: '2', outcome: { kind: 'unanswered' } }]);
    expect(world.payloads('mqtt.refused')).toMatchObject([{ what: 'publish fleet/data', fault: { reasonCode: 0x87 } }]);
  });

  it('given events, when they are published, then the PUBACK settles them and nothing is waited for', async () => {
    world.link('up');
    world.write(event('1'));
    await world.clock.settle();
    expect(world.outcomes()).toEqual([{ id: '1', outcome: { kind: 'accepted' } }]);
  });

  it('given many lanes, when they all write, then so many are in flight and the rest follows', async () => {
    world.link('up');
    for (let index = 0; index < inFlightMax + 10; index += 1) world.write(patch(String(index), `web-${index}`));
    await world.clock.settle();
    expect(world.writer.statistics()).toMatchObject({ inFlight: inFlightMax, waiting: 10 });
    for (let index = 0; index < inFlightMax + 10; index += 1) world.answer(String(index), accepted);
    expect(world.outcomes()).toHaveLength(inFlightMax + 10);
    expect(world.writer.statistics()).toMatchObject({ inFlight: 0, waiting: 0, accepted: inFlightMax + 10 });
  });

  it('given a long outage, when more events come than are kept, then the oldest are dropped and counted, and statuses go first after it', async () => {
    for (let index = 0; index < eventsMax + 5; index += 1) world.write(event(String(index)));
    world.write(patch('status'));
    expect(world.writer.statistics()).toMatchObject({ dropped: 5, waiting: eventsMax + 1 });
    expect(world.outcomes().map(({ id }) => id)).toEqual(['0', '1', '2', '3', '4']);
    world.link('up');
    expect(sentIds()[0]).toBe('status');
    await world.clock.advance(spreadMs);
    expect(sentIds()).toHaveLength(eventsMax + 1);
    world.answer('status', accepted);
  });

  it('given writes under way, when one waits for the end of them, then it comes with the last answer or the limit', async () => {
    world.link('up');
    world.write(patch('1'));
    let drained = 0;
    void world.writer.drained(5_000).then(() => { drained += 1; });
    await world.clock.advance(1_000);
    expect(drained).toBe(0);
    world.answer('1', accepted);
    await world.clock.settle();
    expect(drained).toBe(1);
    world.write(patch('2'));
    void world.writer.drained(5_000).then(() => { drained += 1; });
    await world.clock.advance(5_000);
    expect(drained).toBe(2);
    world.answer('2', accepted);
  });
});
