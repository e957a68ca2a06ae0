// An hour without the broker under churn; what the node writes to its disk; and a disk that does not do what it should.
import { describe, expect, it } from 'vitest';
import { eventsMax } from '../../src/bus/egress/write-queue.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { NodeCondition } from '../../src/machines/decide/node-object.ts';
import { samePodStatus } from '../../src/machines/decide/pod-status.ts';
import { apply, calmWorld, cloudPod, putManifest, runningPods, simPod } from './offline-world.ts';
import { manifestDirectory, rootDirectory, type World } from './world.ts';

const hourMs = 3_600_000;
const churningPods = 20;
const outboxFile = `${rootDirectory}/outbox/events.journal`;

/** A figure of the metrics page; 0 where it has not been counted yet. */
async function metric(world: World, name: string): Promise<number> {
  const answer = await world.agent?.health.handle({ method: 'GET', path: '/metrics', query: new Map(), headers: {}, body: new Uint8Array() });
  return [...(answer?.body ?? '').matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0);
}

const untold = (world: World): readonly string[] => world.cloud.pods()
  .filter(({ metadata, status }) => !samePodStatus(status ?? {}, world.checkers.statuses.get(localUid(world, metadata?.name, metadata?.uid)) ?? {}))
  .map(({ metadata }) => metadata?.name ?? '');

/** Statuses are kept by UID on the node; a mirror pod's own is the cloud's. */
function localUid(world: World, name: string | undefined, uid = ''): string {
  if (world.checkers.statuses.has(uid)) return uid;
  const container = [...world.runtime.containers.values()].find(({ config }) => config.labels['io.kubernetes.pod.name'] === name);
  return container?.podUid ?? '';
}

describe('a broker that is away for an hour', () => {
  it('given 20 pods that come, crash and go meanwhile, when it is back, then memory stayed bounded and the cloud sees in 5 s what the node shows', async () => {
    const world = await calmWorld('hour');
    const crash = { containers: [{ name: 'app', image: 'sim/crash:1' }] };
    for (let index = 0; index < churningPods - 5; index += 1) apply(world, simPod(`m${index}`, index % 3 === 0 ? crash : {}));
    for (let index = 0; index < 5; index += 1) putManifest(world, simPod(`f${index}`));
    await world.pass(60_000);
    const lanes: string[] = [];
    world.broker.goDown();
    let waitingMax = 0;
    let queuedMax = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      for (const { id, state, podUid } of [...world.runtime.containers.values()]) if (state === 'running' && world.random.fraction() < 0.1 && podUid !== '') world.runtime.kill(id);
      if (minute % 10 === 4) world.files.take(`${manifestDirectory}/f${minute % 5}.yaml`);
      if (minute % 10 === 8) putManifest(world, simPod(`f${minute % 5}`, { terminationGracePeriodSeconds: minute }));
      if (minute === 30) world.killDaemon({ downMs: 2_000 });
      await world.pass(60_000);
      waitingMax = Math.max(waitingMax, world.checkers.writes.size);
      queuedMax = Math.max(queuedMax, world.agent?.bus.statistics().queuedMax ?? 0);
    }
    const writtenBytes = await metric(world, 'mqlet_disk_written_bytes_total');
    const outboxBytes = world.files.peek(outboxFile)?.bytes.byteLength ?? 0;
    const upAt: number[] = [];
    world.agent?.bus.tap((envelope: AnyEnvelope) => {
      if (envelope.topic === 'mqtt.link' && envelope.payload.state === 'up') upAt.push(world.clock.monotonicMs());
      if (envelope.topic === 'api.write') lanes.push(envelope.payload.lane);
    });
    expect(untold(world).length).toBeGreaterThan(0);
    world.broker.comeUp();
    await world.passUntil(() => upAt.length > 0, { limitMs: 120_000, everyMs: 10 });
    // Pods that crash by themselves change while one looks.
    const isInStep = (): boolean => untold(world).length === 0;
    expect(await world.passUntil(isInStep, { limitMs: 5_000, everyMs: 100 }), untold(world).join()).toBe(true);
    const inStepMs = world.clock.monotonicMs() - (upAt[0] ?? 0);
    expect(await world.passUntil(() => world.files.peek(outboxFile) === undefined, { limitMs: 60_000, everyMs: 100 })).toBe(true);
    console.info(`an hour away: at most ${waitingMax} writes and ${queuedMax} messages waited, outbox ${outboxBytes} bytes, ${writtenBytes} bytes written in half an hour, in step ${inStepMs} ms after the link, ${lanes.length} writes after it`);
    expect(waitingMax).toBeLessThanOrEqual(eventsMax);
    expect(queuedMax).toBeLessThan(1_000);
    expect(outboxBytes).toBeLessThan(600_000);
  }, 120_000);
});

describe('the disk', () => {
  it('given 50 running pods, when an hour passes and nothing changes, then nothing is written', async () => {
    const world = await calmWorld('idle');
    for (let index = 0; index < 50; index += 1) apply(world, simPod(`m${index}`));
    await world.passUntil(() => runningPods(world).length === 50, { limitMs: 300_000, everyMs: 1_000 });
    await world.pass(600_000);
    const before = await metric(world, 'mqlet_disk_written_bytes_total');
    const syncsBefore = await metric(world, 'mqlet_disk_files_synced_total');
    await world.pass(hourMs);
    const bytes = (await metric(world, 'mqlet_disk_written_bytes_total')) - before;
    console.info(`50 pods: ${before} bytes and ${syncsBefore} syncs to bring them up, ${bytes} bytes in an idle hour`);
    expect(before).toBeGreaterThan(50 * 500);
    expect([bytes, (await metric(world, 'mqlet_disk_files_synced_total')) - syncsBefore]).toEqual([0, 0]);
  }, 120_000);

  it.each([
    ['full', 'DiskFull', (world: World, on: boolean) => { world.files.faults.noSpace = on; }],
    ['read-only', 'DiskReadOnly', (world: World, on: boolean) => { world.files.faults.readOnly = on; }],
  ])('given it is %s, when pods come and the broker goes, then the agent goes on, says so once in condition, event and log, and recovers', async (_what, reason, set) => {
    const world = await calmWorld('disk-trouble', {}, { keepsTrace: true });
    const condition = (): NodeCondition | undefined => world.cloud.nodes()[0]?.status?.conditions?.find(({ type }) => type === 'StorageProblem');
    expect(condition()).toBeUndefined();
    apply(world, simPod('one'), simPod('two'));
    await world.pass(10_000);
    set(world, true);
    for (const name of ['three', 'four']) {
      apply(world, simPod(name));
      await world.pass(20_000);
    }
    // A new pod needs room; those that run do not notice.
    expect(runningPods(world)).toEqual(['one', 'two']);
    expect(condition()).toMatchObject({ status: 'True', reason });
    world.broker.goDown();
    await world.pass(60_000);
    world.broker.comeUp();
    await world.pass(60_000);
    expect(runningPods(world)).toEqual(['one', 'two']);
    const said = (pattern: RegExp) => world.trace.lines.filter((line) => pattern.test(line)).length;
    expect([said(/log error storage\.trouble/), world.cloud.events().filter((event) => event.reason === reason).length]).toEqual([1, 1]);
    set(world, false);
    expect(await world.passUntil(() => condition()?.status === 'False', { limitMs: 60_000, everyMs: 500 })).toBe(true);
    await world.pass(30_000);
    expect(runningPods(world)).toEqual(['four', 'one', 'three', 'two']);
    const listed = await world.files.list(`${rootDirectory}/cache/pods`);
    expect(listed.ok ? listed.value.length : 0).toBe(4);
    expect(world.cloud.events().filter((event) => event.reason === 'StorageWritable')).toHaveLength(1);
    expect(cloudPod(world, 'one')?.status?.phase).toBe('Running');
  });
});
