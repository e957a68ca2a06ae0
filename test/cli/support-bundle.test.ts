// A support bundle of a node on a made-up machine: what is in it, what is named as missing, and that no secret is.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runSupportBundle } from '../../src/cli/support-bundle/support-bundle.ts';
import { redactConfig, redactPods } from '../../src/doctor/redact.ts';
import { type DoctorWorld, doctorTerminal, startDoctorWorld } from '../support/doctor-world.ts';

let world: DoctorWorld;
beforeEach(async () => {
  world = await startDoctorWorld();
});
afterEach(() => world.stop());

describe('mqlet support-bundle', () => {
  test('given a node that does not run, when it is packed, then findings, settings and runtime are in it, the rest is named, and no secret is', async () => {
    const at = (name: string): string => path.join(world.directory, name);
    mkdirSync(at('node/cache/secrets'), { recursive: true });
    writeFileSync(at('node/cache/secrets/default_db.json'), JSON.stringify({ kind: 'Secret', metadata: { name: 'db', namespace: 'default' }, data: { word: Buffer.from('open-sesame-9').toString('base64') } }));
    writeFileSync(at('config.yaml'), `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmqttUrl: mqtt://127.0.0.1:1\nmqttRootTopic: fleet\nmqttUsername: node\nmqttPassword: broker-word-7\nrecord: ${at('traffic.jsonl')}\n`, { mode: 0o600 });
    writeFileSync(at('traffic.jsonl'), '{"payload":"the word is open-sesame-9"}\n');
    const printed: string[] = [];
    const flags = ['--config', at('config.yaml'), '--root-dir', at('node'), '--container-runtime-endpoint', world.endpoint, '--pod-logs-dir', at('logs'), '--hostname-override', 'edge-07', '--healthz-port', '0'];
    const pack = (...more: readonly string[]) => runSupportBundle(['--no-broker', ...more, ...flags], doctorTerminal(printed, {}), { systemRoot: at('tree') });
    expect(await pack('--output', at('plain.tar.gz'))).toBe(0);
    expect(execFileSync('tar', ['-tzf', at('plain.tar.gz')], { encoding: 'utf8' })).not.toContain('recording');
    expect(await pack('--with-recording', '--output', at('b.tar.gz'))).toBe(0);
    expect(printed.join('')).toMatch(/left out: pods\.json: no node answers/);
    expect(statSync(at('b.tar.gz')).mode & 0o777).toBe(0o600);
    execFileSync('tar', ['-C', world.directory, '-xzf', at('b.tar.gz')]);
    const names = readdirSync(at('mqlet-support')).sort();
    expect(names).toEqual(expect.arrayContaining(['README.txt', 'config.yaml', 'doctor.json', 'doctor.txt', 'files.txt', 'recording.jsonl', 'runtime.json', 'version.txt']));
    const texts = names.map((name) => readFileSync(at(`mqlet-support/${name}`), 'utf8')).join('\n');
    expect(texts).not.toMatch(/open-sesame-9|broker-word-7|b3Blbi1zZXNhbWUtOQ/);
    expect(readFileSync(at('mqlet-support/config.yaml'), 'utf8')).toContain('mqttPassword: (taken out)\nrecord:');
    expect(readFileSync(at('mqlet-support/recording.jsonl'), 'utf8')).toContain('the word is masked-');
    expect(JSON.parse(readFileSync(at('mqlet-support/doctor.json'), 'utf8'))).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining({ check: 'kernel.version' })]) });
  });

  test.each([
    ['mqttPassword: "a b"\nx: 1', 'mqttPassword: (taken out)\nx: 1'],
    ['mqttPassword: a,b}c#d \'e"\nx: 1', 'mqttPassword: (taken out)\nx: 1'],
    ['mqttPassword: |\n  one\n\n  two # more\nx: 1', 'mqttPassword: (taken out)\n\nx: 1'],
    ['a:\n  - mqttSecretKey: "b\n      c"\n    x: 1', 'a:\n  - mqttSecretKey: (taken out)\n    x: 1'],
    ['{mqttSecretKey: "a\\"b", mqttAccessKey: \'c\'\'d\', x: 1}', '{mqttSecretKey: (taken out), mqttAccessKey: (taken out), x: 1}'],
    ['{mqttSecretKey: abc, mqttGroup: g}', '{mqttSecretKey: (taken out), mqttGroup: g}'],
    ['mqttUrl: mqtts://user:word@broker.example', 'mqttUrl: mqtts://(taken out)@broker.example'],
    ['mqttPasswordFile: /etc/mqlet/password', 'mqttPasswordFile: /etc/mqlet/password'],
  ])('given the settings %j, when they are redacted, then only secrets go', (given, expected) => expect(redactConfig(given)).toBe(expected));

  test('given a pod with values in its environment and its arguments, when it is redacted, then they go and the rest stays', () => {
    const pod = { metadata: { name: 'web', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }, spec: { containers: [{ name: 'app', args: ['--password=abc', '--port=80', '--token', 'a, b', '--api-key', '--debug'], env: [{ name: 'A', value: 'b' }, { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }] } };
    expect(redactPods(pod)).toEqual({
      metadata: { name: 'web', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '(taken out)' } },
      spec: { containers: [{ name: 'app', args: ['--password=(taken out)', '--port=80', '--token', '(taken out)', '--api-key', '--debug'], env: [{ name: 'A', value: '(taken out)' }, { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }] },
    });
  });
});
