// What may stand between a node and its cloud, planted on a real mosquitto: the doctor goes the whole way and names the step that fails.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mqttClient } from '../../../src/adapters/mqtt-client.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../../src/adapters/system-random.ts';
import { startEmbeddedCloud } from '../../../src/bridge/embedded-cloud.ts';
import { type IssuedFiles, TestAuthority } from '../../support/certificates.ts';
import { type DoctorWorld, startDoctorWorld } from '../../support/doctor-world.ts';
import { hasMosquitto, startMosquitto, type TestBroker } from '../../support/mosquitto.ts';
import { silentLog } from '../../support/silent-log.ts';

const past = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2021, 0, 1) };
const nodeName = 'edge-07';

describe.skipIf(!hasMosquitto())('mqlet doctor on the way to the broker', () => {
  let world: DoctorWorld;
  let directory = '';
  let broker: TestBroker | undefined;
  let ends: (() => Promise<void>)[] = [];
  const made: Record<string, IssuedFiles> = {};
  let ca = '';
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-way-'));
    const ours = new TestAuthority(path.join(directory, 'ours'));
    const others = new TestAuthority(path.join(directory, 'others'));
    ca = ours.ca;
    made.server = ours.issue('server', { use: 'server', notAfterMs: Date.now() + 400 * 86_400_000 });
    made.oldServer = ours.issue('server', { use: 'server', ...past });
    made.otherServer = others.issue('server', { use: 'server' });
    made.client = ours.issue(nodeName, { use: 'client', notAfterMs: Date.now() + 400 * 86_400_000 });
    made.oldClient = ours.issue(nodeName, { use: 'client', ...past });
    made.otherClient = others.issue(nodeName, { use: 'client' });
    execFileSync('mosquitto_passwd', ['-b', '-c', path.join(directory, 'users'), 'node', 'right-secret']);
    execFileSync('mosquitto_passwd', ['-b', path.join(directory, 'users'), 'cloud', 'cloud-secret']);
    writeFileSync(path.join(directory, 'wrong'), 'wrong-secret\n', { mode: 0o600 });
    writeFileSync(path.join(directory, 'right'), 'right-secret\n', { mode: 0o600 });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(async () => {
    world = await startDoctorWorld();
  });
  afterEach(async () => {
    for (const end of ends.reverse()) await end();
    ends = [];
    await broker?.stop();
    broker = undefined;
    await world.stop();
  });

  const start = async (lines: readonly string[]): Promise<number> => {
    broker = await startMosquitto(() => lines);
    return broker.port;
  };
  const cloud = async (port: number, login: object = {}): Promise<void> => {
    const mqtt = mqttClient({ host: '127.0.0.1', port, clientId: 'cloud', protocols: ['MQTT 5'], keepAliveMs: 30_000, ...login });
    const side = startEmbeddedCloud({ mqtt, clock: new SystemClock(), random: new SystemRandom(), log: silentLog, rootTopic: 'fleet' });
    ends.push(() => side.stop());
    await side.ready;
  };
  const filesOf = (name: string): IssuedFiles => made[name] ?? { cert: '', key: '' };
  const tls = (server: string, more: readonly string[] = []): readonly string[] => [
    'allow_anonymous true', `cafile ${ca}`, `certfile ${filesOf(server).cert}`, `keyfile ${filesOf(server).key}`, ...more,
  ];
  const node = (url: string, more: readonly string[] = []): readonly string[] => ['--mqtt-url', url, '--mqtt-root-topic', 'fleet', ...more];
  const trusted = (): readonly string[] => ['--mqtt-ca-file', ca];
  const client = (name: string): readonly string[] => {
    const files = { cert: path.join(world.directory, 'tls.crt'), key: path.join(world.directory, 'tls.key') };
    copyFileSync(filesOf(name).cert, files.cert);
    copyFileSync(filesOf(name).key, files.key);
    chmodSync(files.key, 0o600);
    return ['--mqtt-cert-file', files.cert, '--mqtt-key-file', files.key];
  };
  const password = (file: string): readonly string[] => ['--mqtt-username', 'node', '--mqtt-password-file', path.join(directory, file)];
  const told = (lines: readonly string[], rows: readonly (readonly [string, RegExp, RegExp])[]): void => {
    expect(lines.map((line) => line.split(': ')[0])).toEqual(rows.map(([name]) => name));
    rows.forEach(([, found, mend], index) => {
      expect(lines[index]?.split(' → ')[0]).toMatch(found);
      expect(lines[index]?.split(' → ')[1]).toMatch(mend);
    });
  };

  test('given a broker with TLS, certificates and a cloud side, when it is asked, then nothing is wrong and every step is named', async () => {
    const port = await start(tls('server', ['require_certificate true']));
    await cloud(port, { tls: pemOf(ca, filesOf('client')) });
    const { code, told: lines, findings } = await world.ask(node(`mqtts://localhost:${port}`, [...trusted(), ...client('client')]));
    expect({ code, lines: lines.filter((line) => !line.startsWith('warning certificates')) }).toEqual({ code: 0, lines: [] });
    expect(findings.filter(({ check }) => check.startsWith('broker.')).map(({ check }) => check)).toEqual([
      'broker.name', 'broker.port', 'broker.certificate', 'broker.login', 'broker.client-id', 'broker.topics', 'broker.cloud',
    ]);
  });

  test('given a name that DNS does not know, when it is asked, then it says so', async () => {
    const { told: lines } = await world.ask(node('mqtt://broker.invalid:1883'));
    told(lines, [['fault broker.name', /broker\.invalid has no address/, /--mqtt-url/]]);
  });

  test('given a port on which nobody listens, when it is asked, then it says so', async () => {
    const { told: lines } = await world.ask(node('mqtt://127.0.0.1:9'));
    told(lines, [['fault broker.port', /ECONNREFUSED/, /start the broker|correct the port/]]);
  });

  test.each<[string, () => readonly string[], string, readonly string[] | 'trusted', RegExp, RegExp]>([
    ['a certificate that has expired', () => tls('oldServer'), 'localhost', 'trusted', /expired at 2021/, /renew the certificate at the broker/],
    ['a certificate of another CA', () => tls('otherServer'), 'localhost', 'trusted', /not signed by a CA/, /--mqtt-ca-file/],
    ['a certificate for another name', () => tls('server'), 'localhost', ['--mqtt-server-name', 'broker.example'], /it is for localhost, 127\.0\.0\.1, not for broker\.example/, /--mqtt-server-name localhost/],
    ['a port that does not speak TLS', () => ['allow_anonymous true'], 'localhost', 'trusted', /does not speak TLS/, /8883/],
  ])('given %s, when it is asked, then it says which and what to do', async (_what, lines, host, more, found, mend) => {
    const port = await start(lines());
    const answer = await world.ask(node(`mqtts://${host}:${port}`, more === 'trusted' ? trusted() : [...trusted(), ...more]));
    told(answer.told.filter((line) => !line.startsWith('warning certificates')), [['fault broker.certificate', found, mend]]);
  });

  test('given a wrong password, when it is asked, then the login is named', async () => {
    const port = await start(['allow_anonymous false', `password_file ${path.join(directory, 'users')}`]);
    const { told: lines } = await world.ask(node(`mqtt://127.0.0.1:${port}`, password('wrong')));
    told(lines, [['fault broker.login', /0x8[67]/, /--mqtt-username and --mqtt-password-file/]]);
  });

  test('given no client certificate where one is asked for, when it is asked, then it says so', async () => {
    const port = await start(tls('server', ['require_certificate true']));
    const { told: lines } = await world.ask(node(`mqtts://localhost:${port}`, trusted()));
    told(lines.filter((line) => !line.startsWith('warning certificates')), [['fault broker.login', /client certificate/, /--mqtt-cert-file and --mqtt-key-file/]]);
  });

  test('given a client certificate that has expired, of another CA, or with the key of another, when it is asked, then each is named', async () => {
    const port = await start(tls('server', ['require_certificate true']));
    const old = await world.ask(node(`mqtts://localhost:${port}`, [...trusted(), ...client('oldClient')]));
    expect(old.told).toContainEqual(expect.stringMatching(/^fault certificates: .*expired at 2021.* → renew/));
    const other = await world.ask(node(`mqtts://localhost:${port}`, [...trusted(), ...client('otherClient')]));
    expect(other.told).toContainEqual(expect.stringMatching(/^fault broker\.login: .* → get a client certificate from the CA that the broker trusts/));
    const [, cert = '', , key = ''] = client('client');
    copyFileSync(filesOf('otherClient').key, key);
    chmodSync(key, 0o644);
    const mixed = await world.ask(node(`mqtts://localhost:${port}`, [...trusted(), '--mqtt-cert-file', cert, '--mqtt-key-file', key]));
    expect(mixed.told).toContainEqual(expect.stringMatching(/^fault certificates: .*key of another certificate → .*--mqtt-cert-file and --mqtt-key-file/));
    expect(mixed.told).toContainEqual(expect.stringMatching(/^fault secrets\.mode: .*tls\.key has mode 644/));
  });

  test('given an ACL that lets the node publish nothing, when it is asked, then the topic and the right are named', async () => {
    const acl = path.join(world.directory, 'acl');
    writeFileSync(acl, `user node\ntopic read fleet/v1/down/${nodeName}/#\n`);
    const port = await start(['allow_anonymous false', `password_file ${path.join(directory, 'users')}`, `acl_file ${acl}`]);
    const { told: lines } = await world.ask(node(`mqtt://127.0.0.1:${port}`, password('right')));
    told(lines, [['fault broker.topics', /let us publish to fleet\/v1\/up\/edge-07\/api/, /topic write fleet\/v1\/up\/edge-07\/api/]]);
  });

  test('given an ACL that lets the node read nothing, when it is asked, then the silence is told with the topic', async () => {
    const acl = path.join(world.directory, 'acl');
    writeFileSync(acl, `user node\ntopic write fleet/#\nuser cloud\ntopic readwrite fleet/#\n`);
    const port = await start(['allow_anonymous false', `password_file ${path.join(directory, 'users')}`, `acl_file ${acl}`]);
    await cloud(port, { username: 'cloud', password: 'cloud-secret' });
    const { told: lines } = await world.ask(node(`mqtt://127.0.0.1:${port}`, password('right')));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/broker\.(cloud|topics): .*fleet\/v1\/down\/edge-07/);
  });

  test('given no cloud side, when it is asked, then that is told, and pods of files may go on', async () => {
    const port = await start(['allow_anonymous true']);
    const { told: lines, code } = await world.ask(node(`mqtt://127.0.0.1:${port}`));
    told(lines, [['warning broker.cloud', /does not answer/, /mqlet bridge/]]);
    expect(code).toBe(0);
  });

  test('given a second node of the same name, when it is asked, then the client ID is named', async () => {
    const port = await start(['allow_anonymous true']);
    await cloud(port);
    const twin = mqttClient({ host: '127.0.0.1', port, clientId: nodeName, protocols: ['MQTT 5'], keepAliveMs: 30_000 });
    let back = true;
    const connect = async (): Promise<void> => {
      await twin.connect({ message: () => undefined, closed: () => void (back && setTimeout(() => void connect(), 300)) });
    };
    await connect();
    ends.push(() => {
      back = false;
      return twin.disconnect();
    });
    const { told: lines } = await world.ask(node(`mqtt://127.0.0.1:${port}`));
    told(lines, [['fault broker.client-id', /our session as edge-07 within moments.*another client/, /--hostname-override/]]);
  });
});

function pemOf(ca: string, { cert, key }: IssuedFiles): { readonly ca: string; readonly cert: string; readonly key: string } {
  const read = (file: string): string => execFileSync('cat', [file], { encoding: 'utf8' });
  return { ca: read(ca), cert: read(cert), key: read(key) };
}
