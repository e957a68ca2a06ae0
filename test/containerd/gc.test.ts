// Garbage collection seen at a real runtime: thirty images and sixty dead containers, the victims and their order, logs and rotation.
import { gunzipSync } from 'node:zlib';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startContainerGc } from '../../src/actors/container-gc.ts';
import { imageGcPeriodMs, startImageGc } from '../../src/actors/image-gc.ts';
import { startLogRotation } from '../../src/actors/log-rotation.ts';
import { withLogRemoval } from '../../src/actors/removes-logs.ts';
import { connectCri, type CriConnection } from '../../src/adapters/cri/cri-client.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { NodeLogFiles } from '../../src/adapters/node-log-files.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Messages } from '../../src/bus/messages.ts';
import type { ClockPort } from '../../src/ports/clock-port.ts';
import type { DiskPort } from '../../src/ports/disk-port.ts';
import { ok, type Result } from '../../src/ports/result.ts';
import { busyboxImage, containerdProblem, type ContainerdFixture, withContainerd } from '../support/containerd.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aPod } from '../support/pods.ts';
import { containerConfigOf, sandboxConfigOf } from '../support/runtime-configs.ts';
import { silentLog } from '../support/silent-log.ts';
import { eventually } from '../support/real-node.ts';

const imageNames = Array.from({ length: 30 }, (_, index) => `mqlet.local/gc-${String(index).padStart(2, '0')}:1`);
const problem = await containerdProblem();

/** Real time, but its one timer goes off when the test says so. */
class HandClock implements ClockPort {
  readonly #real = new SystemClock();
  #passedMs = 0;
  #waiting: (() => void) | undefined;

  nowMs = () => this.#real.nowMs();
  monotonicMs = () => this.#real.monotonicMs() + this.#passedMs;
  setTimeout(callback: () => void): unknown {
    this.#waiting = callback;
    return callback;
  }
  clearTimeout(): void {
    this.#waiting = undefined;
  }
  /** Lets the time pass and the pass that waits for it come to its end. */
  async pass(durationMs: number): Promise<void> {
    const waiting = await eventually('the timer', () => this.#waiting, 60_000);
    this.#waiting = undefined;
    this.#passedMs += durationMs;
    waiting();
    await eventually('the end of the pass', () => this.#waiting, 120_000);
  }
}

describe.skipIf(problem)('garbage at a real runtime', () => {
  let fixture: ContainerdFixture;
  let cri: CriConnection;
  beforeAll(async () => {
    const files = (name: string) => [{ kind: 'file' as const, path: 'name', mode: 0o644, content: `${name}\n`.repeat(1_000) }];
    fixture = await withContainerd({ images: imageNames.map((name) => ({ name, files: files(name) })) });
    cri = connectCri({ endpoint: fixture.endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 60_000 });
  }, 180_000);
  afterAll(async () => {
    await cri?.close();
    await fixture?.stop();
  }, 120_000);

  const value = <T>(answer: Result<T, { readonly message: string }>): T => {
    if (!answer.ok) throw new Error(answer.fault.message);
    return answer.value;
  };
  const listen = () => {
    const bus = new Bus(new SystemClock());
    const removed: Messages['garbage.removed'][] = [];
    bus.as('test').on('garbage.removed', ({ payload }) => { removed.push(payload); });
    const relist = async () => {
      const [sandboxes, containers] = [value(await cri.runtime.listSandboxes()), value(await cri.runtime.listContainers())];
      bus.as('test').publish('runtime.relisted', { startedAtMs: Date.now(), sandboxes, containers });
    };
    return { bus, removed, relist };
  };

  it('given a container that writes much, when its log is rotated, then no line is lost and the older file is compressed', async () => {
    const { bus } = listen();
    const desired = aPod();
    const settings = { ...nodeSettings, podLogsDirectory: path.join(fixture.directory, 'rotated') };
    const directory = `${settings.podLogsDirectory}/default_web_${desired.uid}/app`;
    await mkdir(directory, { recursive: true });
    const pod = { uid: desired.uid, name: 'web', logDirectory: path.dirname(directory) };
    const sandbox = value(await cri.runtime.runSandbox(sandboxConfigOf(pod), ''));
    const script = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); [ $((i % 300)) = 0 ] && sleep 0.3; done; sleep 1000';
    const config = { ...containerConfigOf(pod, { image: busyboxImage, command: ['sh', '-c', script] }), logPath: 'app/0.log' };
    const id = value(await cri.runtime.createContainer(sandbox, config, sandboxConfigOf(pod)));
    value(await cri.runtime.startContainer(id));
    const clock = new HandClock();
    const rotation = startLogRotation({
      bus: bus.as('log-rotation'), clock, log: silentLog, runtime: cri.runtime, files: new NodeFiles(), logFiles: new NodeLogFiles(), settings,
      policy: { sizeMax: 20_000, filesMax: 100, workersMax: 1, periodMs: 10_000 },
    });
    const status = { phase: 'Running' as const, containerStatuses: [{ name: 'app', image: '', imageID: '', ready: true, restartCount: 0, containerID: `containerd://${id}`, state: { running: {} } }] };
    bus.as('test').publish('pod.status', { pod: desired, desired, status });
    const lines = async (): Promise<number[]> => {
      const texts = await Promise.all((await readdir(directory)).sort().map(async (name) => {
        const bytes = await readFile(path.join(directory, name));
        return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      }));
      return texts.join('').split('\n').flatMap((line) => /line (\d+)$/.exec(line)?.[1] ?? []).map(Number).sort((a, b) => a - b);
    };
    for (let seen = 0; seen < 3_000; seen = (await lines()).length) {
      await clock.pass(10_000);
      // A name of a rotated file has whole seconds.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect(await lines()).toEqual(Array.from({ length: 3_000 }, (_, index) => index));
    const names = await readdir(directory);
    expect(names).toContain('0.log');
    expect(names.filter((name) => /^0\.log\.\d{8}-\d{6}$/.test(name)).length).toBeGreaterThanOrEqual(1);
    expect(names.filter((name) => /^0\.log\.\d{8}-\d{6}\.gz$/.test(name)).length).toBeGreaterThanOrEqual(1);
    await rotation.stop();
    await cri.runtime.stopSandbox(sandbox);
    await cri.runtime.removeSandbox(sandbox);
  }, 240_000);

  it('given 30 images, when their file system is too full, then the longest unused go in order until there is room, and used ones stay', async () => {
    const { bus, removed, relist } = listen();
    const pod = { uid: 'image-user' };
    const sandbox = value(await cri.runtime.runSandbox(sandboxConfigOf(pod), ''));
    const users = await Promise.all(imageNames.slice(0, 10).map(async (image, attempt) =>
      value(await cri.runtime.createContainer(sandbox, containerConfigOf(pod, { image, command: ['/name'] }, { attempt }), sandboxConfigOf(pod)))));
    const clock = new HandClock();
    let disk: DiskPort = new NodeLogFiles();
    const gc = startImageGc({
      bus: bus.as('image-gc'), clock, log: silentLog, runtime: cri.runtime, images: cri.images, disk: { space: (place) => disk.space(place) },
      policy: { minAgeMs: 120_000, maxAgeMs: 0, highPercent: 85, lowPercent: 80, sandboxImage: '' },
    });
    // The real disk has room, or not: nothing is old enough yet.
    await relist();
    const images = value(await cri.images.list());
    const idOf = (name: string) => images.find(({ repoTags }) => repoTags.includes(name))?.id ?? '';
    disk = { space: async () => ok({ capacityBytes: 2 ** 40, availableBytes: 2 ** 39 }) };
    for (const id of users.slice(0, 5)) await cri.runtime.removeContainer(id);
    await clock.pass(imageGcPeriodMs);
    for (const id of users.slice(5, 8)) await cri.runtime.removeContainer(id);
    await clock.pass(imageGcPeriodMs);
    expect(removed).toEqual([]);

    const used = imageNames.slice(8, 10).map(idOf);
    const inOrder = (names: readonly string[]) => names.map(idOf).sort();
    const others = images.filter(({ id, repoTags, pinned }) => !pinned && !repoTags.some((tag) => tag.includes('pause') || imageNames.includes(tag)) && !used.includes(id)).map(({ id }) => id);
    const never = [...new Set([...inOrder(imageNames.slice(10)), ...others])].sort();
    const expected = [...never, ...inOrder(imageNames.slice(0, 5)), ...inOrder(imageNames.slice(5, 8))];
    const first = expected.slice(0, never.length + 3);
    const wanted = first.reduce((sum, id) => sum + (images.find((image) => image.id === id)?.sizeBytes ?? 0), 0);
    disk = { space: async () => ok({ capacityBytes: wanted * 5, availableBytes: 0 }) };
    await clock.pass(imageGcPeriodMs);
    expect(removed.map(({ id }) => id)).toEqual(first);
    bus.as('test').publish('gc.requested', { requestId: 'r', what: 'images', reason: 'test' });
    await eventually('the answer', () => removed.length === expected.length, 60_000);
    expect(removed.map(({ id }) => id)).toEqual(expected);
    const left = value(await cri.images.list());
    expect(left.filter(({ repoTags }) => repoTags.some((tag) => imageNames.includes(tag))).map(({ id }) => id).sort()).toEqual([...used].sort());
    expect(left.some(({ repoTags }) => repoTags.some((tag) => tag.includes('pause')))).toBe(true);
    await gc.stop();
    await cri.runtime.stopSandbox(sandbox);
    await cri.runtime.removeSandbox(sandbox);
  }, 240_000);

  it('given 60 dead containers of 6 pods, when the node may keep 20, then the surplus goes in order and the logs with it', async () => {
    const { bus, removed, relist } = listen();
    const logDirectory = path.join(fixture.directory, 'logs');
    const expectedFirst: string[] = [];
    const expectedThen: string[] = [];
    const kept: string[] = [];
    for (let number = 0; number < 6; number += 1) {
      const pod = { uid: `dead-${number}`, name: `dead-${number}`, logDirectory };
      await mkdir(logDirectory, { recursive: true });
      const sandbox = value(await cri.runtime.runSandbox(sandboxConfigOf(pod), ''));
      for (const name of ['app', 'side']) {
        for (let attempt = 0; attempt < 5; attempt += 1) {
          const config = containerConfigOf(pod, { image: imageNames[8] ?? '', command: ['/name'] }, { name, attempt });
          const id = value(await cri.runtime.createContainer(sandbox, { ...config, logPath: `${pod.name}-${name}-${attempt}.log` }, sandboxConfigOf(pod)));
          (attempt < 3 ? expectedFirst : attempt === 3 ? expectedThen : kept).push(id);
        }
      }
    }
    const gc = startContainerGc({
      bus: bus.as('container-gc'), clock: new HandClock(), log: silentLog, files: new NodeFiles(), podLogsDirectory: logDirectory, knows: () => true,
      runtime: withLogRemoval(cri.runtime, { files: new NodeFiles(), settings: { podLogsDirectory: logDirectory } }),
      policy: { minAgeMs: 0, perContainerMax: 2, containersMax: 20 },
    });
    await relist();
    await eventually('the pass', () => removed.length >= 48, 120_000);
    expect(removed.map(({ id }) => id)).toEqual([...expectedFirst, ...expectedThen]);
    expect(value(await cri.runtime.listContainers()).map(({ id }) => id).sort()).toEqual([...kept].sort());
    await gc.stop();
    for (const { id } of value(await cri.runtime.listSandboxes())) {
      await cri.runtime.stopSandbox(id);
      await cri.runtime.removeSandbox(id);
    }
  }, 240_000);
});
