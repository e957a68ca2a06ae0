// A table of what brokers and their operators do wrong, on a real mosquitto: the link says each once, in one line with a mend, stays
// alive, and is up as soon as it is mended. Nothing else on the bus moves.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCertificateActor } from '../../src/actors/certificate-actor.ts';
import { startLinkActor } from '../../src/actors/link-actor.ts';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import { MqttCredentials } from '../../src/adapters/mqtt-credentials.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../src/adapters/system-random.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import { type IssuedFiles, TestAuthority } from '../support/certificates.ts';
import { freePort, hasMosquitto, startMosquitto, type TestBroker } from '../support/mosquitto.ts';
import { silentLog } from '../support/silent-log.ts';

const until = async (what: string, condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1_500) throw new Error(`within 15 s, not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const dayMs = 86_400_000;
const past = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2021, 0, 1) };
const future = { notBeforeMs: Date.now() + dayMs, notAfterMs: Date.now() + 2 * dayMs };
const clockSays = String.raw`the clock of this machine says \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;

describe.skipIf(!hasMosquitto())('a link to a broker with mistakes', () => {
  let directory = '';
  let ours: TestAuthority;
  let others: TestAuthority;
  const made: Record<string, IssuedFiles> = {};
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-mistakes-'));
    ours = new TestAuthority(path.join(directory, 'ours'));
    others = new TestAuthority(path.join(directory, 'others'));
    made.server = ours.issue('server', { use: 'server' });
    made.oldServer = ours.issue('server', { use: 'server', ...past });
    made.earlyServer = ours.issue('server', { use: 'server', ...future });
    made.otherServer = others.issue('server', { use: 'server' });
    made.client = ours.issue('edge-07', { use: 'client' });
    made.newClient = ours.issue('edge-07', { use: 'client', notAfterMs: Date.now() + 400 * dayMs });
    made.oldClient = ours.issue('edge-07', { use: 'client', ...past });
    made.earlyClient = ours.issue('edge-07', { use: 'client', ...future });
    made.otherClient = others.issue('edge-07', { use: 'client' });
    execFileSync('mosquitto_passwd', ['-b', '-c', path.join(directory, 'users'), 'node', 'right-secret']);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const filesOf = (name: string): IssuedFiles => made[name] ?? { cert: '', key: '' };
  const tls = (server: string, more: readonly string[] = []): string[] => [
    'allow_anonymous true', `cafile ${ours.ca}`, `certfile ${filesOf(server).cert}`, `keyfile ${filesOf(server).key}`, ...more,
  ];
  const mutual = (): string[] => tls('server', ['require_certificate true']);

  interface Node {
    readonly log: AnyEnvelope[];
    readonly paths: { readonly cert: string; readonly key: string; readonly password: string };
    put(client: string): void;
    stop(): Promise<void>;
  }

  const startNode = (port: number, options: NodeOptions): Node => {
    const own = mkdtempSync(path.join(directory, 'node-'));
    const paths = { cert: `${own}/tls.crt`, key: `${own}/tls.key`, password: `${own}/password` };
    const put = (client: string): void => {
      copyFileSync(filesOf(client).cert, paths.cert);
      copyFileSync(filesOf(client).key, paths.key);
    };
    if (options.client !== undefined) put(options.client);
    if (options.spoilt === true) writeFileSync(paths.key, 'no key');
    if (options.password !== undefined) writeFileSync(paths.password, options.password);
    const clock = new SystemClock();
    const random = new SystemRandom();
    const bus = new Bus(clock);
    const log: AnyEnvelope[] = [];
    bus.tap((envelope) => void log.push(envelope));
    const credentials = new MqttCredentials(new NodeFiles(), {
      ...(options.plain === true ? {} : { ca: ours.ca }),
      ...(options.client === undefined ? {} : { cert: paths.cert, key: paths.key }),
      ...(options.password === undefined ? {} : { password: paths.password }),
    });
    const mqtt = mqttClient({
      host: '127.0.0.1', port, clientId: 'edge-07', protocols: ['MQTT 5', 'MQTT 3.1.1'], keepAliveMs: 30_000, connectTimeoutMs: 3_000,
      ...(options.plain === true ? {} : { tls: {} }), ...(options.password === undefined ? {} : { username: 'node' }),
      material: () => credentials.take(),
    });
    const link = startLinkActor({ bus: bus.as('link'), clock, random, log: silentLog, mqtt, subscriptions: ['fleet/ctl/edge-07'] });
    const certificates = startCertificateActor({ bus: bus.as('certificate'), clock, random, log: silentLog, credentials });
    return {
      log, paths, put,
      stop: async () => {
        await certificates.stop();
        await link.stop();
      },
    };
  };
  const attempts = (log: readonly AnyEnvelope[]): number => log.filter((each) => each.topic === 'mqtt.link' && each.payload.state === 'backingOff').length;
  const isUp = (log: readonly AnyEnvelope[]): boolean => log.findLast((each) => each.topic === 'mqtt.link')?.payload.state === 'up';
  const refusals = (log: readonly AnyEnvelope[]): string[] => log.flatMap((each) => (each.topic === 'mqtt.refused' ? [`${each.payload.what}: ${each.payload.fault.message}`] : []));

  interface NodeOptions {
    readonly client?: string;
    readonly plain?: boolean;
    readonly password?: string;
    /** Its key file holds no key. */
    readonly spoilt?: boolean;
  }
  interface Row {
    readonly mistake: string;
    /** Configuration of the broker with the mistake, and mended. */
    readonly wrong: () => readonly string[];
    readonly right?: () => readonly string[];
    readonly node?: NodeOptions;
    /** The mend on the node's side. */
    readonly mend?: (node: Node) => void;
    /** The one line; none where nobody refused anything. */
    readonly says: RegExp | undefined;
  }
  const plainUsers = () => ['allow_anonymous false', `password_file ${directory}/users`];
  const rows: readonly Row[] = [
    { mistake: 'a wrong password in the file', wrong: plainUsers, node: { plain: true, password: 'wrong-secret' }, mend: ({ paths }) => writeFileSync(paths.password, 'right-secret\n'), says: /^connect: the broker refuses: Not authorized \(0x87\)$/ },
    { mistake: 'a user the broker does not know yet', wrong: () => ['allow_anonymous false'], right: plainUsers, node: { plain: true, password: 'right-secret' }, says: /^connect: the broker refuses: Not authorized \(0x87\)$/ },
    // A refused subscription is played in mqtt-limits.test.ts: mosquitto grants what its access list denies, and delivers nothing.
    { mistake: 'TLS where the broker has none', wrong: () => ['allow_anonymous true'], right: () => tls('server'), says: undefined },
    { mistake: 'no TLS where the broker wants it', wrong: () => tls('server'), right: () => ['allow_anonymous true'], node: { plain: true }, says: undefined },
    { mistake: 'a CA we do not know', wrong: () => [...tls('otherServer')], right: () => tls('server'), says: /the broker's certificate is not signed by a CA we trust; --mqtt-ca-file names one/ },
    { mistake: 'an expired certificate', wrong: () => tls('oldServer'), right: () => tls('server'), says: new RegExp(`the broker's certificate \\(CN=server\\) expired at 2021-01-01T00:00:00Z, and ${clockSays}: renew the certificate, or set the clock if it is wrong`) },
    { mistake: 'a certificate that is not valid yet', wrong: () => tls('earlyServer'), right: () => tls('server'), says: new RegExp(`the broker's certificate \\(CN=server\\) is not valid before \\S+Z, and ${clockSays}: set the clock`) },
    { mistake: 'no client certificate', wrong: mutual, right: () => tls('server'), says: /the broker asks for a client certificate: --mqtt-cert-file and --mqtt-key-file/ },
    { mistake: 'a client certificate of another CA', wrong: mutual, node: { client: 'otherClient' }, mend: ({ put }) => put('client'), says: /the broker refuses the client certificate of --mqtt-cert-file/ },
    { mistake: 'an expired client certificate', wrong: mutual, node: { client: 'oldClient' }, mend: ({ put }) => put('client'), says: new RegExp(`the broker refuses it: the client certificate of --mqtt-cert-file \\(CN=edge-07\\) expired at 2021-01-01T00:00:00Z, and ${clockSays}`) },
    { mistake: 'a client certificate that is not valid yet', wrong: mutual, node: { client: 'earlyClient' }, mend: ({ put }) => put('client'), says: new RegExp(`the broker refuses it: the client certificate of --mqtt-cert-file \\(CN=edge-07\\) is not valid before \\S+Z, and ${clockSays}`) },
    { mistake: 'a key that is none', wrong: mutual, node: { client: 'client', spoilt: true }, mend: ({ put }) => put('client'), says: /^connect: --mqtt-key-file \S+: is no PEM key without passphrase$/ },
  ];

  it.concurrent.each(rows)('given $mistake, when it is mended, then the link was alive, said it once, and is up', async ({ wrong, right = wrong, node: options = {}, mend, says }) => {
    const port = await freePort();
    let broker: TestBroker = await startMosquitto(wrong, undefined, port);
    const node = startNode(port, options);
    try {
      await until('it backs off twice', () => attempts(node.log) >= 2);
      expect(refusals(node.log)).toEqual(says === undefined ? [] : [expect.stringMatching(says)]);
      expect(refusals(node.log).join()).not.toMatch(/secret|BEGIN/);
      mend?.(node);
      if (right !== wrong) {
        await broker.stop();
        broker = await startMosquitto(right, undefined, port);
      }
      await until('the link is up', () => isUp(node.log));
      expect([...new Set(node.log.map(({ topic }) => topic))].filter((topic) => !['mqtt.link', 'mqtt.refused', 'mqtt.certificate', 'mqtt.renew', 'event.noted'].includes(topic))).toEqual([]);
    } finally {
      await node.stop();
      await broker.stop();
    }
  }, 60_000);

  it('given a link over mutual TLS, when the certificate is renewed in the files, then the next connection shows the new one', async () => {
    const broker = await startMosquitto(mutual);
    const node = startNode(broker.port, { client: 'client' });
    try {
      await until('the link is up', () => isUp(node.log));
      node.put('newClient');
      await until('it is up anew', () => node.log.filter((each) => each.topic === 'mqtt.link' && each.payload.state === 'up').length === 2);
      const told = node.log.flatMap((each) => (each.topic === 'mqtt.certificate' ? [each.payload.certificate.notAfterMs] : []));
      expect(told).toHaveLength(2);
      expect(told[1]).toBeGreaterThan(told[0] ?? Infinity);
      expect(attempts(node.log)).toBe(0);
    } finally {
      await node.stop();
      await broker.stop();
    }
  }, 30_000);
});
