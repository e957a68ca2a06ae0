import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podStatus, type PodStatusInput, samePodStatus } from '../../src/machines/decide/pod-status.ts';
import type { PodCondition, PodStatus } from '../../src/ports/pod-types.ts';
import { rfc3339Seconds } from '../../src/ports/rfc3339.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../support/pods.ts';

const nowMs = 1_767_225_600_500;
const now = '2026-01-01T00:00:00Z';
const earlier = '2025-12-31T23:00:00Z';

function input(part: Partial<PodStatusInput> = {}): PodStatusInput {
  return {
    desired: aPod(),
    observed: observed(),
    previous: undefined,
    failures: new Map(),
    hostIps: ['192.0.2.7'],
    runtimeName: 'containerd',
    nowMs,
    deleting: false,
    finished: false,
    ...part,
  };
}

const running = { running: { startedAt: rfc3339Seconds(2_100) } };
const hosts = { hostIP: '192.0.2.7', hostIPs: [{ ip: '192.0.2.7' }] };
const pods = { podIP: '10.88.0.2', podIPs: [{ ip: '10.88.0.2' }] };
const aRunning = {
  name: 'app', state: running, lastState: {}, ready: true, started: true, restartCount: 0,
  image: 'registry.example/app:1', imageID: 'sha256:1', containerID: 'containerd://app-0',
};
const unready = { reason: 'ContainersNotReady', message: 'containers with unready status: [app]' };

function conditions(verdicts: Record<string, 'True' | 'False' | Partial<PodCondition>>, at = now): PodCondition[] {
  return Object.entries(verdicts).map(([type, verdict]) => ({
    type,
    status: typeof verdict === 'string' ? verdict : 'False',
    lastTransitionTime: at,
    ...(typeof verdict === 'string' ? {} : verdict),
  }));
}

const allTrue = { PodReadyToStartContainers: 'True', Initialized: 'True', Ready: 'True', ContainersReady: 'True', PodScheduled: 'True' } as const;
const waiting: PodStatus = {
  phase: 'Pending', ...hosts, startTime: now,
  conditions: conditions({ ...allTrue, PodReadyToStartContainers: 'False', Ready: unready, ContainersReady: unready }),
  containerStatuses: [{
    name: 'app', state: { waiting: { reason: 'ContainerCreating' } }, lastState: {}, ready: false, started: false, restartCount: 0,
    image: 'registry.example/app:1', imageID: '',
  }],
  qosClass: 'BestEffort',
};
const up: PodStatus = {
  phase: 'Running', ...hosts, ...pods, startTime: now, conditions: conditions(allTrue), containerStatuses: [aRunning], qosClass: 'BestEffort',
};
const upBefore: PodStatus = { ...up, startTime: earlier, conditions: conditions(allTrue, earlier) };
const runs = { observed: observed([aSandbox()], [anInstance()]) };
const exited = (exitCode: number) => anInstance('app', { state: 'exited', exitCode });
const ended = (exitCode: number) => ({
  ...aRunning, ready: false, started: false,
  state: { terminated: {
    exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: rfc3339Seconds(2_100), finishedAt: rfc3339Seconds(2_500), containerID: 'containerd://app-0',
  } },
});
const lostAtEnd = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' } };
const never = aPod({ restartPolicy: 'Never' });
const stopped = aSandbox({ state: 'notReady', ips: [] });
const completed = (reason: string) => ({ ...allTrue, Ready: { reason }, ContainersReady: { reason } });

describe('podStatus', () => {
  const rows: [name: string, part: Partial<PodStatusInput>, expected: PodStatus][] = [
    ['given nothing observed, then Pending with ContainerCreating', {}, waiting],
    ['given a running container, then Running and Ready', runs, up],
    ['given nothing changed, then times stay', { ...runs, previous: upBefore }, upBefore],
    ['given a failed start, then its reason is shown', {
      observed: observed([aSandbox()]), failures: new Map([['app', { reason: 'ErrImagePull', message: 'no such image' }]]),
    }, {
      ...waiting, ...pods, conditions: conditions({ ...allTrue, Ready: unready, ContainersReady: unready }),
      containerStatuses: [{ ...waiting.containerStatuses?.[0], state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } } as never],
    }],
    ['given policy Never and exit 0 before the pod is confirmed stopped, then the terminal phase is withheld', {
      desired: never, observed: observed([aSandbox()], [exited(0)]), previous: upBefore,
    }, {
      ...upBefore, containerStatuses: [ended(0)],
      conditions: conditions({ ...completed('PodCompleted'), Initialized: { status: 'True', reason: 'PodCompleted' } })
        .map((condition) => (condition.status === 'True' ? { ...condition, lastTransitionTime: earlier } : condition)),
    }],
    ['given policy Never and exit 1, when finished, then Failed, and the address is kept', {
      desired: never, observed: observed([stopped], [exited(1)]), previous: up, finished: true,
    }, {
      ...up, phase: 'Failed', conditions: conditions({ ...completed('PodFailed'), PodReadyToStartContainers: 'False' }), containerStatuses: [ended(1)],
    }],
    ['given a deleted pod that has ended well, when finished, then Succeeded', {
      observed: observed([stopped], [exited(0)]), previous: up, deleting: true, finished: true,
    }, {
      ...up, phase: 'Succeeded', containerStatuses: [ended(0)],
      conditions: conditions({ ...completed('PodCompleted'), PodReadyToStartContainers: 'False', Initialized: { status: 'True', reason: 'PodCompleted' } }),
    }],
    ['given a deleted pod that never ran, when finished, then Failed with a lost container', { deleting: true, finished: true }, {
      ...waiting, phase: 'Failed', conditions: conditions({ ...completed('PodFailed'), PodReadyToStartContainers: 'False' }),
      containerStatuses: [{ ...waiting.containerStatuses?.[0], state: lostAtEnd } as never],
    }],
    ['given a static pod, when finished, then no terminal phase', {
      desired: aPod({}, { source: 'file' }), observed: observed([stopped], [exited(0)]), previous: up, finished: true,
    }, {
      ...up, conditions: conditions({ ...allTrue, PodReadyToStartContainers: 'False', Ready: unready, ContainersReady: unready }), containerStatuses: [ended(0)],
    }],
    ['given a refused pod, when finished, then reason and message, and no containers', {
      previous: waiting, finished: true, override: { phase: 'Failed', reason: 'OutOfpods', message: 'too many' },
    }, {
      ...(({ containerStatuses: _left, ...rest }) => rest)(waiting), phase: 'Failed', reason: 'OutOfpods', message: 'too many',
      conditions: conditions({ ...completed('PodFailed'), PodReadyToStartContainers: 'False' }),
    }],
    ['given an evicted pod whose containers still run, then the phase is withheld', {
      ...runs, previous: upBefore, override: { phase: 'Failed', reason: 'Evicted', message: 'disk', disruption: true },
    }, {
      ...upBefore, conditions: upBefore.conditions?.map((condition) => (/Ready$/.test(condition.type)
        ? { ...condition, status: 'False', reason: 'PodFailed', lastTransitionTime: now } : condition)) ?? [],
    }],
    ['given an evicted pod, when finished, then it says that it was disrupted', {
      observed: observed([stopped], [exited(1)]), previous: up, finished: true, override: { phase: 'Failed', reason: 'Evicted', message: 'disk', disruption: true },
    }, {
      ...up, phase: 'Failed', reason: 'Evicted', message: 'disk', containerStatuses: [ended(1)],
      conditions: conditions({
        DisruptionTarget: { status: 'True', reason: 'TerminationByKubelet', message: 'disk' }, ...completed('PodFailed'), PodReadyToStartContainers: 'False',
      }),
    }],
    ['given host network, then the addresses of the node', {
      desired: aPod({ hostNetwork: true }), observed: observed([aSandbox({ hostNetwork: true, ips: [] })], [anInstance()]), hostIps: ['192.0.2.7', 'fd00::7'],
    }, {
      ...up, hostIPs: [{ ip: '192.0.2.7' }, { ip: 'fd00::7' }], podIP: '192.0.2.7', podIPs: [{ ip: '192.0.2.7' }, { ip: 'fd00::7' }],
    }],
    ['given a node whose first address is IPv6, then so is the pod’s', {
      hostIps: ['fd00::7'], observed: observed([aSandbox({ ips: ['10.88.0.2', 'fd01::2', '10.88.0.3'] })], [anInstance()]),
    }, {
      ...up, hostIP: 'fd00::7', hostIPs: [{ ip: 'fd00::7' }], podIP: 'fd01::2', podIPs: [{ ip: 'fd01::2' }, { ip: '10.88.0.2' }],
    }],
    ['given a container that is not ready by its probe, then the pod is not', {
      ...runs, readiness: new Map([['app', { ready: false, started: true }]]),
    }, {
      ...up, conditions: conditions({ ...allTrue, Ready: unready, ContainersReady: unready }), containerStatuses: [{ ...aRunning, ready: false }],
    }],
  ];
  it.each(rows)('%s', (_name, part, expected) => {
    expect(podStatus(input(part))).toEqual(expected);
  });

  it('given a pod whose sandbox was lost between creation and start of its container, when finished, then that one counts as lost', () => {
    const desired = aPod({ restartPolicy: 'Never', initContainers: [{ name: 'side', image: 'side:1', restartPolicy: 'Always' }] });
    const seen = observed([stopped], [anInstance('app', { state: 'created', startedAtMs: 0 }), anInstance('side', { state: 'exited', exitCode: 137 })]);
    expect(podStatus(input({ desired, observed: seen, previous: waiting, finished: true, completed: true }))).toMatchObject({ phase: 'Failed', containerStatuses: [{ name: 'app', state: lostAtEnd }] });
  });

  it('given a terminal phase shown before, when containers seem to run, then it stays', () => {
    const previous: PodStatus = { ...up, phase: 'Failed', reason: 'Evicted', message: 'disk' };
    expect(podStatus(input({ ...runs, previous }))).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'disk' });
  });

  it('given readiness gates, then they take part in Ready and foreign conditions come first', () => {
    const gate: PodCondition = { type: 'example.com/gate', status: 'False', lastTransitionTime: earlier };
    const desired = aPod({ readinessGates: [{ conditionType: 'example.com/gate' }, { conditionType: 'example.com/other' }] });
    const status = podStatus(input({ ...runs, desired: { ...desired, pod: { ...desired.pod, status: { conditions: [gate] } } } }));
    expect(status.conditions?.[0]).toEqual(gate);
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toEqual({
      type: 'Ready', status: 'False', lastTransitionTime: now, reason: 'ReadinessGatesNotReady',
      message: 'the status of pod readiness gate "example.com/gate" is not "True", but False, corresponding condition of pod readiness gate "example.com/other" does not exist.',
    });
  });

  it('given any observation, when computed twice in a row, then nothing changes and a terminal phase stays', () => {
    const instance = fc.record({ state: fc.constantFrom('created', 'running', 'exited', 'unknown'), exitCode: fc.constantFrom(0, 1) });
    const situation = fc.record({
      policy: fc.constantFrom('Always', 'OnFailure', 'Never'),
      instances: fc.array(instance, { maxLength: 2 }),
      sandbox: fc.constantFrom('ready', 'notReady', 'none'),
      finished: fc.boolean(),
      deleting: fc.boolean(),
      source: fc.constantFrom('file', 'mqtt'),
    });
    fc.assert(fc.property(situation, ({ policy, instances, sandbox, finished, deleting, source }) => {
      const given = input({
        desired: aPod({ restartPolicy: policy }, { source }),
        observed: observed(
          sandbox === 'none' ? [] : [aSandbox({ state: sandbox })],
          instances.map((part, index) => anInstance('app', { ...part, restartCount: index })),
        ),
        finished,
        deleting,
      });
      const first = podStatus(given);
      const second = podStatus({ ...given, previous: first, nowMs: nowMs + 60_000 });
      // An instance of unknown state that was shown running becomes a lost one in between.
      if (!instances.some(({ state }) => state === 'unknown')) expect(samePodStatus(first, second)).toBe(true);
      const terminal = first.phase === 'Failed' || first.phase === 'Succeeded';
      if (terminal) expect(finished).toBe(true);
      if (terminal) expect(podStatus({ ...given, ...runs, finished: false, previous: first }).phase).toBe(first.phase);
    }));
  });
});

describe('samePodStatus', () => {
  const other: PodCondition = { type: 'example.com/gate', status: 'True' };
  it.each<[name: string, a: PodStatus, b: PodStatus, same: boolean]>([
    ['given equal statuses, then the same', up, structuredClone(up), true],
    ['given a foreign condition more, then the same', up, { ...up, conditions: [other, ...(up.conditions ?? [])] }, true],
    ['given null where the other has nothing, then the same', up, { ...up, reason: null } as never, true],
    ['given another phase, then not', up, { ...up, phase: 'Pending' }, false],
    ['given another container state, then not', up, { ...up, containerStatuses: [{ ...aRunning, restartCount: 1 }] }, false],
    ['given a container more, then not', up, { ...up, containerStatuses: [aRunning, { ...aRunning, name: 'two' }] }, false],
  ])('%s', (_name, a, b, same) => {
    expect(samePodStatus(a, b)).toBe(same);
    expect(samePodStatus(b, a)).toBe(same);
  });

  it('given containers in any order of the specification, then statuses are by name', () => {
    const desired = aPod({ containers: [aContainer('web'), aContainer('app')] });
    expect(podStatus(input({ desired })).containerStatuses?.map(({ name }) => name)).toEqual(['app', 'web']);
  });
});
