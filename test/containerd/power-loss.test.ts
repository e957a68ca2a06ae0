// The daemon is killed with SIGKILL at seeded moments while pods are applied and deleted and the broker comes and goes; each time it is
// started again. In the end the runtime, the cloud and the node's memory must agree, and a boot without a broker must know the pods.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectCri, type CriConnection } from '../../src/adapters/cri/cri-client.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import type { Pod } from '../../src/ports/pod-types.ts';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, until } from '../support/daemon-process.ts';
import { DaemonWorld, isReady, nodeName, podManifest, shellPod } from '../support/daemon-world.ts';
import { silentLog } from '../support/silent-log.ts';

const problem = await containerdProblem();
const kills = 20;
const names = ['a', 'b', 'c', 'd', 'e'];
const staticPod = `static-${nodeName}`;

describe.skipIf(problem !== undefined)(`mqlet run that is killed${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let cri: CriConnection;
  let daemon: DaemonProcess;
  const random = new SeededRandom('power-loss');
  const folder = (name: string): readonly string[] => {
    const at = path.join(world.rootDirectory, name);
    return existsSync(at) ? readdirSync(at).filter((file) => !file.startsWith('.')).sort() : [];
  };
  const outbox = () => path.join(world.rootDirectory, 'outbox', 'events.journal');
  const apply = (name: string): void => {
    const pod = shellPod(name);
    const applied = world.cloud.applyPod({ ...pod, spec: { containers: [], ...pod.spec, nodeName } });
    expect(applied.ok).toBe(true);
  };
  const wanted = (): readonly Pod[] => world.cloud.pods();
  /** Names of pods with a running container, one for each container. */
  const running = async (): Promise<readonly string[]> => {
    const [sandboxes, containers] = await Promise.all([cri.runtime.listSandboxes(), cri.runtime.listContainers()]);
    const nameOf = new Map((sandboxes.ok ? sandboxes.value : []).map(({ id, name }) => [id, name]));
    return (containers.ok ? containers.value : []).filter(({ state }) => state === 'running').map(({ sandboxId }) => nameOf.get(sandboxId) ?? sandboxId).sort();
  };
  const inStep = () => until('runtime and cloud agree', async () => {
    const pods = wanted();
    if (!pods.some(({ metadata }) => metadata?.name === staticPod)) return false;
    if (pods.some((pod) => pod.metadata?.deletionTimestamp !== undefined || !isReady(pod))) return false;
    return (await running()).join() === pods.map(({ metadata }) => metadata?.name ?? '').sort().join();
  }, 60_000);

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    cri = connectCri({ endpoint: world.fixture.endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 30_000 });
    world.writeManifest('static.json', podManifest('static'));
    daemon = world.startDaemon();
    await until('the node registers', () => world.cloud.nodes()[0]);
    for (const name of names) apply(name);
    await inStep();
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await cri?.close();
    await world?.stop();
  });

  it(`given pods that come and go, when it is killed at ${kills} moments and started again, then no pod is lost, none runs twice, and all is told`, async () => {
    const before = await world.pods();
    let brokerIsUp = true;
    for (let kill = 0; kill < kills; kill += 1) {
      if (random.fraction() < 0.2) {
        if (brokerIsUp) await world.stopBroker();
        else await world.startBroker();
        brokerIsUp = !brokerIsUp;
      }
      const name = names[random.integer(1, names.length - 1)] ?? '';
      const known = world.cloudPod(name);
      if (known === undefined) apply(name);
      else if (known.metadata?.deletionTimestamp === undefined) world.cloud.deletePod('default', name);
      await delay(random.integer(0, 700));
      await daemon.end('SIGKILL');
      daemon = world.startDaemon();
      await delay(random.integer(50, 700));
    }
    if (!brokerIsUp) await world.startBroker();
    for (const name of names) if (world.cloudPod(name) === undefined) apply(name);
    await until('deleted pods are gone', () => {
      for (const name of names) if (world.cloudPod(name) === undefined) apply(name);
      return names.every((name) => world.cloudPod(name)?.metadata?.deletionTimestamp === undefined);
    }, 60_000);
    await inStep();
    expect(await running()).toEqual([...names, staticPod].sort());
    // Nobody touched these: they ran through it all.
    for (const name of ['a', staticPod]) {
      const [then, now] = [before.get(name), (await world.pods()).get(name)].map((pod) => pod?.status?.containerStatuses?.map(({ containerID, restartCount }) => ({ containerID, restartCount })));
      expect(now).toEqual(then);
    }
    await until('the outbox is empty', () => !existsSync(outbox()));
    const uids = wanted().filter(({ metadata }) => metadata?.name !== staticPod).map(({ metadata }) => `${metadata?.uid ?? ''}.json`).sort();
    await until('the node remembers the pods of the cloud', () => folder('cache/pods').join() === uids.join());
    expect(daemon.log('records.damaged')).toEqual([]);
    expect(daemon.log('actor.failed')).toEqual([]);
  }, 240_000);

  it('given no broker, when daemon and containers are gone and it is started again, then the same pods run, and the events of that hour reach the cloud later', async () => {
    await world.stopBroker();
    await daemon.end('SIGKILL');
    const listed = await cri.runtime.listSandboxes();
    for (const { id } of listed.ok ? listed.value : []) {
      await cri.runtime.stopSandbox(id);
      await cri.runtime.removeSandbox(id);
    }
    expect(await running()).toEqual([]);
    daemon = world.startDaemon();
    await until('the pods run again', async () => (await running()).join() === [...names, staticPod].sort().join(), 30_000);
    const waiting = () => (existsSync(outbox()) ? (readFileSync(outbox(), 'utf8').match(/"reason":"Started"/g)?.length ?? 0) : 0);
    await until('what happened waits on disk', () => waiting() > names.length);
    const started = () => world.cloud.events().filter(({ reason }) => reason === 'Started').length;
    const startedBefore = started();
    await daemon.end('SIGKILL');
    // The node may be back before the cloud is: events have no answers, and wait until it is heard.
    daemon = world.startDaemon();
    await world.startBroker();
    await until('they are delivered', () => started() >= startedBefore + names.length + 1, 60_000);
    await inStep();
    const uids = world.cloud.events().map(({ metadata }) => metadata?.name);
    expect(new Set(uids).size).toBe(uids.length);
  }, 120_000);
});
