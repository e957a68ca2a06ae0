// Streams over a real broker, and what becomes of them when the links to it are cut, a hundred times.
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.ts';
import { execRequest, hear, startStreamEnds, streamNode } from '../support/stream-world.ts';

const cuts = 100;
const bytes = 300_000;
/** Three commands at once are whole, more or less, between two cuts: counted in bytes, so that a slow machine is cut as often as a fast one. */
const bytesBetweenMax = 6 * bytes;
/** Where nothing passes at all. */
const betweenMsMax = 3_000;
const wait = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** A way to the broker that can be cut. */
interface Way extends Stoppable {
  readonly port: number;
  cut(): void;
  /** Resolves when so many bytes have come from the broker, or the time is over. */
  passed(count: number, limitMs: number): Promise<void>;
}

async function cuttable(to: number): Promise<Way> {
  const sockets = new Set<net.Socket>();
  let left = 0;
  let enough: () => void = () => undefined;
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.on('data', ({ length }) => {
      left -= length;
      if (left <= 0) enough();
    });
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port, // A server on a port has one.
    cut,
    passed: (count, limitMs) => new Promise((resolve) => {
      left = count;
      const timer = setTimeout(resolve, limitMs);
      enough = () => {
        clearTimeout(timer);
        resolve();
      };
    }),
    stop: () => new Promise((resolve) => {
      server.close(() => resolve());
      cut();
    }),
  };
}

describe.skipIf(!hasMosquitto())('streams on mosquitto', () => {
  const parts: Stoppable[] = [];
  afterEach(async () => {
    for (const part of parts.splice(0).reverse()) await part.stop();
  });

  it('given links that are cut a hundred times, when commands run meanwhile, then each stream ends, whole or with its reason', async () => {
    const broker = await startMosquitto(() => ['allow_anonymous true']);
    const [nodeWay, cloudWay] = [await cuttable(broker.port), await cuttable(broker.port)];
    const random = new SeededRandom('cuts');
    const client = (clientId: string, port: number): MqttPort => mqttClient({ host: '127.0.0.1', port, clientId, protocols: ['MQTT 5'], keepAliveMs: 30_000 });
    const ends = startStreamEnds({ clock: new SystemClock(), random, nodePort: client(streamNode, nodeWay.port), cloudPort: client('cloud', cloudWay.port), reconnectMs: 20 });
    parts.push(broker, nodeWay, cloudWay, ends);
    let isOver = false;
    const counts = { whole: 0, broken: 0, refused: 0 };
    const worker = async (): Promise<void> => {
      while (!isOver) {
        const opened = await ends.cloud.open(streamNode, execRequest(['yes', String(bytes)]));
        if (!opened.ok) {
          counts.refused += 1;
          await wait(20);
          continue;
        }
        expectCounted(await hear(opened.value), counts);
      }
    };
    const workers = [1, 2, 3].map(worker);
    for (let cut = 0; cut < cuts; cut += 1) {
      await cloudWay.passed(random.fraction() * bytesBetweenMax, betweenMsMax);
      (random.fraction() < 0.5 ? nodeWay : cloudWay).cut();
    }
    isOver = true;
    await Promise.all(workers);
    expect(counts.whole).toBeGreaterThan(10);
    expect(ends.pipes.open.size).toBe(0);
  }, 60_000);
});

function expectCounted(heard: Awaited<ReturnType<typeof hear>>, counts: { whole: number; broken: number }): void {
  for (let index = 0; index < heard.bytes.length; index += 1) if (heard.bytes[index] !== index % 251) throw new Error(`byte ${index} is another`);
  if (heard.fault === undefined) {
    expect(heard.bytes.length).toBe(bytes);
    counts.whole += 1;
  } else counts.broken += 1;
}
