// The ends of pods and containers on virtual time: deadlines, and the last words that containers leave.
import { describe, expect, it } from 'vitest';
import { withTerminationMessages } from '../../src/actors/termination-messages.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { activeDeadlineMs } from '../../src/machines/decide/active-deadline.ts';
import { terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from '../../src/machines/decide/runtime-labels.ts';
import { lastLogLines, messageSources, terminationLog, terminationMount } from '../../src/machines/decide/termination-message.ts';
import type { PodStatus } from '../../src/ports/pod-types.ts';
import { fail, ok } from '../../src/ports/result.ts';
import type { ObservedContainer, RuntimePort } from '../../src/ports/runtime-port.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aContainer, anInstance, aPod, uid } from '../support/pods.ts';

describe('activeDeadlineSeconds', () => {
  it.each<[string, object, PodStatus | undefined, number | undefined]>([
    ['no deadline', {}, { startTime: '1970-01-01T00:01:00Z' }, undefined],
    ['a deadline', { activeDeadlineSeconds: 5 }, { startTime: '1970-01-01T00:01:00Z', phase: 'Running' }, 65_000],
    ['an ended pod', { activeDeadlineSeconds: 5 }, { startTime: '1970-01-01T00:01:00Z', phase: 'Succeeded' }, undefined],
    ['no status', { activeDeadlineSeconds: 5 }, undefined, undefined],
  ])('given %s, then it is known when the pod has to end', (_name, spec, status, dueMs) => {
    expect(activeDeadlineMs(aPod(spec), status)).toBe(dueMs);
  });

  it('given a pod that runs longer, when its time is over, then it fails with the reason and is stopped', async () => {
    const world = podWorld();
    world.operate('ADD', simPod('sim/run', { activeDeadlineSeconds: 20 }));
    await world.clock.advance(15_000);
    expect(world.state(uid)).toMatchObject({ to: 'running.settled' });
    await world.clock.advance(10_000);
    expect(world.state(uid)).toMatchObject({ to: 'terminated' });
    // Of that topic.
    const status = world.seen.findLast((each) => each.topic === 'pod.status')?.payload.status as PodStatus;
    expect(status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' });
    expect(world.seen.filter((each) => each.topic === 'event.noted' && each.payload.reason === 'DeadlineExceeded')).toHaveLength(1);
    await world.stop();
  });

  it('given a pod that ends before, when its time would be over, then nothing is said', async () => {
    const world = podWorld();
    world.operate('ADD', simPod('sim/exit:0', { activeDeadlineSeconds: 20, restartPolicy: 'Never' }));
    await world.clock.advance(40_000);
    expect(world.seen.filter((each) => each.topic === 'event.noted' && each.payload.reason === 'DeadlineExceeded')).toEqual([]);
    await world.stop();
  });
});

const settings = { rootDirectory: '/var/lib/mqlet' };
const file = `/var/lib/mqlet/pods/${uid}/containers/app/0000000b`;
const ended = (policy: string, exitCode: number, part: Partial<ObservedContainer> = {}): ObservedContainer => {
  const instance = anInstance('app', { state: 'exited', exitCode, restartCount: 11, logPath: '/log/11.log' });
  return { ...instance, annotations: { ...instance.annotations, [terminationMessagePathAnnotation]: '/dev/termination-log', [terminationMessagePolicyAnnotation]: policy }, ...part };
};

describe('termination messages', () => {
  it.each([
    ['the file', ended('File', 1), { file, log: undefined }],
    ['the log after an error', ended('FallbackToLogsOnError', 1), { file, log: '/log/11.log' }],
    ['no log after success', ended('FallbackToLogsOnError', 0), { file, log: undefined }],
    ['nothing of what runs', ended('File', 0, { state: 'running' }), undefined],
    ['nothing of who has no path', ended('File', 1, { annotations: {} }), undefined],
  ])('given an instance, then %s is looked at', (_name, instance, sources) => {
    expect(messageSources(instance, settings)).toEqual(sources);
  });

  it('given a container, when its file is mounted, then at its path, and not over a mount of its own', () => {
    const { path } = terminationLog({ podUid: uid, container: 'app', restartCount: 11 }, settings);
    expect(path).toBe(file);
    const [mount] = terminationMount(aContainer('app', { terminationMessagePath: '/tmp/last' }), path, []);
    expect(mount).toEqual({ containerPath: '/tmp/last', hostPath: file, readonly: false, selinuxRelabel: false, propagation: 'PROPAGATION_PRIVATE' });
    expect(terminationMount(aContainer('app', { terminationMessagePath: '/tmp/last' }), path, mount === undefined ? [] : [mount])).toHaveLength(1);
    expect(terminationMount(aContainer('app', { terminationMessagePath: '' }), path, [])).toEqual([]);
  });

  it('given a log, when its end is taken, then lines are whole and bare, and few enough', () => {
    expect(lastLogLines('t of a line\n2026 stdout P par\n2026 stdout F t\n2026 stderr F oops\n')).toBe('part\noops\n');
    expect(lastLogLines(Array.from({ length: 200 }, (_, line) => `2026 stdout F ${line}`).join('\n')).split('\n')).toHaveLength(81);
    expect(new TextEncoder().encode(lastLogLines(`2026 stdout F ${'x'.repeat(9_000)}`))).toHaveLength(2_048);
  });

  it('given files, when a container has ended, then its status has the words of runtime and container', async () => {
    const files = new SimFiles({ clock: new VirtualClock() });
    files.put(file, 'x'.repeat(5_000));
    files.put('/log/11.log', '2026 stderr F broken\n');
    let instance = ended('File', 1, { message: 'from runtime' });
    // Only this call is made.
    const runtime = withTerminationMessages({ containerStatus: async () => ok(instance) } as unknown as RuntimePort, { files, settings });
    const message = async () => {
      const status = await runtime.containerStatus(instance.id);
      return status.ok ? status.value.message : '';
    };
    expect(await message()).toBe(`from runtime: ${'x'.repeat(4_096)}`);
    instance = ended('FallbackToLogsOnError', 1, { attempt: 3, annotations: { ...ended('FallbackToLogsOnError', 1).annotations, 'io.kubernetes.container.restartCount': '3' } });
    expect(await message()).toBe('broken\n');
    instance = ended('File', 1, { state: 'running', message: '' });
    expect(await message()).toBe('');
  });
});

describe('a pod that cannot be stopped', () => {
  it('given a runtime that refuses, when the pod is removed, then an event says why, and it ends when the runtime gives in', async () => {
    let refuses = true;
    const world = podWorld({
      runtime: (sim) => ({ stopSandbox: async (id) => (refuses ? fail({ kind: 'rejected', message: 'device busy', grpcCode: 2 }) : sim.stopSandbox(id)) }),
    });
    const pod = simPod('sim/run');
    world.operate('ADD', pod);
    await world.clock.advance(5_000);
    world.operate('REMOVE', pod);
    await world.clock.advance(40_000);
    expect(world.seen.flatMap((each) => (each.topic === 'event.noted' && each.payload.reason === 'FailedKillPod' ? [each.payload] : []))[0])
      .toMatchObject({ type: 'Warning', message: 'error killing pod: device busy', subject: { pod: { uid } } });
    refuses = false;
    await world.clock.advance(60_000);
    expect(world.state(uid)).toMatchObject({ to: 'done' });
    await world.stop();
  });
});
