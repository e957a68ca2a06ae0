// Why pods of the real daemon wait: what `mqlet describe` says of them while containerd, a registry, probes and a broker make them wait.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, until } from '../support/daemon-process.ts';
import { DaemonWorld, forever, nodeName, podManifest } from '../support/daemon-world.ts';

const problem = await containerdProblem();

function manifest(name: string, spec: object, container: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
    spec: { terminationGracePeriodSeconds: 20, containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], ...container }], ...spec },
  });
}

describe.skipIf(problem !== undefined)(`why pods wait${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    world.writeManifest('well.json', podManifest('well'));
    world.writeManifest('crashes.json', podManifest('crashes', 'exit 3'));
    world.writeManifest('no-image.json', manifest('no-image', {}, { image: '127.0.0.1:1/none:1' }));
    world.writeManifest('unready.json', manifest('unready', {}, { readinessProbe: { exec: { command: ['sh', '-c', 'echo not yet; exit 1'] }, periodSeconds: 2 } }));
    world.writeManifest('no-config.json', manifest('no-config', { volumes: [{ name: 'conf', configMap: { name: 'app' } }] }, { volumeMounts: [{ name: 'conf', mountPath: '/conf' }] }));
    world.writeManifest('slow.json', manifest('slow', {}, { lifecycle: { preStop: { sleep: { seconds: 15 } } } }));
    daemon = world.startDaemon();
    await world.runningPods(`well-${nodeName}`, `slow-${nodeName}`);
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });
  const whyOf = async (words: readonly string[]): Promise<string> => /^Why: +(.*)$/m.exec((await world.mqlet(['describe', ...words])).stdout)?.[1] ?? '';
  const expectWhy = async (words: readonly string[], sentence: RegExp): Promise<void> => {
    let last = '';
    await until(() => `why ${words.join(' ')}: ${last}`, async () => sentence.test(last = await whyOf(words)));
  };

  it.each<readonly [string, RegExp]>([
    ['well', /^Its container runs and has been ready for \d+ s\.$/],
    ['crashes', /^Container app has ended (?:\d+ times, last )?with exit code 3 \(Error\) \d+ s ago, and waits out its back-off of \d+ s \(CrashLoopBackOff\); restart \d+ comes in \d+ s \(ContainersReady is false\)\.$/],
    ['no-image', /^Container app lacks its image 127\.0\.0\.1:1\/none:1, whose pull failed \d+ s ago \(ImagePullBackOff\): .*connection refused.*; the next pull comes(?:, at the earliest,)? in \d+ s \(ContainersReady is false\)\.$/],
    ['unready', /^Container app runs but has not been ready for \d+ s: its readiness probe \(exec sh -c echo not yet; exit 1\) has failed \d+ times in a row \(threshold 3\), last with "not yet"; it is asked again in \d+ s \(ContainersReady is false\)\.$/],
    ['no-config', /^Its volume conf has not been there for \d+ s: .*configmap "app" not found; .* in \d+ s \(isStarted is false\)\.$/],
  ])('given the pod %s, when described, then the sentence says what it waits for and when it goes on', async (name, sentence) => {
    await expectWhy(['pod', `${name}-${nodeName}`], sentence);
  });

  it('given pods that wait, when listed wide, then each says in a few words what for', async () => {
    const { stdout } = await world.mqlet(['get', 'pods', '-o', 'wide']);
    expect(stdout).toMatch(/^crashes-\S+ .* restart \d+ of app \(in \d+s\)$/m);
    expect(stdout).toMatch(/^unready-\S+ .* readiness of app \(in \d+s\)$/m);
    expect(stdout).toMatch(/^well-\S+ .* <none>$/m);
  });

  it('given a pod whose manifest is taken away, when described, then its hook and the time of its kill are named', async () => {
    world.removeManifest('slow.json');
    await expectWhy(['pod', `slow-${nodeName}`], /^It is being stopped because the manifest \S+\/slow\.json no longer has it: app has been running its preStop hook for \d+ s, with a grace period of 20 s; what has not ended by then is killed in \d+ s \(isSettled is false\)\.$/);
  });

  it('given a broker that goes away, when pod and node are described, then both say since when and when it is tried again', async () => {
    await expectWhy(['node'], /^The node has been ready for \d+ s and in touch with its cloud, with 6 pods\.$/);
    await world.stopBroker();
    const unreachable = String.raw`the broker has been unreachable for \d+ s \(.*ECONNREFUSED.*\)`;
    await expectWhy(['node'], new RegExp(`^${unreachable.replace('t', 'T')}: its 6 pods go on(?:, and news of .* waits?)?; the next attempt to connect comes in \\d+ s \\(link up is false\\)\\.$`));
    await expectWhy(['pod', `well-${nodeName}`], new RegExp(`^Its container runs and has been ready for .*; the cloud \\S.*, for ${unreachable}; the next attempt to connect comes in \\d+ s \\(link up is false\\)\\.$`));
  });
});
