// The words of a table line, for the situations a person meets.
import { describe, expect, test } from 'vitest';
import { podRow } from '../../src/machines/decide/pod-row.ts';
import type { ContainerState, ContainerStatus, PodStatus } from '../../src/ports/pod-types.ts';
import { aContainer, aPod } from '../support/pods.ts';

function container(state: ContainerState, part: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: 'app', image: 'i', imageID: '', ready: state.running !== undefined, restartCount: 0, state, ...part };
}

const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const ended = (exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): ContainerState => ({ terminated: { exitCode, reason } });
const waiting = (reason: string, message?: string): ContainerState => ({ waiting: { reason, ...(message === undefined ? {} : { message }) } });
const uninitialized = { conditions: [{ type: 'Initialized', status: 'False' }] };
const deleted = { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } };

describe('pod row', () => {
  test.each<readonly [string, { status?: PodStatus; state?: string; pod?: ReturnType<typeof aPod> }, string]>([
    ['nothing known yet', {}, 'Pending'],
    ['containers being created', { status: { phase: 'Pending', containerStatuses: [container(waiting('ContainerCreating'))] }, state: 'creating.syncing' }, 'ContainerCreating'],
    ['an image that cannot be pulled', { status: { phase: 'Pending', containerStatuses: [container(waiting('ImagePullBackOff', 'Back-off pulling image "x"'))] }, state: 'creating.settled' }, 'ImagePullBackOff'],
    ['all running', { status: { phase: 'Running', containerStatuses: [container(running)] }, state: 'running.settled' }, 'Running'],
    ['running, not ready', { status: { phase: 'Running', containerStatuses: [container(running, { ready: false })] }, state: 'running.settled' }, 'Running'],
    ['a crash loop', { status: { phase: 'Running', containerStatuses: [container(waiting('CrashLoopBackOff'), { restartCount: 3, lastState: ended(2) })] }, state: 'running.settled' }, 'CrashLoopBackOff'],
    ['ended, to be restarted', { status: { phase: 'Running', containerStatuses: [container(ended(137, 'OOMKilled'))] }, state: 'running.settled' }, 'OOMKilled'],
    ['init container running', { status: { phase: 'Pending', ...uninitialized, initContainerStatuses: [container(ended(0), { name: 'a' }), container(running, { name: 'b' })], containerStatuses: [container(waiting('PodInitializing'))] }, state: 'creating.settled', pod: aPod({ initContainers: [aContainer('a'), aContainer('b')] }) }, 'Init:1/2'],
    ['init container failed', { status: { phase: 'Pending', ...uninitialized, initContainerStatuses: [container(waiting('CrashLoopBackOff'), { name: 'a', restartCount: 1, lastState: ended(1) })] }, state: 'creating.settled', pod: aPod({ initContainers: [aContainer('a')] }) }, 'Init:CrashLoopBackOff'],
    ['success', { status: { phase: 'Succeeded', containerStatuses: [container(ended(0))] }, state: 'terminated' }, 'Completed'],
    ['failure', { status: { phase: 'Failed', containerStatuses: [container(ended(3))] }, state: 'terminated' }, 'Error'],
    ['a program that is not there', { status: { phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "/nope": no such file' } })] }, state: 'terminated' }, 'StartError'],
    ['refused by the node', { status: { phase: 'Failed', reason: 'OutOfpods', message: 'Pod was rejected: too many.' } }, 'OutOfpods'],
    ['deletion', { status: { phase: 'Running', containerStatuses: [container(running)] }, state: 'terminating.stopping', pod: aPod({}, deleted) }, 'Terminating'],
    ['one container done, one running', { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }], containerStatuses: [container(running), container(ended(0), { name: 'b' })] }, state: 'running.settled' }, 'NotReady'],
    ['a signal without reason', { status: { phase: 'Running', containerStatuses: [container({ terminated: { exitCode: 137, signal: 9 } })] }, state: 'running.settled' }, 'Signal:9'],
  ])('given %s, when shown, then STATUS says so', (_name, { status, state = '', pod = aPod() }, word) => {
    expect(podRow(pod, status, state, 0).status).toBe(word);
  });

  test('given a pod that has restarted, when shown, then the row is whole', () => {
    const status: PodStatus = { phase: 'Running', podIP: '10.0.0.1', startTime: '2026-01-01T00:00:00Z', containerStatuses: [container(running, { restartCount: 2, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:10:00Z' } } })] };
    expect(podRow(aPod(), status, 'running.settled', 7)).toEqual({
      namespace: 'default', name: 'web', uid: aPod().uid, source: 'mqtt', origin: 'fleet/ctl/edge-07', readyContainers: 1, containers: 1, status: 'Running',
      restarts: 2, lastRestartAtMs: 1_767_226_200_000, createdAtMs: 1_767_225_600_000, ip: '10.0.0.1', node: 'edge-07', state: 'running.settled',
    });
  });
});
