// Streams of a node and a cloud side over a broker that loses, repeats and breaks, on virtual time.
import { afterEach, describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { silenceMsMax } from '../../../src/bus/streams/stream-mux.ts';
import type { MqttPort } from '../../../src/ports/mqtt-port.ts';
import { during, hear, type Heard, startStreamWorld, streamNode, type StreamWorld } from '../../support/stream-world.ts';

let world: StreamWorld | undefined;
afterEach(() => world?.stop());

function counted(bytes: number): Buffer {
  const all = Buffer.alloc(bytes);
  for (let index = 0; index < bytes; index += 1) all[index] = index % 251;
  return all;
}

/** What was heard is the beginning of what was said; all of it where the stream ended well. */
function expectIntact(heard: Heard, said: Buffer): void {
  expect(heard.bytes.equals(said.subarray(0, heard.bytes.length))).toBe(true);
  if (heard.fault === undefined) expect(heard.bytes.length).toBe(said.length);
}

describe('streams between node and cloud side', () => {
  it('given a command, when it ends, then its output and its exit code come', async () => {
    world = await startStreamWorld();
    expect(await during(world.clock, hear(await world.exec(['yes', '300000'])))).toEqual({ bytes: counted(300_000), exitCode: 0, fault: undefined });
    expect(await during(world.clock, hear(await world.exec(['exit', '3'])))).toMatchObject({ exitCode: 3 });
  });

  it('given input, when it ends, then the command hears of it', async () => {
    world = await startStreamWorld();
    const stream = await world.exec(['wc', '-c'], { stdin: true });
    const heard = hear(stream);
    for (let each = 0; each < 10; each += 1) await during(world.clock, stream.write('stdin', counted(20_000)));
    stream.finish('stdin');
    expect((await during(world.clock, heard)).bytes.toString()).toBe('200000\n');
  });

  it('given what the node refuses, when it is asked for, then its words come back', async () => {
    world = await startStreamWorld();
    await expect(world.exec(['cat'], { container: 'no' })).rejects.toThrow('500: container not found ("no")');
    await expect(world.exec(['cat'], { pod: 'no' })).rejects.toThrow('404: pod "no" does not exist');
  });

  it('given a node that is not there, when a stream is asked for, then that is said after a while', async () => {
    world = await startStreamWorld();
    const opened = await during(world.clock, world.cloud.open('edge-99', { kind: 'facts', what: 'pods' }));
    expect(opened).toMatchObject({ ok: false, fault: { code: 504 } });
  });

  it('given more streams than a node serves, when one more is asked for, then it is refused', async () => {
    world = await startStreamWorld();
    for (let each = 0; each < 32; each += 1) await world.exec(['sink'], { stdin: true });
    await expect(world.exec(['sink'], { stdin: true })).rejects.toThrow('429');
  });

  it('given a reader who stops, when others read, then they are served as if he were not there', async () => {
    world = await startStreamWorld();
    const stalled = await world.exec(['yes', '1000000']);
    await world.clock.advance(5_000);
    const others = await Promise.all([1, 2, 3].map(() => world?.exec(['yes', '500000'])));
    const startMs = world.clock.monotonicMs();
    for (const other of others) if (other !== undefined) expectIntact(await during(world.clock, hear(other)), counted(500_000));
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(2_000);
    expectIntact(await during(world.clock, hear(stalled)), counted(1_000_000));
  });

  it('given whoever asked goes, when the node hears of it, then what ran is ended', async () => {
    world = await startStreamWorld();
    const stream = await world.exec(['sink'], { stdin: true });
    expect(world.pipes.open.size).toBe(1);
    stream.close();
    await world.clock.advance(1_000);
    expect(world.pipes.open.size).toBe(0);
  });

  it('given a cloud side that is gone for good, when the silence is long enough, then the node ends what ran', async () => {
    world = await startStreamWorld();
    await world.exec(['sink'], { stdin: true });
    await world.clock.advance(silenceMsMax);
    expect(world.pipes.open.size).toBe(1);
    world.broker.refusedFilters.add('fleet/v1/up/+/stream/none');
    await world.cloudGate.disconnect();
    await world.clock.advance(2 * silenceMsMax);
    expect(world.pipes.open.size).toBe(0);
  });

  it('given streams that rest, when an hour passes, then they are still open', async () => {
    world = await startStreamWorld();
    const stream = await world.exec(['cat'], { stdin: true });
    await world.clock.advance(3_600_000);
    await during(world.clock, stream.write('stdin', Buffer.from('still here')));
    expect(await during(world.clock, stream.read())).toMatchObject({ kind: 'data', bytes: Buffer.from('still here') });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('given links cut at random points (seed %i), when streams go on, then each ends whole, or says that it did not', async (seed) => {
    world = await startStreamWorld({ seed });
    const { broker, clock, random } = world;
    broker.faults = { ...broker.faults, latencyMs: [5, 40] };
    const said = counted(2_000_000);
    const all = (await Promise.all([1, 2].map(() => world?.exec(['yes', String(said.length)])))).flatMap((stream) => stream ?? []).map(hear);
    for (let cut = 0; cut < 13; cut += 1) {
      await clock.advance(200 + random.fraction() * 3_000);
      broker.cut(random.fraction() < 0.5 ? streamNode : 'cloud');
    }
    for (const heard of all) expectIntact(await during(clock, heard), said);
    await clock.advance(2 * silenceMsMax);
    expect(world.pipes.open.size).toBe(0);
  });

  it.each([1, 2, 3])('given a broker that loses and repeats packets (seed %i), when streams go on, then they arrive whole', async (seed) => {
    world = await startStreamWorld({ seed });
    const stream = await world.exec(['cat'], { stdin: true });
    world.broker.faults = { ...world.broker.faults, loseUp: 0.05, loseDown: 0.05, duplicate: 0.1, latencyMs: [5, 20], reorder: true };
    const heard = hear(stream);
    const said = counted(300_000);
    for (let at = 0; at < said.length; at += 10_000) await during(world.clock, stream.write('stdin', said.subarray(at, at + 10_000)));
    world.broker.faults = { ...world.broker.faults, loseUp: 0, loseDown: 0 };
    stream.finish('stdin');
    expectIntact(await during(world.clock, heard), said);
  });
});

/** An uplink of so many bytes a second, in order, with all the buffers a system likes to have: what is written is taken at once. */
function narrow(port: MqttPort, clock: VirtualClock, bytesPerSecond: number): MqttPort {
  let freeAtMs = 0;
  return {
    connect: (handlers, opening) => port.connect(handlers, opening),
    subscribe: (filter, qos) => port.subscribe(filter, qos),
    disconnect: () => port.disconnect(),
    publish: (packet) => {
      freeAtMs = Math.max(freeAtMs, clock.monotonicMs()) + (1_000 * (packet.payload.length + 40)) / bytesPerSecond;
      const passed = new Promise<void>((resolve) => void clock.setTimeout(resolve, freeAtMs - clock.monotonicMs()));
      const published = passed.then(() => port.publish(packet));
      return packet.qos === 0 ? Promise.resolve({ ok: true, value: undefined }) : published;
    },
  };
}

describe('a storm of logs', () => {
  it.each([
    { link: '64 KiB/s', bytesPerSecond: 65_536, laterMsMax: 350 },
    { link: '256 KiB/s', bytesPerSecond: 262_144, laterMsMax: 250 },
    { link: '4 MiB/s', bytesPerSecond: 4_194_304, laterMsMax: 150 },
  ])('given an uplink of $link full of it, when statuses are written, then hardly one is later for it', async ({ bytesPerSecond, laterMsMax }) => {
    world = await startStreamWorld({ nodePort: (port, clock) => narrow(port, clock, bytesPerSecond) });
    const { clock, nodeGate } = world;
    world.broker.faults = { ...world.broker.faults, latencyMs: [20, 30] };
    const status = { topic: `fleet/v1/up/${streamNode}/api`, payload: new Uint8Array(400), qos: 1, retain: false } as const;
    const tookMs = async (): Promise<number> => {
      const startMs = clock.monotonicMs();
      await during(clock, nodeGate.publish(status));
      return clock.monotonicMs() - startMs;
    };
    const quietMs = await tookMs();
    const storms = (await Promise.all([1, 2, 3, 4].map(() => world?.exec(['yes', '1000000000'])))).flatMap((stream) => stream ?? []);
    let bytes = 0;
    for (const storm of storms) void (async () => {
      for (let event = await storm.read(); event.kind !== 'ended'; event = await storm.read()) if (event.kind === 'data') bytes += event.bytes.length;
    })();
    await clock.advance(5_000);
    const [before, startMs] = [bytes, clock.monotonicMs()];
    const laterMs: number[] = [];
    for (let each = 0; each < 30; each += 1) {
      laterMs.push((await tookMs()) - quietMs);
      await clock.advance(300);
    }
    expect(Math.max(...laterMs)).toBeLessThanOrEqual(laterMsMax);
    // And the link is used all the same.
    expect((bytes - before) / ((clock.monotonicMs() - startMs) / 1_000)).toBeGreaterThan(Math.min(bytesPerSecond, 1_000_000) * 0.5);
    for (const storm of storms) storm.close();
  });
});
