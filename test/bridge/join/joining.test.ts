// A device and a cloud side that say to each other what docs/join.md has: who gets in, who does not and why, and what is left behind.
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { frame, readFrame } from '../../../src/bus/join/join-frames.ts';
import { JoinWorld, settingsFile, yearMs } from './join-world.ts';

const refusedFor = (reason: string) => ({ ok: false, fault: { kind: 'refused', reason } });
const kindOf = (payload: Uint8Array) => {
  const read = readFrame(payload);
  return read.ok ? { kind: read.value.kind, reason: read.value.body['reason'] } : read.fault;
};

describe('joining', () => {
  test('given a token, when a device joins, then it has a certificate of its name and key, and settings that name them', async () => {
    const world = await new JoinWorld().start();
    const joined = await world.join(await world.token());
    expect(joined).toMatchObject({ ok: true, value: { nodeName: 'edge-07', url: 'mqtts://broker.example:8883' } });
    const folder = await world.identityFolder();
    expect(parse(await world.text(settingsFile))).toEqual({
      apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', hostnameOverride: 'edge-07', mqttUrl: 'mqtts://broker.example:8883', mqttRootTopic: 'fleet', mqttDialect: 'mqlet',
      mqttRenewCertificate: true, mqttCaFile: `${folder}/broker-ca.pem`, mqttCertFile: `${folder}/node.pem`, mqttKeyFile: `${folder}/node.pem`,
    });
    const node = await world.text(`${folder}/node.pem`);
    const [cert = '', key = ''] = node.split(/(?=-----BEGIN PRIVATE)/);
    expect(world.certificates.details(cert)).toMatchObject({ commonName: 'edge-07', organizations: ['mqlet:nodes'] });
    expect([world.certificates.isKeyOf(key, cert), world.certificates.isIssued(cert, await world.text(`${folder}/node-ca.pem`))]).toEqual([true, true]);
    expect(await world.text(`${folder}/broker-ca.pem`)).toBe(world.brokerCa.cert);
  });

  test('given all that passes at the broker, when it is searched, then neither the secret half of the token nor a key is in it', async () => {
    const world = await new JoinWorld().start();
    const token = await world.token();
    await world.join(token);
    const said = world.heard.map(({ payload }) => {
      const text = Buffer.from(payload).toString();
      return `${text}\n${Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()}`;
    }).join('\n');
    const record = await world.run(world.tokens.get(token.slice(0, 6)));
    expect(said).toContain(token.slice(0, 6));
    expect([said.includes(token.slice(7)), said.includes('PRIVATE KEY'), said.includes(record.ok ? (record.value?.key ?? '?') : '?')]).toEqual([false, false, false]);
  });

  test('given settings with words and comments of a person, when the device joins, then they stay', async () => {
    const world = await new JoinWorld().start();
    world.deviceFiles.put(settingsFile, '# ours\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 20 # few\n');
    expect((await world.join(await world.token())).ok).toBe(true);
    expect(await world.text(settingsFile)).toMatch(/^# ours\n[^]*maxPods: 20 # few\n[^]*mqttUrl: mqtts:/);
  });

  test('given a hash of another authority, when a device joins, then nothing is said and nothing is kept', async () => {
    const world = await new JoinWorld().start();
    const token = await world.token();
    const refused = await world.join(token, { pins: [`sha256:${'0'.repeat(64)}`] });
    expect(refused).toMatchObject({ ok: false, fault: { kind: 'impostor', message: expect.stringContaining('no certificate has the hash') as string } });
    expect([world.heard, await world.deviceHas()]).toEqual([[], []]);
  });

  test.each([
    ['expired', async (world: JoinWorld) => { const token = await world.token({ lifeMs: 1_000 }); await world.clock.advance(2_000); return token; }, 'TokenExpired', /expired at 2026-01-01T00:00/],
    ['used', async (world: JoinWorld) => { const token = await world.token(); await world.join(token, { nodeName: 'edge-01', again: true }); return token; }, 'TokenUsed', /used already/],
    ['revoked', async (world: JoinWorld) => { const token = await world.token(); await world.run(world.tokens.revoke(token.slice(0, 6))); return token; }, 'TokenRevoked', /was revoked/],
    ['unknown', () => Promise.resolve('abcdef.0123456789abcdef'), 'UnknownToken', /no such token; who says so did not prove/],
    ['of another secret half', async (world: JoinWorld) => `${(await world.token()).slice(0, 7)}0123456789abcdef`, 'NotProven', /secret half/],
    ['for another node', (world: JoinWorld) => world.token({ node: 'edge-99' }), 'NodeNameNotAllowed', /for the node edge-99, not for edge-07/],
  ])('given a token that is %s, when a device joins, then it is told why and keeps what it had', async (_name, tokenOf, reason, message) => {
    const world = await new JoinWorld().start();
    const token = await tokenOf(world);
    const before = await world.deviceHas();
    expect(await world.join(token, { again: true })).toMatchObject({ ...refusedFor(reason), fault: { kind: 'refused', reason, message: expect.stringMatching(message) as string } });
    expect(await world.deviceHas()).toEqual(before);
  });

  test.each([['ahead', yearMs], ['behind', -yearMs]])('given a device whose clock is a year %s, when it joins, then both times are told, and the token is good afterwards', async (_name, offMs) => {
    const world = await new JoinWorld().start();
    const token = await world.token();
    world.deviceClockOff(offMs);
    expect(await world.join(token)).toMatchObject({ ok: false, fault: { message: expect.stringMatching(/clock of .* says 202[5-7]-.*, that of .* 202[5-7]-.*; the token was not used/) as string } });
    expect(await world.deviceHas()).toEqual([]);
    world.deviceClockOff(0);
    expect((await world.join(token)).ok).toBe(true);
  });

  test('given all that a device said, when it is said again, at once and after a restart, then it brings nothing new and the reason is told', async () => {
    const world = await new JoinWorld().start();
    await world.join(await world.token());
    const [hello, ask] = world.heard.filter(({ topic }) => topic.endsWith('/up'));
    const [grant] = world.heard.filter(({ payload }) => Buffer.from(payload).toString() && JSON.stringify(kindOf(payload)).includes('grant'));
    if (hello === undefined || ask === undefined || grant === undefined) throw new Error('not heard');
    // In the try itself, where an answer may have been lost, the very same answer comes: the certificate is of no use without its key.
    expect((await world.say(ask.topic, ask.payload)).map(({ payload }) => Buffer.from(payload).toString())).toEqual([Buffer.from(grant.payload).toString()]);
    // On the topic of another device, and later, it is refused.
    const elsewhere = hello.topic.replace(/join-[0-9a-f]+/, 'join-0');
    expect((await world.say(elsewhere, hello.payload)).map(({ payload }) => kindOf(payload))).toEqual([{ kind: 'refusal', reason: 'NotProven' }]);
    expect((await world.say(elsewhere, ask.payload)).map(({ payload }) => kindOf(payload))).toEqual([{ kind: 'refusal', reason: 'Replayed' }]);
    await world.restartCloud();
    expect((await world.say(hello.topic, hello.payload)).map(({ payload }) => kindOf(payload))).toContainEqual({ kind: 'refusal', reason: 'TokenUsed' });
    expect((await world.say(ask.topic, ask.payload)).map(({ payload }) => kindOf(payload))).toContainEqual({ kind: 'refusal', reason: 'Replayed' });
    const given = await world.run(world.ledger.of('edge-07'));
    expect(given.ok && given.value.length).toBe(1);
  });

  test('given a broker that lies, when it puts another request in the place of the device\'s, then the device has the certificate and the other request none', async () => {
    const world = await new JoinWorld().start();
    const token = await world.token();
    const other = world.certificates.makeRequest({ commonName: 'edge-07', organizations: ['mqlet:nodes'] });
    const ear = world.broker.port({ clientId: 'liar' });
    await world.run(ear.connect({
      message: ({ topic, payload }) => {
        const read = readFrame(payload);
        if (!read.ok || read.value.kind !== 'hello') return;
        // Its own request, on the device's topic, with any seal it can think of, before the device's own.
        for (const proof of ['', 'AAAA', Buffer.from(read.value.proof).toString('base64url')]) void ear.publish({ topic, payload: Buffer.from(frame('ask', { request: other.request }, () => proof)), qos: 1, retain: false });
      },
      closed: () => undefined,
    }));
    await world.run(ear.subscribe('fleet/v1/join/+/up', 1));
    const joined = await world.join(token);
    const given = await world.run(world.ledger.of('edge-07'));
    const answers = world.heard.map(({ payload }) => kindOf(payload)).filter((one) => typeof one === 'object' && one.kind === 'refusal');
    expect(answers).toContainEqual({ kind: 'refusal', reason: 'NotProven' });
    const cert = await world.text(`${await world.identityFolder()}/node.pem`);
    expect([joined.ok, given.ok && given.value.length, world.certificates.isKeyOf(other.key, cert)]).toEqual([true, 1, false]);
  });

  test('given somebody who answers in the place of the cloud side, when a device joins, then he is found out, and nothing is asked of him', async () => {
    const world = new JoinWorld();
    const liar = world.broker.port({ clientId: 'liar' });
    await world.run(liar.connect({
      message: ({ topic }) => void liar.publish({ topic: topic.replace(/up$/, 'down'), payload: Buffer.from(frame('offer', { nonce: 'x', at: '2026-01-01T00:00:00Z' }, () => 'AAAA')), qos: 1, retain: false }),
      closed: () => undefined,
    }));
    await world.run(liar.subscribe('fleet/v1/join/+/up', 1));
    expect(await world.join('abcdef.0123456789abcdef')).toMatchObject({ ok: false, fault: { kind: 'impostor', message: expect.stringContaining('does not know the token') as string } });
    expect(await world.deviceHas()).toEqual([]);
  });

  test('given nobody who answers, when a device joins, then it says where it asked', async () => {
    const world = new JoinWorld();
    expect(await world.join('abcdef.0123456789abcdef')).toMatchObject({ ok: false, fault: { kind: 'silent', message: expect.stringMatching(/nobody answers on fleet\/v1\/join\/join-[0-9a-f]{32}\/up within 30 s/) as string } });
  });
});

describe('nodes that have joined', () => {
  const joined = async () => {
    const world = await new JoinWorld().start();
    expect((await world.join(await world.token())).ok).toBe(true);
    return { world, node: async () => world.text(`${await world.identityFolder()}/node.pem`) };
  };

  test('given a node, when it renews, then it has another certificate and key in the same file, and both are known', async () => {
    const { world, node } = await joined();
    const before = await node();
    await world.clock.advance(3_600_000);
    expect(await world.renew()).toMatchObject({ ok: true });
    const after = await node();
    const [cert = '', key = ''] = after.split(/(?=-----BEGIN PRIVATE)/);
    const given = await world.run(world.ledger.of('edge-07'));
    expect([after === before, world.certificates.isKeyOf(key, cert), given.ok && given.value.length]).toEqual([false, true, 2]);
  });

  test('given a renewal that was heard, when it is said again, then the same answer comes; in the name of another node, none', async () => {
    const { world } = await joined();
    await world.renew();
    const renewal = world.heard.find(({ topic }) => topic === 'fleet/v1/up/edge-07/join');
    if (renewal === undefined) throw new Error('not heard');
    expect((await world.say(renewal.topic, renewal.payload)).map(({ payload }) => kindOf(payload))).toEqual([{ kind: 'renewed', reason: undefined }]);
    expect((await world.say('fleet/v1/up/edge-08/join', renewal.payload)).map(({ payload }) => kindOf(payload))).toEqual([{ kind: 'refusal', reason: 'NotProven' }]);
    await world.restartCloud();
    await world.clock.advance(3_600_000);
    expect((await world.say(renewal.topic, renewal.payload)).map(({ payload }) => kindOf(payload))).toContainEqual({ kind: 'refusal', reason: 'ClockSkew' });
  });

  test('given a node that was revoked, when it renews, then it is refused and keeps what it has; with a token for its name it joins again', async () => {
    const { world, node } = await joined();
    const before = await node();
    expect(await world.run(world.ledger.revoke('edge-07'))).toEqual({ ok: true, value: { taken: 1, unreadable: [] } });
    expect(await world.renew()).toMatchObject(refusedFor('CertificateRevoked'));
    expect(await node()).toBe(before);
    expect((await world.join(await world.token(), { again: true })).ok).toBe(true);
    expect((await world.renew()).ok).toBe(true);
  });

  test('given a node that renews without end, when it was given 16 certificates in 30 days, then it is refused, keeps what it has, and can be revoked', async () => {
    const { world } = await joined();
    for (let count = 1; count < 16; count += 1) {
      await world.clock.advance(60_000);
      expect((await world.renew()).ok).toBe(true);
    }
    await world.clock.advance(60_000);
    expect(await world.renew()).toMatchObject(refusedFor('Unavailable'));
    await world.clock.advance(30 * 86_400_000);
    expect((await world.renew()).ok).toBe(true);
    // The oldest went before.
    expect(await world.run(world.ledger.revoke('edge-07'))).toEqual({ ok: true, value: { taken: 16, unreadable: [] } });
  });

  test('given a certificate that another process takes back, when it is renewed in that moment, then nothing is given', async () => {
    const { world } = await joined();
    const before = await world.run(world.ledger.of('edge-07'));
    await world.run(world.ledger.revoke('edge-07'));
    const renews = before.ok ? (before.value[0]?.serial ?? '') : '';
    expect(await world.run(world.ledger.give('edge-07', { serial: 'ab', notAfterMs: world.clock.nowMs() + yearMs }, { kind: 'renewal', renews }))).toMatchObject({ ok: false, fault: { kind: 'not-standing' } });
  });

  test('given a list that could not be written, when the node is revoked again, then it is; a record that cannot be read is named', async () => {
    const { world } = await joined();
    const write = world.cloudFiles.writeAtomic.bind(world.cloudFiles);
    world.cloudFiles.writeAtomic = (path, content, options) => (path.endsWith('.crl') ? Promise.resolve({ ok: false, fault: { kind: 'no-space', path, message: 'no space left' } }) : write(path, content, options));
    expect(await world.run(world.ledger.revoke('edge-07'))).toEqual({ ok: false, fault: 'no space left' });
    world.cloudFiles.writeAtomic = write;
    world.cloudFiles.put('/bridge/join/nodes/edge-08.json', 'broken');
    expect(await world.run(world.ledger.revoke('edge-07'))).toEqual({ ok: true, value: { taken: 0, unreadable: [expect.stringContaining('edge-08.json') as string] } });
    expect(await world.run(world.cloudFiles.read(world.ledger.listPath, { bytesMax: 10_000 }))).toMatchObject({ ok: true });
  });

  test('given a node that says the same without end, when a minute has not passed, then it is answered 20 times', async () => {
    const { world } = await joined();
    await world.renew();
    const renewal = world.heard.find(({ topic }) => topic === 'fleet/v1/up/edge-07/join');
    if (renewal === undefined) throw new Error('not heard');
    await world.clock.advance(60_000);
    let answers = 0;
    for (let count = 0; count < 25; count += 1) answers += (await world.say(renewal.topic, renewal.payload)).length;
    expect(answers).toBe(20);
  });

  test('given settings that are in their place though the disk says no, when a device joins, then what they name stays', async () => {
    const world = await new JoinWorld().start();
    const write = world.deviceFiles.writeAtomic.bind(world.deviceFiles);
    world.deviceFiles.writeAtomic = async (path, content, options) => {
      const written = await write(path, content, options);
      return path === settingsFile ? { ok: false, fault: { kind: 'no-space', path, message: 'not on disk' } } : written;
    };
    expect(await world.join(await world.token())).toMatchObject({ ok: false, fault: { kind: 'files', message: expect.stringContaining('is kept') as string } });
    expect(await world.text(parse(await world.text(settingsFile))['mqttCertFile'] as string)).toContain('PRIVATE KEY');
  });

  test('given a node that has joined, when another device comes with its name, then only a token for that name lets it in, and what was given before is taken back', async () => {
    const { world } = await joined();
    expect(await world.join(await world.token(), { again: true })).toMatchObject(refusedFor('NodeNameTaken'));
    expect((await world.join(await world.token({ node: 'edge-07' }), { again: true })).ok).toBe(true);
    const given = await world.run(world.ledger.of('edge-07'));
    expect(given.ok && given.value.map(({ revokedAtMs }) => revokedAtMs > 0)).toEqual([true, false]);
    // The former identity has gone with its key.
    expect((await world.deviceHas()).filter((path) => path.endsWith('node.pem'))).toHaveLength(1);
  });

  test('given a device that has joined, when it joins without a word that it has, then it is told so before its token is used', async () => {
    const { world } = await joined();
    const token = await world.token();
    expect(await world.join(token, { nodeName: 'edge-08' })).toMatchObject({ ok: false, fault: { kind: 'joined', message: expect.stringContaining('has joined already') as string } });
    expect((await world.join(token, { nodeName: 'edge-08', again: true })).ok).toBe(true);
  });

  test.each(['broker-ca.pem', 'node.pem', 'config.yaml'])('given a disk that is full when %s is written, when a device joins, then nothing of it stays and settings are as they were', async (name) => {
    const world = await new JoinWorld().start();
    world.deviceFiles.put(settingsFile, 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n');
    const write = world.deviceFiles.writeAtomic.bind(world.deviceFiles);
    world.deviceFiles.writeAtomic = (path, content, options) => (path.endsWith(name) ? Promise.resolve({ ok: false, fault: { kind: 'no-space', path, message: `${path}: no space left` } }) : write(path, content, options));
    expect(await world.join(await world.token())).toMatchObject({ ok: false, fault: { kind: 'files', message: expect.stringContaining('no space left; nothing was changed') as string } });
    expect(await world.deviceHas()).toEqual([settingsFile]);
    expect(await world.text(settingsFile)).not.toContain('mqtt');
  });
});
