// The daemon where its world is in disorder: no runtime, no broker, a broker it cannot trust, and input that is broken or hostile.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import { badManifests, badPayloads, gzipBomb, lyingBomb } from '../support/bad-input.ts';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, until } from '../support/daemon-process.ts';
import { containersOf, DaemonWorld, isReady, nodeName, podManifest, rootTopic, shellPod } from '../support/daemon-world.ts';

const problem = await containerdProblem();
const controlTopic = `${rootTopic}/ctl/${nodeName}`;
/** Of each kind, one after the other, each of 200 MiB unpacked; and once more as many. */
const bombs = 25;
/** What the collector may let lie of the packets and of what was unpacked in vain; and that this does not grow with their number. */
const growthBytesMax = 96 * 2 ** 20;
const furtherGrowthBytesMax = 32 * 2 ** 20;

describe.skipIf(problem !== undefined)(`mqlet run in trouble${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  let raw: MqttPort;
  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await raw?.disconnect();
    await world?.stop();
  });
  const send = (payload: Uint8Array) => raw.publish({ topic: controlTopic, payload, qos: 1, retain: false });
  const toldOf = (text: string) => daemon.log('input.refused').find(({ message }) => String(message).includes(text));
  /** @returns bytes resident after the last one was refused */
  const sendBombs = async (round: string): Promise<number> => {
    for (let sent = 0; sent < bombs; sent += 1) for (const payload of [gzipBomb, lyingBomb]) await send(payload);
    // Payloads are taken in order: when this one has its line, all before it are done.
    await send(gzipSync(`{"data_type":"${round}"}`));
    await until(`the bombs of the ${round} are refused`, () => toldOf(round));
    return daemon.residentBytes();
  };
  const mirror = (name: string) => isReady(world.cloudPod(`${name}-${nodeName}`));
  const nodesTable = async () => (await world.mqlet(['get', 'nodes'])).stdout;

  it('given neither containerd nor broker, when the daemon starts, then it waits, says so once, and runs static pods as soon as containerd is there', async () => {
    await world.stopBroker();
    process.kill(world.fixture.containerd.pid, 'SIGKILL');
    world.writeManifest('one.json', podManifest('one'));
    daemon = world.startDaemon(['--mqtt-dialect', 'lite']);
    await until('it has tried again', () => daemon.log('mqtt.not-connected').length > 0 && daemon.log('runtime.health').length > 0);
    await until('the node has read its manifest', async () => new RegExp(`^${nodeName} +NotReady +(?:backingOff|connecting) +1 `, 'm').test(await nodesTable()));
    expect((await world.mqlet(['describe', 'pod', `one-${nodeName}`])).stdout).toMatch(/^Why: +The container runtime has not been ready(?: for \d+ s)? \(connect ECONNREFUSED \S+\); it is asked again every few seconds \(RuntimeReady is false\); the cloud \S.*, for the broker has not been reached for \d+ s \(mqtt:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .*\(link up is false\)\.$/m);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(daemon.log('runtime.health')).toEqual([expect.objectContaining({ level: 'warn', message: expect.stringMatching(/^container runtime is down: connect ECONNREFUSED \/\S+c\.sock$/) })]);
    expect(daemon.log('mqtt.not-connected')).toEqual([expect.objectContaining({ level: 'warn', reason: expect.stringMatching(/^mqtt:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/) })]);
    expect(daemon.log('runtime.relist-failed')).toEqual([]);
    expect((await world.fixture.containerd.restart()).ok).toBe(true);
    await world.runningPods(`one-${nodeName}`);
    expect(world.cloud.nodes()).toEqual([]);
  });

  it('given a daemon that runs alone, when the broker comes, goes and comes again, then the node registers and its status is in step each time', async () => {
    await world.startBroker();
    await until('the node registers and its pod is reported', () => world.cloud.nodes().length === 1 && mirror('one'), 30_000);
    await world.stopBroker();
    await daemon.logged('mqtt.lost');
    world.writeManifest('two.json', podManifest('two'));
    await world.runningPods(`two-${nodeName}`);
    expect(mirror('two')).toBe(false);
    await world.startBroker();
    await until('what happened meanwhile is reported', () => mirror('two'), 30_000);
    expect(daemon.log('mqtt.up')).toHaveLength(2);
    expect(await nodesTable()).toMatch(new RegExp(`^${nodeName} +Ready +up +2 `, 'm'));
  });

  it('given running pods, when a folder of broken manifests appears, then each has its line and the pods do not notice', async () => {
    expect(world.cloud.applyPod({ ...shellPod('pushed'), spec: { nodeName, containers: [], ...shellPod('pushed').spec } }).ok).toBe(true);
    const before = containersOf(await world.runningPods(`one-${nodeName}`, `two-${nodeName}`, 'pushed'));
    for (const [name, content] of badManifests) world.writeManifest(name, content);
    for (const [name, , says] of badManifests) {
      const { level, message } = await daemon.logged('input.refused', ({ message: line }) => String(line).startsWith(`${world.manifests}/${name}`));
      expect(level).toBe('warn');
      expect(String(message).slice(world.manifests.length + 1 + name.length)).toMatch(says);
    }
    expect(daemon.log('input.refused')).toHaveLength(badManifests.length);
    for (const [name] of badManifests) world.removeManifest(name);
    expect(containersOf(await world.pods())).toEqual(before);
  });

  it('given running pods, when broken and hostile payloads come, then each has its line, the pods do not notice, and nothing grows', async () => {
    const before = containersOf(await world.pods());
    const residentBefore = daemon.residentBytes();
    raw = world.mqttClient('raw');
    expect((await raw.connect({ message: () => undefined, closed: () => undefined })).ok).toBe(true);
    const linesBefore = daemon.log('input.refused').length;
    for (const [name, payload, says] of badPayloads) {
      const told = daemon.log('input.refused').length;
      await send(payload);
      await until(`a line about ${name}`, () => daemon.log('input.refused').length > told);
      const line = String(daemon.log('input.refused').at(-1)?.['message']);
      expect(line.slice(0, controlTopic.length)).toBe(controlTopic);
      expect(line.slice(controlTopic.length)).toMatch(says);
    }
    const residentBetween = await sendBombs('first round');
    const residentAfter = await sendBombs('second round');
    expect((await world.mqlet(['apply', '-f', '-'], { input: podManifest('after') })).code).toBe(0);
    await world.runningPods('after');
    await world.mqlet(['delete', 'pod', 'after']);
    // What was told before is not told again.
    expect(daemon.log('input.refused')).toHaveLength(linesBefore + badPayloads.length + 2);
    expect(containersOf(await world.pods())).toEqual(before);
    console.info(`memory: ${[residentBefore, residentBetween, residentAfter].map(mebibytes).join(', ')} before, between and after the bombs`);
    expect(residentAfter - residentBefore).toBeLessThan(growthBytesMax);
    expect(residentAfter - residentBetween).toBeLessThan(furtherGrowthBytesMax);
    expect(daemon.stray()).toEqual([]);
  });
});

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
