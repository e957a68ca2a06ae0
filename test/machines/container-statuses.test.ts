import { describe, expect, it } from 'vitest';
import { containerStatuses, cutToBytes, type StatusesInput } from '../../src/machines/decide/container-statuses.ts';
import type { ContainerStatus } from '../../src/ports/pod-types.ts';
import { rfc3339Seconds } from '../../src/ports/rfc3339.ts';
import { aContainer, anInstance } from '../support/pods.ts';

function statuses(part: Partial<StatusesInput>): ContainerStatus[] {
  return containerStatuses({
    containers: [aContainer()], kind: 'app', observed: [], previous: [], failures: new Map(), readiness: undefined, policy: 'Always',
    runtimeName: 'containerd', hasInitContainers: false, deleting: false, finished: false, messageBytesMax: 4_096, ...part,
  });
}

const base: ContainerStatus = {
  name: 'app', state: { waiting: { reason: 'ContainerCreating' } }, lastState: {}, ready: false, started: false, restartCount: 0,
  image: 'registry.example/app:1', imageID: '',
};
const made = { imageID: 'sha256:1', containerID: 'containerd://app-0' };
const startedAt = rfc3339Seconds(2_100);
const running = { running: { startedAt } };
const terminated = (part: object = {}) => ({
  terminated: { exitCode: 1, reason: 'Error', startedAt, finishedAt: rfc3339Seconds(2_500), containerID: 'containerd://app-0', ...part },
});
const dead = anInstance('app', { state: 'exited', exitCode: 1 });
const wasRunning: ContainerStatus = { ...base, ...made, state: running, ready: true, started: true, restartCount: 2 };
const crash = { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting' };
const failed = { failures: new Map([['app', crash]]) };
const lost = {
  exitCode: 137, reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was deleted.  The container used to be Running',
};

describe('containerStatuses', () => {
  const rows: [name: string, part: Partial<StatusesInput>, expected: ContainerStatus][] = [
    ['given no instance, then it is being created', {}, base],
    ['given no instance in a pod with init containers, then the pod is being initialised', { hasInitContainers: true },
      { ...base, state: { waiting: { reason: 'PodInitializing' } } }],
    ['given a created instance, then waiting without a reason', { observed: [anInstance('app', { state: 'created' })] },
      { ...base, ...made, state: { waiting: {} } }],
    ['given a running instance, then ready and started', { observed: [anInstance()] },
      { ...base, ...made, state: running, ready: true, started: true }],
    ['given a running instance that a probe has not found started, then neither', {
      observed: [anInstance()], readiness: new Map([['app', { ready: true, started: false }]]),
    }, { ...base, ...made, state: running, ready: false, started: false }],
    ['given an exited instance, then terminated with its reason', { observed: [dead] }, { ...base, ...made, state: terminated() }],
    ['given an exited instance with a long message, then it is cut', {
      observed: [{ ...dead, message: 'ab'.repeat(10) }], messageBytesMax: 3,
    }, { ...base, ...made, state: terminated({ message: 'aba' }) }],
    ['given an exited instance whose start was refused, then no times', {
      observed: [{ ...dead, startedAtMs: 0, finishedAtMs: 0, reason: 'StartError', exitCode: 128 }],
    }, { ...base, ...made, state: { terminated: { exitCode: 128, reason: 'StartError', containerID: 'containerd://app-0' } } }],
    ['given a running and a dead instance, then the dead one is the last state', {
      observed: [anInstance('app', { restartCount: 1 }), dead],
    }, {
      ...base, imageID: 'sha256:1', containerID: 'containerd://app-1', state: { running: { startedAt: rfc3339Seconds(3_100) } }, lastState: terminated(),
      ready: true, started: true, restartCount: 1,
    }],
    ['given a dead instance that waits for its back-off, then waiting, and the end is the last state', { observed: [dead], ...failed },
      { ...base, ...made, state: { waiting: crash }, lastState: terminated() }],
    ['given a failed start that is over, then it is not shown on a running instance', { observed: [anInstance()], ...failed },
      { ...base, ...made, state: running, ready: true, started: true }],
    ['given policy Never, then an old failure is not shown on a dead instance', { observed: [dead], policy: 'Never', ...failed },
      { ...base, ...made, state: terminated() }],
    ['given a pod being deleted, then a failure is not shown', { observed: [dead], deleting: true, ...failed }, { ...base, ...made, state: terminated() }],
    ['given it was running and is gone, then lost, and one more restart', { previous: [wasRunning] },
      { ...base, lastState: { terminated: lost }, restartCount: 3 }],
    ['given it was running and is gone from a pod being deleted, then lost', { previous: [wasRunning], deleting: true },
      { ...base, lastState: { terminated: lost }, restartCount: 2 }],
    ['given it had ended and is gone, then it has ended', { previous: [{ ...wasRunning, state: terminated(), ready: false, started: false }] },
      { ...base, ...made, state: terminated(), restartCount: 2 }],
    ['given it was waiting and is gone, then restarts and last state stay', {
      previous: [{ ...base, restartCount: 4, lastState: terminated() }],
    }, { ...base, restartCount: 4, lastState: terminated() }],
    ['given it was running and its state is unknown, then terminated, and one more restart', {
      observed: [anInstance('app', { state: 'unknown' })], previous: [wasRunning],
    }, {
      ...base, ...made, restartCount: 3,
      state: { terminated: {
        exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated', containerID: 'containerd://app-0',
      } },
    }],
    ['given an unknown state and nothing known before, then waiting', { observed: [anInstance('app', { state: 'unknown' })] },
      { ...base, ...made, state: { waiting: {} } }],
    ['given an init container that is done, then ready', {
      kind: 'init', hasInitContainers: true, observed: [{ ...dead, exitCode: 0, reason: 'Completed' }], ...failed,
    }, { ...base, ...made, state: terminated({ exitCode: 0, reason: 'Completed' }), ready: true }],
    ['given an init container that runs, then started, not ready', { kind: 'init', hasInitContainers: true, observed: [anInstance()] },
      { ...base, ...made, state: running, started: true }],
    ['given a sidecar that runs, then ready', {
      kind: 'init', hasInitContainers: true, containers: [aContainer('app', { restartPolicy: 'Always' })], observed: [anInstance()],
    }, { ...base, ...made, state: running, ready: true, started: true }],
    ['given a sidecar that has ended under policy Never, then it waits for its restart', {
      kind: 'init', hasInitContainers: true, containers: [aContainer('app', { restartPolicy: 'Always' })], observed: [dead], policy: 'Never', ...failed,
    }, { ...base, ...made, state: { waiting: crash }, lastState: terminated() }],
  ];
  it.each(rows)('%s', (_name, part, expected) => {
    expect(statuses(part)).toEqual([expected]);
  });

  it('given several containers, then init containers keep their order and others are sorted', () => {
    const containers = [aContainer('b'), aContainer('a')];
    expect(statuses({ containers, kind: 'init' }).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(statuses({ containers }).map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('cutToBytes', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['aü', 2, 'a'],
    ['aü', 3, 'aü'],
    ['😀😀', 7, '😀'],
    ['😀', 3, ''],
  ])('given %j and %i bytes, then %j', (text, bytesMax, expected) => {
    expect(cutToBytes(text, bytesMax)).toBe(expected);
  });
});
