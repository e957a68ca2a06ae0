// `mqlet join` against a real mosquitto with TLS, as docs/join.md configures it: devices on one port, nodes with their certificates on another.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JoinCertificates } from '../../src/adapters/join-certificates.ts';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import type { JoinDesk } from '../../src/bridge/join/join-desk.ts';
import { openJoinRoom, startJoinSite } from '../../src/cli/join-site.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { parseConfig } from '../../src/config.ts';
import { renewCertificate } from '../../src/daemon/renew-certificate.ts';
import { readSettingsFile } from '../../src/adapters/settings-file.ts';
import { pemOf, TestAuthority } from '../support/certificates.ts';
import { freePort, hasMosquitto, startMosquitto, type TestBroker } from '../support/mosquitto.ts';
import { silentLog } from '../support/silent-log.ts';

const yearMs = 365 * 86_400_000;
const rootTopic = 'fleet';

describe.runIf(hasMosquitto())('mqlet join', () => {
  let directory = '';
  let broker: TestBroker;
  let desk: JoinDesk;
  let authority: TestAuthority;
  let ports = { join: 0, node: 0, early: 0 };
  const data = () => path.join(directory, 'bridge');
  /** Of the device of one test. */
  let device = '';

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-join-'));
    authority = new TestAuthority(path.join(directory, 'broker-ca'));
    const files = (name: string, period: { readonly notBeforeMs?: number; readonly notAfterMs?: number } = {}) => {
      const issued = authority.issue(name, { use: 'server', ...period });
      const chain = path.join(directory, `${name}-chain.pem`);
      writeFileSync(chain, pemOf(issued.cert) + pemOf(authority.ca));
      return [`certfile ${chain}`, `keyfile ${issued.key}`];
    };
    ports = { join: await freePort(), node: await freePort(), early: await freePort() };
    const room = await openJoinRoom(data());
    if (!room.ok) throw new Error(room.fault);
    const acl = (name: string, lines: readonly string[]) => {
      writeFileSync(path.join(directory, name), `${lines.join('\n')}\n`, { mode: 0o600 });
      return `acl_file ${path.join(directory, name)}`;
    };
    const nodes = acl('nodes.acl', ['pattern write fleet/v1/up/%u/#', 'pattern read fleet/v1/down/%u/#']);
    const joining = acl('joining.acl', ['pattern write fleet/v1/join/%c/up', 'pattern read fleet/v1/join/%c/down']);
    broker = await startMosquitto(() => [
      'per_listener_settings true', 'allow_anonymous true',
      `listener ${ports.node} 127.0.0.1`, `cafile ${data()}/join/authority.crt`, `crlfile ${room.value.ledger.listPath}`, ...files('nodes'), 'require_certificate true', 'use_identity_as_username true', nodes,
      `listener ${ports.join} 127.0.0.1`, ...files('joining'), 'allow_anonymous true', joining,
      // As a device sees it whose clock is a year behind.
      `listener ${ports.early} 127.0.0.1`, ...files('early', { notBeforeMs: Date.now() + yearMs, notAfterMs: Date.now() + 2 * yearMs }), 'allow_anonymous true', joining,
    ]);
    const mqtt = mqttClient({ host: '127.0.0.1', port: broker.port, clientId: 'desk', protocols: ['MQTT 5'], keepAliveMs: 30_000 });
    const started = await startJoinSite({
      dataDirectory: data(), mqtt, log: silentLog, rootTopic, joinUrl: `mqtts://localhost:${ports.join}`, nodeUrl: `mqtts://localhost:${ports.node}`, brokerAuthority: pemOf(authority.ca),
    });
    if (!started.ok) throw new Error(started.fault);
    desk = started.value;
    await desk.ready;
  }, 30_000);
  afterAll(async () => {
    await desk.stop();
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => { device = mkdtempSync(path.join(directory, 'device-')); });
  afterEach(() => rmSync(device, { recursive: true, force: true }));

  const settings = () => path.join(device, 'etc', 'config.yaml');

  async function mqlet(...argv: readonly string[]): Promise<{ readonly code: number; readonly said: string; readonly complained: string }> {
    let said = '';
    let complained = '';
    const terminal: Terminal = {
      print: (text) => { said += text; }, complain: (line) => { complained += `${line}\n`; }, environment: {}, readFile: (file) => readFileSync(file), readStandardInput: () => Promise.resolve(''),
      readLines: () => [][Symbol.iterator]() as never, nowMs: () => Date.now(), // Nothing is read here.
    };
    const code = await runCommand(argv, terminal);
    return { code, said, complained };
  }

  const bridge = (...argv: readonly string[]) => mqlet('bridge', ...argv, '--data-dir', data());

  /** The command that the bridge prints, typed on the device. */
  async function joinWords(...more: readonly string[]): Promise<readonly string[]> {
    const { said } = await bridge('token', 'create', '--print-join-command', ...more);
    expect(said).toMatch(/^mqlet join mqtts:\/\/localhost:\d+ --token [a-z0-9]{6}\.[a-z0-9]{16} --discovery-ca-cert-hash sha256:[0-9a-f]{64} --mqtt-root-topic fleet/);
    return said.trim().split(' ').slice(1);
  }

  const join = (words: readonly string[], ...more: readonly string[]) => mqlet(...words, '--config', settings(), '--root-dir', path.join(device, 'root'), ...more);
  const leftBehind = () => readdirSync(device, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(path.join(device, file)).isFile());

  /** As `mqlet run` connects with those settings; resolves to whether the broker let it in, and says something on its own topic. */
  async function connects(): Promise<boolean | string> {
    const parsed = parseConfig(['--config', settings()], {}, readSettingsFile);
    if (parsed.kind !== 'config' || parsed.config.mqtt === undefined) return JSON.stringify(parsed);
    const { host, port, tls: used } = parsed.config.mqtt;
    const client = mqttClient({ host, port, clientId: parsed.config.nodeName ?? '', ...(used === undefined ? {} : { tls: used }), protocols: ['MQTT 5'], keepAliveMs: 30_000 });
    const connected = await client.connect({ message: () => undefined, closed: () => undefined });
    const said = connected.ok ? await client.publish({ topic: `fleet/v1/up/${parsed.config.nodeName}/api`, payload: new Uint8Array(1), qos: 1, retain: false }) : connected;
    await client.disconnect();
    return said.ok;
  }

  it('given the command that the bridge prints, when it is typed, then the broker knows the device as a node, and it renews, is shut out, and joins again', async () => {
    const words = await joinWords('--node', 'edge-07');
    expect(await join(words)).toMatchObject({ code: 0, complained: '', said: expect.stringMatching(/this device is the node edge-07; its certificate is good until /) as string });
    expect(leftBehind().map((file) => [file.replace(/node-[0-9a-f]{16}/, 'node-X'), statSync(path.join(device, file)).mode & 0o777]).sort()).toEqual([
      ['etc/config.yaml', 0o600], ['root/identity/node-X/broker-ca.pem', 0o600], ['root/identity/node-X/node-ca.pem', 0o600], ['root/identity/node-X/node.pem', 0o600],
    ]);
    expect(await connects()).toBe(true);
    // Renewal, as the daemon does it.
    const parsed = parseConfig(['--config', settings()], {}, readSettingsFile);
    if (parsed.kind !== 'config' || parsed.config.mqtt === undefined) throw new Error(JSON.stringify(parsed));
    expect(parsed.warnings).toEqual([]);
    const before = readFileSync(parsed.config.mqtt.files.cert ?? '', 'utf8');
    expect(await renewCertificate(parsed.config.mqtt, 'edge-07')).toMatchObject({ ok: true });
    expect(readFileSync(parsed.config.mqtt.files.cert ?? '', 'utf8')).not.toBe(before);
    expect(await connects()).toBe(true);
    // Shut out.
    expect((await bridge('node', 'revoke', 'edge-07')).said).toMatch(/^node edge-07: 2 certificates revoked\n.*nodes.crl is written anew/);
    expect(await renewCertificate(parsed.config.mqtt, 'edge-07')).toMatchObject({ ok: false, fault: { reason: 'CertificateRevoked' } });
    broker.reload();
    for (let tries = 0; tries < 40 && (await connects()) === true; tries += 1) await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(await connects()).toBe(false);
    expect(JSON.parse((await bridge('node', 'list', '-o', 'json')).said)).toMatchObject({ nodes: [{ node: 'edge-07', state: 'revoked' }] });
    // And in again.
    expect((await join(await joinWords('--node', 'edge-07'), '--again')).code).toBe(0);
    expect(await connects()).toBe(true);
  }, 30_000);

  it('given a wrong hash, or somebody with another certificate who also shows the right CA, when a device joins, then nothing is said to him and nothing stays', async () => {
    const words = await joinWords();
    const pin = words.indexOf('--discovery-ca-cert-hash') + 1;
    const wrong = words.map((word, index) => (index === pin ? `sha256:${'a'.repeat(64)}` : word));
    expect(await join(wrong)).toMatchObject({ code: 1, complained: expect.stringMatching(/no certificate has the hash of --discovery-ca-cert-hash, so nothing was said; it has "joining" sha256:/) as string });
    const other = new TestAuthority(path.join(device, 'other-ca'));
    const shown = other.issue('localhost', { use: 'server' });
    const heard: Buffer[] = [];
    const impostor = tls.createServer({ cert: pemOf(shown.cert) + pemOf(authority.ca), key: pemOf(shown.key) }, (socket) => { socket.on('data', (chunk) => void heard.push(chunk)).on('error', () => undefined); });
    const port = await new Promise<number>((resolve) => { impostor.listen(0, '127.0.0.1', () => resolve((impostor.address() as { port: number }).port)); }); // It listens.
    rmSync(path.join(device, 'other-ca'), { recursive: true });
    for (const [extra, reason] of [[[], /hash of --discovery-ca-cert-hash/], [['--ca-file', authority.ca], /not signed by a CA we trust/]] as const) {
      const refused = await join(words.map((word) => (word.startsWith('mqtts:') ? `mqtts://localhost:${port}` : word)), ...extra);
      expect(refused).toMatchObject({ code: 1, complained: expect.stringMatching(reason) as string });
    }
    impostor.close();
    expect([Buffer.concat(heard).toString(), leftBehind()]).toEqual(['', []]);
    // The token was not used.
    expect((await join(words, '--node-name', 'edge-12')).code).toBe(0);
  }, 30_000);

  it('given a broker whose certificate begins in a year, as a device with a wrong clock sees it, when it joins, then both times are told and nothing stays', async () => {
    const words = await joinWords();
    const refused = await join(words.map((word) => (word.startsWith('mqtts:') ? `mqtts://localhost:${ports.early}` : word)));
    expect(refused).toMatchObject({ code: 1, complained: expect.stringMatching(/is not valid before .*, and the clock of this machine says .*: set the clock/) as string });
    expect(leftBehind()).toEqual([]);
  });

  it('given tokens, when they are listed, used, revoked, then each says how it stands, and one that is used or revoked lets nobody in', async () => {
    const words = await joinWords('--description', 'for the mill');
    const [id = '', other = ''] = [words, await joinWords()].map((each) => each[each.indexOf('--token') + 1]?.slice(0, 6));
    expect((await join(words, '--node-name', 'edge-21')).code).toBe(0);
    await bridge('token', 'revoke', other);
    const { tokens } = JSON.parse((await bridge('token', 'list', '-o', 'json')).said) as { tokens: { id: string; state: string; node: string; description: string }[] };
    expect(tokens.filter((one) => one.id === id || one.id === other).map(({ state, node, description }) => [state, node, description]).sort()).toEqual([['revoked', '', ''], ['used', 'edge-21', 'for the mill']]);
    const again = await join(words, '--again', '--node-name', 'edge-22');
    expect(again).toMatchObject({ code: 1, complained: expect.stringMatching(/refused \(TokenUsed\): the token was used already.*token create --print-join-command/) as string });
    expect(JSON.stringify([readdirSync(path.join(data(), 'join', 'tokens'), { encoding: 'utf8' }).map((file) => readFileSync(path.join(data(), 'join', 'tokens', file), 'utf8'))])).not.toContain(words[words.indexOf('--token') + 1]?.slice(7));
  });

  it('given a device without a certificate, when it listens for others at the broker, then the access list gives it nothing', async () => {
    const ear = mqttClient({ host: 'localhost', port: ports.join, tls: { ca: pemOf(authority.ca) }, clientId: 'ear', protocols: ['MQTT 5'], keepAliveMs: 30_000 });
    const heard: string[] = [];
    await ear.connect({ message: ({ topic }) => void heard.push(topic), closed: () => undefined });
    await ear.subscribe('#', 1);
    expect((await join(await joinWords(), '--node-name', 'edge-31')).code).toBe(0);
    expect(await connects()).toBe(true);
    const written = await ear.publish({ topic: 'fleet/v1/up/edge-31/join', payload: new Uint8Array(1), qos: 1, retain: false });
    await ear.disconnect();
    expect([heard, written.ok]).toEqual([[], false]);
  });

  it.each([
    [['join'], /one broker is joined/],
    [['join', 'mqtt://broker', '--token', 'abcdef.0123456789abcdef'], /is not mqtts:\/\/host\[:port\]/],
    [['join', 'mqtts://broker', '--token', 'secret'], /--token must be six characters, a dot and sixteen \(a-z, 0-9\), not 6 characters of another form/],
    [['join', 'mqtts://broker', '--token', 'abcdef.0123456789abcdef'], /--discovery-ca-cert-hash must be sha256: and 64/],
    [['bridge', 'token', 'create', '--ttl', 'long'], /--ttl must be a time/],
    [['bridge', 'node', 'revoke', '../x'], /is no name of a node/],
  ])('given the words %j, when they are typed, then they are refused as wrong usage', async (words, line) => {
    expect(await mqlet(...words, ...(words[0] === 'bridge' ? ['--data-dir', data()] : []))).toMatchObject({ code: 2, complained: expect.stringMatching(line) as string });
    expect(existsSync(settings())).toBe(false);
  });
});

describe('certificate requests and lists', () => {
  it('given bytes of any kind in the place of a request, when they are read, then they are none', () => {
    const certificates = new JoinCertificates();
    const { request } = certificates.makeRequest({ commonName: 'edge-07', organizations: ['mqlet:nodes'] });
    expect(certificates.readRequest(request)).toMatchObject({ commonName: 'edge-07', organizations: ['mqlet:nodes'] });
    const der = Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const pem = (bytes: Uint8Array) => `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    for (let index = 0; index < der.length; index += 1) {
      const bent = Buffer.from(der);
      bent[index] = (bent[index] ?? 0) ^ 0x55;
      expect(certificates.readRequest(pem(bent)), `byte ${index}`).toBeUndefined();
      expect(certificates.readRequest(pem(der.subarray(0, index)))).toBeUndefined();
    }
  });
});
