// Ephemeral containers: whose processes they see, and what a status says of them.
import { describe, expect, it } from 'vitest';
import { containerConfig } from '../../src/machines/decide/cri-config.ts';
import { planEphemeral, targetOf } from '../../src/machines/decide/plan-ephemeral.ts';
import { podStatus } from '../../src/machines/decide/pod-status.ts';
import type { ContainerId, PodSpec, PodStatus } from '../../src/ports/pod-types.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../support/pods.ts';

const spec: Partial<PodSpec> = { ephemeralContainers: [{ name: 'debug', image: 'registry.example/app:1', targetContainerName: 'app' }] };
const at = '2026-01-01T00:00:00Z';
const shown = (state: object): PodStatus => ({ ephemeralContainerStatuses: [{ name: 'debug', state, ready: false, restartCount: 0, image: '', imageID: '' }] });

describe('planEphemeral', () => {
  it.each([
    ['ended', { terminated: { exitCode: 0 } }, 0],
    ['running', { running: { startedAt: at } }, 0],
    ['waiting', { waiting: {} }, 1],
  ])('given one the runtime has forgotten and the API shows %s, then %j starts', (_what, state, starts) => {
    const desired = aPod(spec);
    const seen = { ...desired, pod: { ...desired.pod, status: shown(state) } };
    expect(planEphemeral({ desired: seen, observed: observed([aSandbox()], [anInstance()]) }, aSandbox())).toHaveLength(starts);
  });
});

describe('the processes of a target', () => {
  const config = (part: Partial<PodSpec>, targetId?: ContainerId) => containerConfig({
    desired: aPod({ ...spec, ...part }), container: aContainer('debug'), restartCount: 0, imageRef: 'sha256:1', podIps: [], hostIps: [], settings: nodeSettings,
    ...(targetId === undefined ? {} : { targetId }),
  });
  const namespaces = (...given: Parameters<typeof config>) => {
    const made = config(...given);
    return made.ok && made.value.linux.securityContext.namespaceOptions;
  };

  it.each<[string, Partial<PodSpec>, ContainerId | undefined, object]>([
    ['a target', {}, 'app-0' as ContainerId, { network: 'POD', ipc: 'POD', pid: 'TARGET', targetId: 'app-0' }],
    ['no target', {}, undefined, { network: 'POD', ipc: 'POD', pid: 'CONTAINER' }],
    ['a target in a pod that shares its processes', { shareProcessNamespace: true }, 'app-0' as ContainerId, { network: 'POD', ipc: 'POD', pid: 'POD' }],
    ['a target on the processes of the host', { hostPID: true }, 'app-0' as ContainerId, { network: 'POD', ipc: 'POD', pid: 'NODE' }],
  ])('given %s, then %j', (_what, part, targetId, expected) => {
    expect(namespaces(part, targetId)).toEqual(expected);
  });

  it('given a target, when looked for, then it is the newest instance of that name, or the wait says so', () => {
    const pod = aPod(spec).pod.spec;
    expect(targetOf(pod, observed([aSandbox()], [anInstance('app', { restartCount: 1 }), anInstance('app', { state: 'exited' })]), 'debug')).toEqual({ ok: true, value: 'app-1' });
    expect(targetOf(pod, observed([aSandbox()]), 'debug')).toEqual({ ok: false, fault: 'unable to find target container app' });
    expect(targetOf(pod, observed([aSandbox()]), 'app')).toEqual({ ok: true, value: undefined });
  });
});

describe('the status of a pod with an ephemeral container', () => {
  const status = (part: Partial<Parameters<typeof podStatus>[0]>) => podStatus({
    desired: aPod(spec), observed: observed(), previous: undefined, failures: new Map(), hostIps: [], runtimeName: 'containerd', nowMs: 1_767_225_600_500,
    deleting: false, finished: false, ...part,
  });
  const states = (part: Parameters<typeof status>[0]) => {
    const { phase, conditions, ephemeralContainerStatuses } = status(part);
    return { phase, ready: conditions?.find(({ type }) => type === 'Ready')?.status, debug: ephemeralContainerStatuses?.map(({ state, ready, started }) => ({ state, ready, started })) };
  };
  const one = (state: object) => [{ state, ready: false, started: undefined }];

  it('given it waits, runs or has failed, then phase and readiness are those of the others', () => {
    const app = anInstance();
    expect(states({ observed: observed([aSandbox()], [app]) })).toEqual({ phase: 'Running', ready: 'True', debug: one({ waiting: { reason: 'ContainerCreating' } }) });
    expect(states({ observed: observed([aSandbox()], [app]), failures: new Map([['debug', { reason: 'ErrImagePull', message: 'no' }]]) }))
      .toEqual({ phase: 'Running', ready: 'True', debug: one({ waiting: { reason: 'ErrImagePull', message: 'no' } }) });
    expect(states({ observed: observed([aSandbox()], [app, anInstance('debug')]) })).toEqual({ phase: 'Running', ready: 'True', debug: one({ running: { startedAt: '1970-01-01T00:00:02Z' } }) });
    expect(states({ observed: observed([aSandbox()], [app, anInstance('debug', { state: 'exited', exitCode: 3 })]) }))
      .toMatchObject({ phase: 'Running', ready: 'True', debug: [{ state: { terminated: { exitCode: 3 } } }] });
  });

  it('given it ran and the runtime has lost it, then it has ended', () => {
    const previous: PodStatus = { phase: 'Running', ...shown({ running: { startedAt: at } }) };
    expect(states({ previous, observed: observed([aSandbox()], [anInstance()]) }).debug).toMatchObject([{ state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } }]);
  });
});
