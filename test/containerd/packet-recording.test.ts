// MQTT traffic written down, by a daemon and beside one, and played to another broker. Mosquitto and its own tools are real.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, mqlet, until } from '../support/daemon-process.ts';
import { DaemonWorld, isReady, nodeName, rootTopic, shellPod } from '../support/daemon-world.ts';

const problem = await containerdProblem();
const planted = 'correct-horse-battery-staple';
const launcher = path.resolve(import.meta.dirname, '../../bin/mqlet');

interface Line {
  readonly k?: string;
  readonly dir?: string;
  readonly topic?: string;
  readonly text?: string;
  readonly base64?: string;
}

describe.skipIf(problem !== undefined)(`recordings of packets${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  let file = '';
  let beside = '';

  const linesOf = (name: string): readonly Line[] => readFileSync(name, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Line); // ours
  const contentOf = (name: string): string => linesOf(name).map(({ text, base64 = '' }) => text ?? unpacked(Buffer.from(base64, 'base64'))).join('\n');
  const unpacked = (bytes: Buffer): string => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    file = path.join(world.fixture.directory, 'traffic.jsonl');
    beside = path.join(world.fixture.directory, 'beside.jsonl');
    const recorder = spawn(launcher, ['record', '--mqtt-url', `mqtt://127.0.0.1:${world.brokerPort}`, '-t', `${rootTopic}/#`, beside], { stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise((resolve) => recorder.stderr.once('data', resolve));
    daemon = world.startDaemon(['--record', file, '--mqtt-dialect', 'lite']);
    await until('the node registers', () => world.cloud.nodes()[0]);
    world.cloud.applyObject('Secret', { metadata: { name: 'keys', namespace: 'default' }, data: { token: Buffer.from(planted).toString('base64') } });
    const { spec } = shellPod('keeper');
    world.cloud.applyPod({
      metadata: { name: 'keeper', namespace: 'default' },
      spec: { ...spec, nodeName, containers: (spec?.containers ?? []).map((container) => ({ ...container, envFrom: [{ secretRef: { name: 'keys' } }] })) },
    });
    await until('the pod runs', () => isReady(world.cloudPod('keeper')));
    world.cloud.deletePod('default', 'keeper');
    await until('the pod is gone', () => world.cloudPod('keeper') === undefined);
    await daemon.end('SIGTERM');
    const ended = new Promise((resolve) => recorder.once('close', resolve));
    recorder.kill('SIGINT');
    expect(await ended).toBe(0);
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });

  it('given a pod life, when the daemon records, then packets of both directions and the link are there, and only root reads them', () => {
    const lines = linesOf(file);
    expect(lines[0]).toMatchObject({ recording: 1, kind: 'mqtt', masked: true });
    const kinds = new Set(lines.slice(1).map(({ k, dir, topic }) => `${k} ${dir ?? ''} ${topic ?? ''}`.trim()));
    expect(kinds).toEqual(new Set(['link', `packet up ${rootTopic}/data`, `packet down ${rootTopic}/ctl/${nodeName}`]));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([['the daemon', () => file], ['mqlet record', () => beside]])('given a secret on the wire, when %s records, then its value is masked and the rest is there', (_who, name) => {
    const content = contentOf(name());
    expect([planted, Buffer.from(planted).toString('base64')].filter((form) => content.includes(form))).toEqual([]);
    expect(content).toContain(Buffer.from('masked-1').toString('base64'));
    expect(content).toContain('keeper');
  });

  it('given a recording, when it is published to a broker, then who listens there gets the same packets; exported, they are lines as mosquitto_sub prints them', async () => {
    const args = ['--direction', 'down', '--topic', `${rootTopic}/ctl/+`];
    const recorded = linesOf(file).filter(({ dir }) => dir === 'down').map(({ base64 = '' }) => base64);
    expect(recorded.length).toBeGreaterThan(3);
    const heard: string[] = [];
    const listener = world.mqttClient('listener');
    await listener.connect({ message: ({ payload }) => heard.push(Buffer.from(payload).toString('base64')), closed: () => undefined });
    await listener.subscribe('#', 1);
    const published = await mqlet(['replay', file, '--publish', `mqtt://127.0.0.1:${world.brokerPort}`, '--speed', '0', ...args]);
    expect(published).toMatchObject({ code: 0, stdout: `${recorded.length} packets published\n`, stderr: '' });
    await until('all came', () => heard.filter((payload) => recorded.includes(payload)).length >= recorded.length);
    await listener.disconnect();
    const exported = await mqlet(['replay', file, '--export', ...args]);
    expect(exported.stdout.trim().split('\n')).toHaveLength(recorded.length);
    expect(JSON.parse(exported.stdout.split('\n')[0] ?? '')).toMatchObject({ topic: `${rootTopic}/ctl/${nodeName}`, qos: 1, retain: 0 });
  });

  it('given a small file, when more comes, then it is rotated, and older ones are packed', async () => {
    const small = path.join(world.fixture.directory, 'small.jsonl');
    const recorder = spawn(launcher, ['record', '--mqtt-url', `mqtt://127.0.0.1:${world.brokerPort}`, '--max-megabytes', '1', '--files', '2', small], { stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise((resolve) => recorder.stderr.once('data', resolve));
    const client = world.mqttClient('talker');
    await client.connect({ message: () => undefined, closed: () => undefined });
    // Four fit into a file: six files, of which the newest three stay.
    for (let count = 0; count < 24; count += 1) await client.publish({ topic: 'a/b', payload: Buffer.alloc(200_000, 65 + count), qos: 1, retain: false });
    await client.disconnect();
    // The broker has them all; the recorder may still be reading.
    await until('the last file has begun', () => readdirSync(world.fixture.directory).some((name) => name.startsWith('small.jsonl.5')));
    const ended = new Promise((resolve) => recorder.once('close', resolve));
    recorder.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(readdirSync(world.fixture.directory).filter((name) => name.startsWith('small')).sort()).toEqual(['small.jsonl', 'small.jsonl.4.gz', 'small.jsonl.5.gz']);
    expect(linesOf(small)[0]).toMatchObject({ recording: 1 });
  });

  it.each([
    [['record', 'file.jsonl'], 2, /no broker is named; give --mqtt-url/],
    [['record'], 2, /needs a file at the end/],
    [['record', '--mqtt-url', 'mqtt://127.0.0.1:1', path.join(tmpdir(), 'never-connected.jsonl')], 1, /127\.0\.0\.1:1: /],
    [['replay', '/no/such/file', '--export'], 1, /no such file/],
  ])('given mqlet %j, when it runs, then it exits with %i and one line', async (words, code, line) => {
    const outcome = await mqlet(words as string[]);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(line as RegExp);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  });
});
