// The real MqttPort on a real broker: the contract over both protocols, TLS with certificates made for the test, refusals, limits.
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mqttClient, type MqttClientOptions } from '../../src/adapters/mqtt-client.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import { mqttContract } from '../ports/mqtt-contract.ts';
import { freePort, hasMosquitto, makeCertificates, startMosquitto, type TestBroker } from '../support/mosquitto.ts';

const wait = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
const deaf = { message: () => undefined, closed: () => undefined };
const mosquittoMissing = !hasMosquitto();
if (mosquittoMissing) console.warn('skipped: tests of the MQTT client need mosquitto (apt-get install mosquitto)');

/** A TCP relay, so that a test can break one connection as a network would. */
interface Relay {
  readonly port: number;
  cut(): void;
  /** Swallows everything from now on and tells nobody; connections made later pass. */
  silence(): void;
  stop(): void;
}

async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect({ host: '127.0.0.1', port, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  const relayPort = await freePort();
  await new Promise<void>((resolve) => server.listen(relayPort, '127.0.0.1', resolve));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  const silence = (): void => sockets.forEach((socket) => void socket.unpipe().resume());
  return { port: relayPort, cut, silence, stop: () => (cut(), void server.close()) };
}

describe.skipIf(mosquittoMissing)('on mosquitto', () => {
  for (const protocol of ['MQTT 5', 'MQTT 3.1.1'] as const) {
    mqttContract(`mosquitto over ${protocol}`, protocol, async () => {
      const broker = await startMosquitto(() => ['allow_anonymous true']);
      const ports: MqttPort[] = [];
      const relays = new Map<string, Relay>();
      return {
        port: ({ clientId, keepAliveMs = 30_000 }) => {
          let port: MqttPort | undefined;
          const options = (relayPort: number): MqttClientOptions => ({
            host: '127.0.0.1', port: relayPort, clientId, protocols: [protocol], keepAliveMs, answerTimeoutMs: 5_000,
          });
          const made = async (): Promise<MqttPort> => {
            const relay = relays.get(clientId) ?? (await startRelay(broker.port));
            relays.set(clientId, relay);
            port ??= mqttClient(options(relay.port));
            ports.push(port);
            return port;
          };
          const cold = mqttClient(options(1));
          return {
            connect: async (handlers, opening) => (await made()).connect(handlers, opening),
            subscribe: (filter, qos) => (port ?? cold).subscribe(filter, qos),
            publish: (packet) => (port ?? cold).publish(packet),
            disconnect: () => (port ?? cold).disconnect(),
          };
        },
        cut: (clientId) => {
          relays.get(clientId)?.cut();
          return Promise.resolve();
        },
        silence: (clientId) => relays.get(clientId)?.silence(),
        until: async (condition) => {
          for (let tries = 0; !condition(); tries += 1) {
            // mosquitto looks for silent clients every five seconds or so.
            if (tries > 1_500) throw new Error('the condition did not come true within 15 s');
            await wait(10);
          }
        },
        run: (call) => call,
        rest: (restMs = 100) => wait(restMs),
        stop: async () => {
          await Promise.all(ports.map((port) => port.disconnect()));
          relays.forEach((relay) => relay.stop());
          await broker.stop();
        },
      };
    });
  }
});

describe.skipIf(mosquittoMissing)('the MQTT client', () => {
  let broker: TestBroker | undefined;
  const opened: MqttPort[] = [];
  const client = (more: Partial<MqttClientOptions>): MqttPort => {
    const port = mqttClient({ host: '127.0.0.1', clientId: 'a', protocols: ['MQTT 5', 'MQTT 3.1.1'], keepAliveMs: 30_000, connectTimeoutMs: 3_000, ...(broker === undefined ? {} : { port: broker.port }), ...more });
    opened.push(port);
    return port;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((port) => port.disconnect()));
    await broker?.stop();
    broker = undefined;
  });

  it('given a password file, when the password is wrong or missing, then the CONNACK code is in the fault and no secret is', async () => {
    broker = await startMosquitto((folder) => ['allow_anonymous false', `password_file ${folder}/users`], (folder) => {
      execFileSync('mosquitto_passwd', ['-b', '-c', path.join(folder, 'users'), 'node', 'right-secret']);
    });
    expect((await client({ username: 'node', password: 'right-secret' }).connect(deaf)).ok).toBe(true);
    for (const protocol of ['MQTT 5', 'MQTT 3.1.1'] as const) {
      const refused = await client({ username: 'node', password: 'wrong-secret', protocols: [protocol] }).connect(deaf);
      expect(refused).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: protocol === 'MQTT 5' ? 0x87 : 5 } });
      expect(JSON.stringify(refused)).not.toContain('secret');
    }
  });

  it('given an access list, when a topic is not allowed, then subscribe is refused over MQTT 5', async () => {
    broker = await startMosquitto((folder) => ['allow_anonymous true', `acl_file ${folder}/acl`], (folder) => {
      writeFileSync(path.join(folder, 'acl'), 'topic readwrite fleet/#\n');
    });
    const port = client({});
    await port.connect(deaf);
    expect((await port.subscribe('fleet/ctl/a', 1)).ok).toBe(true);
    expect(await port.publish({ topic: 'other', payload: new Uint8Array(1), qos: 1, retain: false })).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x87 } });
  });

  it('given a broker of MQTT 3.1.1 only, when MQTT 5 is preferred, then 3.1.1 is used', async () => {
    const { Aedes } = await import('aedes');
    const aedes = await Aedes.createBroker();
    const server = net.createServer(aedes.handle);
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect(await client({ port }).connect(deaf)).toMatchObject({ ok: true, value: { protocol: 'MQTT 3.1.1' } });
    await Promise.all(opened.splice(0).map((each) => each.disconnect()));
    await new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve())));
  });

  it('given nobody listens, when one connects, then it is unreachable', async () => {
    expect(await client({ port: await freePort() }).connect(deaf)).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
  });

  it('given a server that never answers, when one connects, then it ends with a timeout', async () => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect(await client({ port, connectTimeoutMs: 200 }).connect(deaf)).toMatchObject({ ok: false, fault: { kind: 'timeout', afterMs: 200 } });
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });

  it('given a server that speaks something else, when one connects, then there is a fault and nothing throws', async () => {
    const server = net.createServer((socket) => void socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((await client({ port }).connect(deaf)).ok).toBe(false);
    server.close();
  });

  it('given a connect under way, when disconnect is called, then the connect fails and nothing stays open', async () => {
    broker = await startMosquitto(() => ['allow_anonymous true']);
    const port = client({});
    const connecting = port.connect(deaf);
    await port.disconnect();
    expect(await connecting).toMatchObject({ ok: false, fault: { kind: 'not-connected' } });
  });

  it('given a packet beyond the limit from the broker, when it comes over 3.1.1, then the connection ends before it is read', async () => {
    broker = await startMosquitto(() => ['allow_anonymous true']);
    const faults: unknown[] = [];
    const port = client({ clientId: 'small', protocols: ['MQTT 3.1.1'], packetBytesMax: 10_000 });
    await port.connect({ message: () => undefined, closed: (fault) => faults.push(fault) });
    await port.subscribe('t', 1);
    const sender = client({ clientId: 'big' });
    await sender.connect(deaf);
    await sender.publish({ topic: 't', payload: new Uint8Array(9_000), qos: 1, retain: false });
    await sender.publish({ topic: 't', payload: new Uint8Array(50_000), qos: 1, retain: false });
    for (let tries = 0; tries < 200 && faults.length === 0; tries += 1) await wait(10);
    expect(faults).toMatchObject([{ kind: 'refused', reasonCode: 0x95 }]);
  });

  it('given a broker with small limits, when larger or many packets are published, then they are kept within them', async () => {
    broker = await startMosquitto(() => ['allow_anonymous true', 'max_packet_size 2000', 'max_inflight_messages 3']);
    const port = client({ protocols: ['MQTT 5'] });
    expect(await port.connect(deaf)).toMatchObject({ ok: true, value: { receiveMaximum: 3, packetBytesMax: 2000 } });
    expect(await port.publish({ topic: 't', payload: new Uint8Array(3_000), qos: 1, retain: false })).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x95 } });
    const results = await Promise.all(Array.from({ length: 50 }, () => port.publish({ topic: 't', payload: new Uint8Array(10), qos: 1, retain: false })));
    expect(results.every((result) => result.ok)).toBe(true);
  });
});

describe.skipIf(mosquittoMissing)('the MQTT client over TLS', () => {
  let broker: TestBroker;
  let mutual: TestBroker;
  const pem = (folder: string, name: string): string => readFileSync(path.join(folder, name), 'utf8');
  const server = (folder: string): string[] => ['allow_anonymous true', `cafile ${folder}/ca.pem`, `certfile ${folder}/server.pem`, `keyfile ${folder}/server.key`];
  beforeAll(async () => {
    broker = await startMosquitto(server, makeCertificates);
    mutual = await startMosquitto((folder) => [...server(folder), 'require_certificate true'], makeCertificates);
  });
  afterAll(async () => {
    await broker.stop();
    await mutual.stop();
  });
  const connect = async (to: TestBroker, tls: MqttClientOptions['tls'], host = '127.0.0.1') => {
    const port = mqttClient({ host, port: to.port, clientId: 'a', protocols: ['MQTT 5'], keepAliveMs: 30_000, connectTimeoutMs: 3_000, ...(tls === undefined ? {} : { tls }) });
    const result = await port.connect(deaf);
    if (result.ok) expect((await port.publish({ topic: 't', payload: new Uint8Array(3), qos: 1, retain: false })).ok).toBe(true);
    await port.disconnect();
    return result;
  };

  it('given the right CA, when one connects by address or by name, then it works', async () => {
    expect((await connect(broker, { ca: pem(broker.directory, 'ca.pem') })).ok).toBe(true);
    expect((await connect(broker, { ca: pem(broker.directory, 'ca.pem'), servername: 'localhost' })).ok).toBe(true);
  });

  it.each([
    ['no CA', () => ({})],
    ['another CA', () => ({ ca: pem(broker.directory, 'other.pem') })],
    ['another server name', () => ({ ca: pem(broker.directory, 'ca.pem'), servername: 'broker.example' })],
  ])('given %s, when one connects, then the server is not trusted', async (_name, tls) => {
    expect(await connect(broker, tls())).toMatchObject({ ok: false, fault: { kind: 'untrusted' } });
  });

  it('given a broker that asks for a client certificate, when there is one, then it works, and without it does not', async () => {
    const ca = pem(mutual.directory, 'ca.pem');
    expect((await connect(mutual, { ca, cert: pem(mutual.directory, 'client.pem'), key: pem(mutual.directory, 'client.key') })).ok).toBe(true);
    expect(await connect(mutual, { ca })).toMatchObject({ ok: false });
  });

  it('given a key that does not fit its certificate, when one connects, then it is a fault and not an exception', async () => {
    const ca = pem(mutual.directory, 'ca.pem');
    expect(await connect(mutual, { ca, cert: pem(mutual.directory, 'client.pem'), key: 'not a key' })).toMatchObject({ ok: false, fault: { kind: 'untrusted' } });
  });

  it('given a plain listener, when one speaks TLS to it, and the other way round, then it is unreachable', async () => {
    const plain = await startMosquitto(() => ['allow_anonymous true']);
    expect(await connect(plain, { ca: pem(broker.directory, 'ca.pem') })).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
    expect(await connect(broker, undefined)).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
    await plain.stop();
  });
});
