// The root directory on a small file system of its own: full, read-only, with broken files. The daemon stays up and says so once.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, until } from '../support/daemon-process.ts';
import { DaemonWorld, isReady, nodeName, shellPod } from '../support/daemon-world.ts';

const problem = await containerdProblem();
const sizeKib = 512;

describe.skipIf(problem !== undefined)(`mqlet run on a bad disk${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  let disk = '';
  const start = () => world.startDaemon(['--root-dir', disk, '--admin-socket', path.join(world.fixture.directory, 'admin.sock')]);
  const mount = (...options: readonly string[]) => execFileSync('mount', [...options, disk]);
  const apply = (name: string) => {
    const pod = shellPod(name);
    expect(world.cloud.applyPod({ ...pod, spec: { containers: [], ...pod.spec, nodeName } }).ok).toBe(true);
  };
  const ready = (...names: readonly string[]) => until(`${names.join(', ')} are ready`, () => names.every((name) => isReady(world.cloudPod(name))), 30_000);
  const condition = () => world.cloud.nodes()[0]?.status?.conditions?.find(({ type }) => type === 'StorageProblem');
  const events = (reason: string) => world.cloud.events().filter((event) => event.reason === reason).length;
  const identities = () => ['one', 'two'].map((name) => world.cloudPod(name)?.status?.containerStatuses?.map(({ containerID, restartCount }) => [containerID, restartCount]));
  /** Until nothing more goes in. @returns the file that takes the room */
  const fill = (): string => {
    const ballast = path.join(disk, 'ballast');
    const file = openSync(ballast, 'w');
    const block = Buffer.alloc(4_096, 1);
    try {
      for (;;) writeSync(file, block);
    } catch {
      closeSync(file);
    }
    return ballast;
  };

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    disk = path.join(world.fixture.directory, 'disk');
    mkdirSync(disk);
    mount('-t', 'tmpfs', '-o', `size=${sizeKib}k`, 'tmpfs');
    daemon = start();
    await until('the node registers', () => world.cloud.nodes()[0]);
    apply('one');
    apply('two');
    await ready('one', 'two');
    await until('they are remembered', () => readdirSync(path.join(disk, 'cache', 'pods')).length === 2);
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });

  it.each([
    ['full', 'DiskFull', () => { const ballast = fill(); return () => rmSync(ballast); }],
    ['read-only', 'DiskReadOnly', () => { mount('-o', 'remount,ro'); return () => mount('-o', 'remount,rw'); }],
  ])('given a disk that is %s, when the cloud has news, then the daemon says so once in log, event and condition, its pods do not notice, and it recovers', async (what, reason, spoil) => {
    const before = identities();
    const logged = daemon.log('storage.trouble').length;
    const heal = spoil();
    apply(`late-${what}`);
    await until('the condition is there', () => condition()?.status === 'True' && condition()?.reason === reason, 30_000);
    await delay(6_000);
    expect(daemon.log('storage.trouble').length - logged).toBe(1);
    expect(events(reason)).toBe(1);
    expect(identities()).toEqual(before);
    expect(daemon.running()).toBe(true);
    heal();
    await until('the condition says so', () => condition()?.status === 'False', 40_000);
    await ready(`late-${what}`);
    expect(identities()).toEqual(before);
    expect(daemon.log('actor.failed')).toEqual([]);
  }, 120_000);

  it('given memory whose files are torn, when the daemon starts without a broker, then it sets them aside, says so, runs what it can read, and is whole when the cloud is there', async () => {
    const before = identities();
    await daemon.end('SIGKILL');
    await world.stopBroker();
    for (const folder of ['pods', 'statuses', 'node']) {
      const [file = ''] = readdirSync(path.join(disk, 'cache', folder)).filter((name) => name.endsWith('.json'));
      truncateSync(path.join(disk, 'cache', folder, file), 100);
    }
    daemon = start();
    await until('each is told', () => daemon.log('records.damaged').length === 3);
    expect(daemon.log('storage.trouble')).toHaveLength(1);
    await delay(1_000);
    expect(daemon.running()).toBe(true);
    await world.startBroker();
    await until('the cloud has made it whole', () => daemon.log('storage.well').length === 1, 40_000);
    await ready('one', 'two', 'late-full', 'late-read-only');
    expect(identities()).toEqual(before);
    await until('the files are there again', () => readdirSync(path.join(disk, 'cache', 'pods')).filter((name) => name.endsWith('.json')).length === 4);
    expect(readdirSync(path.join(disk, 'cache', 'pods')).filter((name) => name.endsWith('.damaged'))).toHaveLength(1);
  }, 120_000);
});
