// Whole sentences, for every situation of a pod that a person meets.
import { describe, expect, test } from 'vitest';
import type { PodWhyFacts } from '../../../../src/machines/decide/why/facts.ts';
import { forgottenWhy, podWhy } from '../../../../src/machines/decide/why/pod-why.ts';
import type { PodContext } from '../../../../src/machines/pod-types.ts';
import type { ContainerState, ContainerStatus, PodStatus } from '../../../../src/ports/pod-types.ts';
import { sentenceAt } from '../../../../src/ports/why.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../../../support/pods.ts';
import { ago, aMemory, aProbe, aPull, linkUp, whyFacts, whyNowMs } from '../../../support/why-facts.ts';

const running = (seconds = 60): ContainerState => ({ running: { startedAt: ago(seconds) } });
const ended = (exitCode: number, seconds = 12, reason = exitCode === 0 ? 'Completed' : 'Error'): ContainerState => ({ terminated: { exitCode, reason, finishedAt: ago(seconds) } });
const waiting = (reason: string, message?: string): ContainerState => ({ waiting: { reason, ...(message === undefined ? {} : { message }) } });

function container(state: ContainerState, part: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: 'app', image: 'i', imageID: '', ready: state.running !== undefined, started: state.running !== undefined, restartCount: 0, state, ...part };
}

function status(container_: ContainerStatus | readonly ContainerStatus[], part: Partial<PodStatus> = {}): PodStatus {
  return { phase: 'Running', containerStatuses: [container_].flat(), ...part };
}

const creating = (part: Partial<PodContext> = {}) => ({ state: 'creating.settled', machine: aMemory({ wakeInMs: 19_000, settledWell: false, ...part }) });
const ready = (seconds: number) => ({ conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(seconds) }] });
const unready = (seconds: number) => ({ conditions: [{ type: 'ContainersReady', status: 'False', lastTransitionTime: ago(seconds) }] });
const deleted = aPod({}, { metadata: { deletionTimestamp: ago(12), deletionGracePeriodSeconds: 30 } });
const unreachable = { state: 'backingOff', reason: 'connect ECONNREFUSED 127.0.0.1:1883', sinceMs: whyNowMs - 200_000, nextAttemptAtMs: whyNowMs + 8_000, everUp: true } as const;
const crashing = (restartCount: number, reason?: string) => ({
  status: status(container(waiting('CrashLoopBackOff'), { restartCount, lastState: ended(1, 12, reason ?? 'Error') })),
  machine: aMemory({
    observed: observed([aSandbox()], [anInstance('app', { state: 'exited', exitCode: 1, restartCount, finishedAtMs: whyNowMs - 12_000 })]),
    backoffs: new Map([['app', { delayMs: 40_000, attemptedAtMs: whyNowMs - 13_000 }]]),
  }),
});
const init = { pod: aPod({ initContainers: [aContainer('a'), aContainer('b')] }) };
const sidecar = aPod({ initContainers: [aContainer('proxy', { restartPolicy: 'Always', startupProbe: {} })] });
const killed = (reason: string, message: string) => aMemory({ kill: { graceMs: 0, status: { reason, message } } });
const none = observed([], []);

type Row = readonly [string, Partial<PodWhyFacts>, string];

/** While it is being brought up. */
const comingUp: readonly Row[] = [
  ['nobody has taken up, before the runtime has been listed', { state: '', stateSinceMs: 0, machine: undefined, uptake: { listed: false, nameTaken: false } }, 'It waits until the runtime has told what it already has; it begins then (runtime listed is false).'],
  ['waits for its name', { state: 'pending', uptake: { listed: true, nameTaken: true } }, 'It has waited 10 s for an older pod of its name to end; it begins then (name free is false).'],
  ['is pending', { state: 'pending' }, 'It has been taken in; it begins then (admitted is false).'],
  ['whose actor broke', { state: '', machine: undefined, uptake: { listed: true, nameTaken: false, failure: { message: 'invariant: no sandbox', againAtMs: whyNowMs + 2_000 } } }, 'The part of the node that looks after it has failed (invariant: no sandbox), and its containers stay as they are; it is taken up again in 2 s (actor alive is false).'],
  ['without a runtime', { state: 'pending', runtime: { ready: false, networkReady: false, message: 'container runtime is down: connect ENOENT', sinceMs: whyNowMs - 30_000 } }, 'The container runtime has not been ready for 30 s (connect ENOENT); it is asked again every few seconds (RuntimeReady is false).'],
  ['that runs while the runtime is away', { status: status(container(running())), runtime: { ready: false, networkReady: false, message: 'container runtime is down: connect ENOENT', sinceMs: whyNowMs - 30_000 } }, 'Its container app runs on unseen, for the container runtime has not been ready for 30 s (connect ENOENT); it is asked again every few seconds (RuntimeReady is false).'],
  ['without a network', { ...creating({ observed: none, trouble: 'network is not ready: cni plugin not initialized', wakeInMs: 11_000 }), runtime: { ready: true, networkReady: false, message: 'x', sinceMs: whyNowMs - 30_000 } }, 'The node\'s network has not been ready for 30 s, and no sandbox is made before it is: cni plugin not initialized; it is looked at again in 1 s (NetworkReady is false).'],
  ['whose sandbox fails', { ...creating({ observed: none, trouble: 'Failed to create pod sandbox: rpc error: no such image' }), status: status(container(waiting('ContainerCreating')), { conditions: [{ type: 'PodReadyToStartContainers', status: 'False', lastTransitionTime: ago(42) }] }) }, 'No sandbox could be made for 42 s: rpc error: no such image; it is tried again in 9 s (PodReadyToStartContainers is false).'],
  ['whose sandbox is of no use', creating({ observed: none, trouble: 'the sandbox just made cannot be used' }), 'No sandbox that can be used could be made for 10 s; another one is made in 9 s (PodReadyToStartContainers is false).'],
  ['whose sandbox is being made', { state: 'creating.syncing', stateSinceMs: whyNowMs - 2_000, machine: aMemory({ observed: none }) }, 'Its sandbox has been in the making for 2 s; its containers are started in it (PodReadyToStartContainers is false).'],
  ['whose sandbox was lost', { state: 'creating.syncing', stateSinceMs: whyNowMs - 2_000, machine: aMemory({ observed: observed([aSandbox({ state: 'notReady' })], []) }) }, 'Its sandbox was lost, and another one has been in the making for 2 s; its containers are started in it (PodReadyToStartContainers is false).'],
  ['whose config map is missing', creating({ observed: none, trouble: 'MountVolume.SetUp failed for volume "conf" : configmap "app" not found' }), 'Its volume conf has not been there for 10 s: configmap "app" not found; its containers start when that comes, and it is looked for again in 9 s (isStarted is false).'],
  ['whose volume fails', creating({ observed: none, trouble: 'MountVolume.SetUp failed for volume "data" : hostPath type check failed' }), 'Its volume data has not been there for 10 s: hostPath type check failed; it is tried again in 9 s (isStarted is false).'],
  ['whose call was lost', creating({ trouble: 'rpc error: deadline exceeded' }), 'Its syncs have come to nothing for 10 s: rpc error: deadline exceeded; it is tried again in 9 s (isStarted is false).'],
  ['that pulls', { state: 'creating.syncing', status: status(container(waiting('ContainerCreating'))), pulls: [aPull()] }, 'Container app has been pulling its image registry.example/app:1 for 12 s; it starts when the image is there, and a pull without progress for 60 s is ended (ContainersReady is false).'],
  ['that waits for its turn to pull', { state: 'creating.syncing', status: status(container(waiting('ContainerCreating'))), pulls: [aPull({ phase: 'waiting' })] }, 'Container app has been in line to pull its image registry.example/app:1 for 12 s, for 5 pulls are allowed at once; its turn comes when another pull ends (ContainersReady is false).'],
  ['whose pull failed', { ...creating(), status: status(container(waiting('ErrImagePull', 'not found'))), pulls: [aPull({ phase: 'failed', message: 'registry.example/app:1: not found.', notBeforeMs: whyNowMs - 2_000 })] }, 'Container app lacks its image registry.example/app:1, whose pull failed 12 s ago (ErrImagePull): registry.example/app:1: not found; the next pull comes in 9 s (ContainersReady is false).'],
  ['in its image back-off', { ...creating(), status: status(container(waiting('ImagePullBackOff', 'Back-off pulling image "x": ErrImagePull: not found'))), pulls: [aPull({ phase: 'failed', message: '403 Forbidden', notBeforeMs: whyNowMs + 28_000 })] }, 'Container app lacks its image registry.example/app:1, whose pull failed 12 s ago (ImagePullBackOff): 403 Forbidden; the next pull comes, at the earliest, in 28 s (ContainersReady is false).'],
  ['in an image back-off of an earlier life', { ...creating(), status: status(container(waiting('ImagePullBackOff', 'Back-off pulling image "x": ErrImagePull: not found'))) }, 'Container app lacks its image registry.example/app:1, whose pull failed 10 s ago (ImagePullBackOff): not found; the next pull comes in 9 s (ContainersReady is false).'],
  ['that may not pull', { ...creating(), status: status(container(waiting('ErrImageNeverPull', 'x'))) }, 'Container app lacks its image registry.example/app:1, and its pull policy Never forbids fetching it; it is looked for again in 9 s (ContainersReady is false).'],
  ['with a wrong image name', { ...creating(), status: status(container(waiting('InvalidImageName', 'Failed to apply default image tag "A b"'))) }, 'Container app cannot start, for its image has no valid name (Failed to apply default image tag "A b"); it stays so until the pod is changed, and is looked at again in 9 s (ContainersReady is false).'],
  ['whose container lacks a secret', { ...creating(), status: status(container(waiting('CreateContainerConfigError', 'secret "key" not found'))) }, 'Container app cannot be made: secret "key" not found; it is made when that comes, and is tried again in 9 s (ContainersReady is false).'],
  ['whose container cannot run', { ...creating(), status: status(container(waiting('RunContainerError', 'exec: "/nope": no such file'))) }, 'Container app could not be started with RunContainerError: exec: "/nope": no such file; it is tried again in 9 s (ContainersReady is false).'],
  ['whose hook failed, while it is tried again', { state: 'creating.syncing', status: status(container(waiting('PostStartHookError', 'command exited with 1'))) }, 'Container app could not be started with PostStartHookError: command exited with 1; it is tried again now (ContainersReady is false).'],
  ['whose init container runs', { ...creating(), desired: init.pod, status: status(container(waiting('PodInitializing')), { initContainerStatuses: [container(ended(0), { name: 'a' }), container(running(75), { name: 'b', ready: false })] }) }, 'Init container b (2 of 2) has been running for 75 s; the next container starts when it has ended with success (Initialized is false).'],
  ['whose init container crashes', { ...crashing(1), state: 'creating.settled', desired: aPod({ initContainers: [aContainer('app')] }), status: { phase: 'Pending', initContainerStatuses: [container(waiting('CrashLoopBackOff'), { restartCount: 1, lastState: ended(1) })], containerStatuses: [] } }, 'Init container app has ended 2 times, last with exit code 1 (Error) 12 s ago, and waits out its back-off of 40 s (CrashLoopBackOff); restart 2 comes in 28 s (Initialized is false).'],
  ['whose sidecar starts', { ...creating(), desired: sidecar, probes: [aProbe({ container: 'proxy', kind: 'startup', asks: 'TCP :15021', times: 1, failureThreshold: 30 })], status: status(container(waiting('PodInitializing')), { initContainerStatuses: [container(running(5), { name: 'proxy', ready: false, started: false })] }) }, 'Sidecar proxy runs but has not been started for 5 s: its startup probe (TCP :15021) has failed once in a row (30 restart the container), last with "HTTP probe failed with statuscode: 503"; it is asked again in 3 s (Initialized is false).'],
  ['whose postStart hook runs', { state: 'creating.syncing', stateSinceMs: whyNowMs - 4_000, desired: aPod({ containers: [aContainer('app', { lifecycle: { postStart: { exec: { command: ['x'] } } } })] }), status: status(container(running(3))) }, 'Container app has been running its postStart hook for 3 s; the pod goes on when the hook has ended (ContainersReady is false).'],
  ['whose container is about to start', { state: 'creating.syncing', stateSinceMs: whyNowMs - 1_000, status: status(container(waiting('ContainerCreating'))) }, 'Container app has been about to start for 1 s (ContainersReady is false).'],
  ['without a status yet', creating(), 'It has been taken in and its first status is being made (isStarted is false).'],
];

/** While it runs. */
const runningRows: readonly Row[] = [
  ['in a crash loop', crashing(4), 'Container app has ended 5 times, last with exit code 1 (Error) 12 s ago, and waits out its back-off of 40 s (CrashLoopBackOff); restart 5 comes in 28 s (ContainersReady is false).'],
  ['in its first back-off', crashing(0, 'OOMKilled'), 'Container app has ended with exit code 1 (OOMKilled) 12 s ago, and waits out its back-off of 40 s (CrashLoopBackOff); restart 1 comes in 28 s (ContainersReady is false).'],
  ['that is not ready', { status: status(container(running(), { ready: false }), unready(130)), probes: [aProbe()] }, 'Container app runs but has not been ready for 60 s: its readiness probe (HTTP GET :8080/ready) has failed 4 times in a row (threshold 3), last with "HTTP probe failed with statuscode: 503"; it is asked again in 3 s (ContainersReady is false).'],
  ['that was ready before', { status: status(container(running(900), { ready: false }), unready(130)), probes: [aProbe({ nextAtMs: 0, last: { outcome: 'success', message: '' }, times: 1, successThreshold: 2 })] }, 'Container app runs but has not been ready for 2 min 10 s: its readiness probe (HTTP GET :8080/ready) has succeeded once of the 2 it needs; it is being asked now (ContainersReady is false).'],
  ['whose probe has not run', { status: status(container(running(1), { ready: false })), probes: [aProbe({ last: undefined, times: 0 })] }, 'Container app runs but has not been ready for 1 s: its readiness probe (HTTP GET :8080/ready) has not been asked yet; it is asked again in 3 s (ContainersReady is false).'],
  ['whose probe cannot be asked', { status: status(container(running(1), { ready: false })), probes: [aProbe({ last: { outcome: 'error', message: 'couldn\'t find port: http' } })] }, 'Container app runs but has not been ready for 1 s: its readiness probe (HTTP GET :8080/ready) could not be asked: couldn\'t find port: http; it is asked again in 3 s (ContainersReady is false).'],
  ['not ready, of which no probe is known', { status: status(container(running(1), { ready: false })) }, 'Container app runs but has not been ready for 1 s; its readiness probe decides (ContainersReady is false).'],
  ['whose gate is shut', { status: status(container(running()), { conditions: [{ type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: 'corresponding condition of pod readiness gate "lb" does not exist.', lastTransitionTime: ago(50) }] }) }, 'Its containers are ready but the pod has not been so for 50 s: corresponding condition of pod readiness gate "lb" does not exist; it is ready when whoever owns the gate says so (Ready is false).'],
  ['whose liveness probe fails', { status: status(container(running()), ready(50)), probes: [aProbe({ kind: 'liveness', times: 2 })] }, 'Container app runs, but its liveness probe (HTTP GET :8080/ready) has failed 2 times in a row (3 restart the container), last with "HTTP probe failed with statuscode: 503"; it is asked again in 3 s.'],
  ['whose resources cannot change', { status: status(container(running()), { conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible', message: 'Node didn\'t have enough capacity', lastTransitionTime: ago(5) }] }) }, 'Its containers run as they were, for the change of their resources can never be granted on this node: Node didn\'t have enough capacity; it stays so until the pod asks for less (resized is false).'],
  ['ended, to be restarted', { status: status(container(ended(137, 1, 'OOMKilled'))) }, 'Container app has ended with exit code 137 (OOMKilled) 1 s ago; it is started again now (ContainersReady is false).'],
  ['one container done, one running', { desired: aPod({ restartPolicy: 'OnFailure', containers: [aContainer(), aContainer('b')] }), status: status([container(running()), container(ended(0), { name: 'b' })]) }, 'Container b has ended with exit code 0 (Completed) 12 s ago, and its restart policy OnFailure does not start it again; the pod ends when its other containers have ended (isComplete is false).'],
  ['all well', { status: status(container(running()), ready(3_700)) }, 'Its container runs and has been ready for 1 h 1 min.'],
  ['all well, two of them', { desired: aPod({ containers: [aContainer(), aContainer('b')] }), status: status([container(running()), container(running(), { name: 'b' })]) }, 'All 2 containers run and have been ready for 60 s.'],
  ['all well, with a deadline', { desired: aPod({ activeDeadlineSeconds: 300 }), status: status(container(running()), { startTime: ago(60), ...ready(50) }) }, 'Its container runs and has been ready for 50 s; its deadline stops it in 4 min.'],
];

/** While it ends, and after. */
const ending: readonly Row[] = [
  ['deleted, its sync under way', { desired: deleted, state: 'running.syncing', status: status(container(running())) }, 'It is to end because it was deleted, and the runtime call under way comes first; its containers are stopped after that (isSettled is false).'],
  ['deleted before it began', { desired: deleted, state: 'pending' }, 'It is to end because it was deleted before it has begun.'],
  ['deleted, in its grace', { desired: deleted, state: 'terminating.stopping', status: status(container(running())), uptake: { listed: true, nameTaken: false, stop: { beganAtMs: whyNowMs - 12_000, graceMs: 30_000, hooks: [] } } }, 'It is being stopped because it was deleted: app was asked to end 12 s ago, with a grace period of 30 s; what has not ended by then is killed in 18 s (isSettled is false).'],
  ['deleted, in its hook', { desired: deleted, state: 'terminating.stopping', status: status(container(running())), uptake: { listed: true, nameTaken: false, stop: { beganAtMs: whyNowMs - 12_000, graceMs: 30_000, hooks: ['app'] } } }, 'It is being stopped because it was deleted: app has been running its preStop hook for 12 s, with a grace period of 30 s; what has not ended by then is killed in 18 s (isSettled is false).'],
  ['stopped but for its sandbox', { state: 'terminating.stopping', machine: aMemory({ complete: true }), status: status(container(ended(0))) }, 'It is being stopped because all its containers have ended: its containers have ended and its sandbox has been on its way out for 10 s; its status is final then (isSettled is false).'],
  ['that resists', { state: 'terminating.stopped', stateSinceMs: whyNowMs, machine: aMemory({ kill: { graceMs: undefined, removed: true }, trouble: 'rpc error: busy' }) }, 'It is being stopped because the cloud no longer has it, which has not succeeded: rpc error: busy; it is tried again in 1 s (isSettled is false).'],
  ['evicted, being cleared', { state: 'terminating.reclaiming', machine: killed('Evicted', 'The node was low on resource: memory.') }, 'It has been stopped because of Evicted (The node was low on resource: memory), and what it has on the node has been on its way out for 10 s; only its status stays.'],
  ['evicted', { state: 'terminated', status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } }, 'It was evicted 10 s ago: The node was low on resource: memory; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['refused', { state: 'terminated', status: { phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected: Node didn\'t have enough resource: cpu, requested: 9000, used: 0, capacity: 2000' } }, 'The node has refused it for good 10 s ago with OutOfcpu: Node didn\'t have enough resource: cpu, requested: 9000, used: 0, capacity: 2000; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['over its deadline', { desired: aPod({ activeDeadlineSeconds: 30 }), state: 'terminated', status: { phase: 'Failed', reason: 'DeadlineExceeded', message: 'x' } }, 'It was stopped 10 s ago, at its deadline of 30 s; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['of which the node had to let go', { state: 'terminated', status: { phase: 'Failed', reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' } }, 'It failed 10 s ago with Terminated: Pod was terminated in response to imminent node shutdown; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['completed', { desired: aPod({ restartPolicy: 'Never' }), state: 'terminated', status: status(container(ended(0)), { phase: 'Succeeded' }) }, 'All its containers have ended with success, the pod 10 s ago, under restart policy Never; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['failed', { desired: aPod({ restartPolicy: 'Never' }), state: 'terminated', status: status(container(ended(3)), { phase: 'Failed' }) }, 'It failed 10 s ago: container app has ended with exit code 3 (Error) under restart policy Never; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['that never started', { desired: aPod({ restartPolicy: 'Never' }), state: 'terminated', status: status(container({ terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "/nope": no such file' } }), { phase: 'Failed' }) }, 'It failed 10 s ago: container app has not been started (exec: "/nope": no such file) under restart policy Never; it is not started again, and its status stays until its source deletes it (isDeleted is false).'],
  ['being removed', { desired: deleted, state: 'finishing.removing' }, 'It has ended because it was deleted, and what is left of it on the node has been on its way out for 10 s; the node forgets it then.'],
  ['that cannot be removed', { desired: deleted, state: 'finishing.waiting', stateSinceMs: whyNowMs - 4_000, machine: aMemory({ trouble: 'Error: EBUSY: device busy' }) }, 'It has ended because it was deleted, but what is left of it could not be removed: Error: EBUSY: device busy; it is tried again in 6 s (removed is false).'],
  ['that is done', { desired: deleted, state: 'done' }, 'It has ended and nothing of it is left on the node.'],
  ['to end while the runtime is away', { desired: deleted, state: 'terminating.stopped', runtime: { ready: false, networkReady: false, message: 'container runtime is down: connect ENOENT', sinceMs: whyNowMs - 30_000 } }, 'It is to end, but the container runtime has not been ready for 30 s (connect ENOENT); it is asked again every few seconds (RuntimeReady is false).'],
];

const well = { status: status(container(running()), ready(50)) };
const behind = { what: 'status', sinceMs: whyNowMs - 20_000, inFlight: false, fault: '', nextAtMs: 0 } as const;

/** What the cloud has to do with it. */
const cloud: readonly Row[] = [
  ['well, the broker away', { ...well, link: unreachable }, 'Its container runs and has been ready for 50 s; the cloud cannot be told of changes, for the broker has been unreachable for 3 min 20 s (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes in 8 s (link up is false).'],
  ['changed while the broker is away', { ...well, link: unreachable, report: behind }, 'Its container runs and has been ready for 50 s; the cloud does not know its status yet, for the broker has been unreachable for 3 min 20 s (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes in 8 s (link up is false).'],
  ['kept from an earlier life', { ...well, desired: aPod({}, { recalled: true }), link: { ...unreachable, everUp: false } }, 'Its container runs and has been ready for 50 s; it is kept as the node remembers it, for the broker has not been reached for 3 min 20 s (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes in 8 s (link up is false).'],
  ['kept, the cloud silent', { ...well, desired: aPod({}, { recalled: true }) }, 'Its container runs and has been ready for 50 s; it is kept as the node remembers it, for the cloud has not named it since the node started (sources ready is false).'],
  ['whose status is refused', { ...well, report: { ...behind, fault: 'admission webhook denied', nextAtMs: whyNowMs + 8_000 } }, 'Its container runs and has been ready for 50 s; the cloud has not accepted its status for 20 s (admission webhook denied); it is written again in 8 s (status accepted is false).'],
  ['whose status is on its way', { ...well, report: { ...behind, inFlight: true } }, 'Its container runs and has been ready for 50 s; the cloud has not answered its status for 20 s (status accepted is false).'],
  ['whose status left just now', { ...well, report: { ...behind, sinceMs: whyNowMs - 100, inFlight: true } }, 'Its container runs and has been ready for 50 s.'],
  ['in its first second of a link', { ...well, link: { ...linkUp, state: 'connecting' } }, 'Its container runs and has been ready for 50 s.'],
  ['that needs no cloud', { ...well, desired: aPod({}, { source: 'admin' }), link: unreachable }, 'Its container runs and has been ready for 50 s.'],
  ['on a node without a cloud', { ...well, link: undefined }, 'Its container runs and has been ready for 50 s.'],
  ['with a trouble of its own, the broker away', { ...crashing(4), link: unreachable }, 'Container app has ended 5 times, last with exit code 1 (Error) 12 s ago, and waits out its back-off of 40 s (CrashLoopBackOff); restart 5 comes in 28 s (ContainersReady is false); the cloud cannot be told of changes, for the broker has been unreachable for 3 min 20 s (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes in 8 s (link up is false).'],
];

describe('why a pod is where it is', () => {
  test.each([...comingUp, ...runningRows, ...ending, ...cloud])('given a pod %s, when asked, then the sentence is whole', (_name, facts, sentence) => {
    expect(podWhy(whyFacts(facts)).sentence).toBe(sentence);
  });

  test('given a crash loop, when asked, then the whole record says it', () => {
    expect(podWhy(whyFacts(crashing(4)))).toEqual({
      template: expect.stringContaining('restart 5 comes'),
      sentence: 'Container app has ended 5 times, last with exit code 1 (Error) 12 s ago, and waits out its back-off of 40 s (CrashLoopBackOff); restart 5 comes in 28 s (ContainersReady is false).',
      waitingFor: 'restart 5 of app', sinceMs: whyNowMs - 12_000, falseGuardOrCondition: 'ContainersReady', next: { what: 'restart 5 comes', atMs: whyNowMs + 28_000 },
    });
  });

  test('given a sentence shown for a while, when its times are read again, then they have gone on', () => {
    const { template } = podWhy(whyFacts({ ...crashing(4), link: unreachable }));
    expect(sentenceAt(template, whyNowMs + 20_000)).toBe('Container app has ended 5 times, last with exit code 1 (Error) 32 s ago, and waits out its back-off of 40 s (CrashLoopBackOff); restart 5 comes in 8 s (ContainersReady is false); the cloud cannot be told of changes, for the broker has been unreachable for 3 min 40 s (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes now (link up is false).');
  });

  test('given a message that looks like a span, when quoted, then it stays what it is', () => {
    const { sentence } = podWhy(whyFacts({ ...creating(), status: status(container(waiting('RunContainerError', 'no \u0001ago 5\u0002 such'))) }));
    expect(sentence).toContain('RunContainerError: no ago 5 such;');
  });

  test('given a pod that waits for nothing while the broker is away, when asked, then it waits for the broker', () => {
    expect(podWhy(whyFacts({ ...well, link: unreachable }))).toMatchObject({ waitingFor: 'the broker', sinceMs: whyNowMs - 200_000, falseGuardOrCondition: 'link up', next: { atMs: whyNowMs + 8_000 } });
  });

  test('given a pod whose end the cloud does not know, when asked, then the sentence says why', () => {
    const facts = { desired: deleted, link: unreachable, nowMs: whyNowMs, report: { ...behind, what: 'deletion' } as const };
    expect(forgottenWhy(facts)?.sentence).toBe('Nothing of it is left on the node, and the cloud has not acknowledged its deletion, for the broker has been unreachable for 3 min 20 s (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes in 8 s (link up is false).');
  });
});
