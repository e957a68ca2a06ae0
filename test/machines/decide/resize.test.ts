// Whether a running pod may have other resources, and what its containers need for that.
import { describe, expect, it } from 'vitest';
import { type Granted, grantedFrom, resourcesAnnotation } from '../../../src/machines/decide/granted.ts';
import { planPod } from '../../../src/machines/decide/plan-pod.ts';
import { allocationOf, decideResize, withAllocation } from '../../../src/machines/decide/resize.ts';
import { resizeVerdicts, resourceStatus } from '../../../src/machines/decide/resize-status.ts';
import { resizedResources } from '../../../src/machines/decide/resources.ts';
import type { Container, ContainerId, DesiredPod, PodUid } from '../../../src/ports/pod-types.ts';
import type { ObservedContainer } from '../../../src/ports/runtime-port.ts';
import { admittingNode } from '../../support/node-settings.ts';
import { aContainer, anInstance, aPod, aSandbox, uid } from '../../support/pods.ts';

type Part = Partial<DesiredPod> & { metadata?: object };
const both = (cpu: string, memory: string): Granted => ({ limits: { cpu, memory }, requests: { cpu, memory } });
const burst = (cpu: string): Granted => ({ requests: { cpu } });
const app = (granted: Granted, part: Partial<Container> = {}) => aContainer('app', { resources: granted, ...part });
const pod = (granted: Granted, part: Part = {}) => aPod({ containers: [app(granted)] }, part);
const granted = (value: Granted) => allocationOf(pod(value).pod.spec);

describe('decideResize', () => {
  const other = pod(burst('3'), { uid: 'other' as PodUid }); // Any text may be an identity.
  it.each<[string, DesiredPod, Granted, readonly DesiredPod[], object]>([
    ['what it has, written otherwise', pod(burst('1000m')), burst('1'), [], { kind: 'none' }],
    ['more, and there is room', pod(burst('2')), burst('1'), [], { kind: 'granted', allocation: { app: burst('2') } }],
    ['less on a node that is too full', pod(burst('500m')), burst('1'), [other, other], { kind: 'granted', allocation: { app: burst('500m') } }],
    ['more than is free', pod(burst('2')), burst('1'), [other], { kind: 'pending', pending: { reason: 'Deferred', message: 'Node didn\'t have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000' } }],
    ['more than there is', pod(burst('5')), burst('1'), [], { kind: 'pending', pending: { reason: 'Infeasible', message: 'Node didn\'t have enough capacity: cpu, requested: 5000, capacity: 4000' } }],
    ['another class', pod(both('1', '1Gi')), burst('1'), [], { kind: 'pending', pending: { reason: 'Infeasible', message: 'Pod QOS Class may not change as a result of resizing' } }],
    ['more for a static pod', pod(burst('2'), { source: 'file' }), burst('1'), [], { kind: 'pending', pending: { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' } }],
  ])('given a pod that asks for %s, when decided, then so it is', (_, wanted, has, others, expected) => {
    expect(decideResize(wanted, granted(has), admittingNode, others)).toEqual(expected);
  });
});

describe('withAllocation', () => {
  it('given a pod that was granted less, when asked, then its spec has that, other resources stay, and what is pending is told', () => {
    const wanted = aPod({ containers: [app({ limits: { cpu: '2', memory: '2Gi', 'hugepages-2Mi': '4Mi' }, requests: { cpu: '2' } })] });
    const seen = withAllocation(wanted, { app: burst('1') }, { reason: 'Deferred', message: 'later' });
    expect(seen.pod.spec.containers[0]?.resources).toEqual({ limits: { 'hugepages-2Mi': '4Mi' }, requests: { cpu: '1' } });
    expect(seen.pendingResize).toEqual({ reason: 'Deferred', message: 'later' });
    expect(wanted.pod.spec.containers[0]?.resources?.limits?.['cpu']).toBe('2');
  });

  it('given a pod that has what it asks for, or names nobody knows, when asked, then it is the pod itself', () => {
    const wanted = pod(burst('1'));
    expect(withAllocation(wanted, granted(burst('1')))).toBe(wanted);
    expect(withAllocation(wanted, { stranger: burst('9') })).toBe(wanted);
  });

  it('given init containers, when asked, then only those that go on beside the others change', () => {
    const init = (restartPolicy?: 'Always') => aContainer(restartPolicy ?? 'once', { resources: burst('1'), ...(restartPolicy === undefined ? {} : { restartPolicy }) });
    const wanted = aPod({ initContainers: [init(), init('Always')], containers: [app(burst('1'))] });
    const seen = withAllocation(wanted, { once: burst('2'), Always: burst('2') });
    expect(seen.pod.spec.initContainers?.map(({ resources }) => resources?.requests?.['cpu'])).toEqual(['1', '2']);
  });
});

const made = (value: Granted, part: Partial<ObservedContainer> = {}, name = 'app'): ObservedContainer => {
  const base = anInstance(name, part);
  return { ...base, annotations: { ...base.annotations, [resourcesAnnotation]: JSON.stringify(value) } };
};
const steps = (containers: readonly Container[], observed: readonly ObservedContainer[], actuated = new Map<ContainerId, Granted>()) =>
  planPod({ desired: aPod({ containers: [...containers] }), observed: { podUid: uid, sandboxes: [aSandbox()], containers: observed }, backoffs: new Map(), actuated, nowMs: 100_000 })
    .steps.map((step) => ('name' in step ? `${step.do} ${step.name}` : step.do));

describe('the plan of a resize', () => {
  const restartOnMemory = { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] };

  it.each<[string, readonly string[], readonly Container[], readonly ObservedContainer[]]>([
    ['what it was granted', [], [app(both('1', '1Gi'))], [made(both('1000m', '1024Mi'))]],
    ['something nobody wrote down', [], [app(both('1', '1Gi'))], [anInstance('app')]],
    ['less', ['raisePodCgroup', 'updateContainerResources app', 'settlePodCgroup'], [app(both('2', '1Gi'))], [made(both('1', '1Gi'))]],
    ['other memory, for which it restarts', ['raisePodCgroup', 'killContainer app', 'startContainer app', 'settlePodCgroup'], [app(both('1', '2Gi'), restartOnMemory)], [made(both('1', '1Gi'))]],
    ['other CPU, for which it need not', ['raisePodCgroup', 'updateContainerResources app', 'settlePodCgroup'], [app(both('2', '1Gi'), restartOnMemory)], [made(both('1', '1Gi'))]],
  ])('given a container that has %s, when planned, then the steps are %j', (_, expected, containers, observed) => {
    expect(steps(containers, observed)).toEqual(expected);
  });

  it('given two containers, when one gets what the other gives, then it is given back first', () => {
    const [a, b] = [aContainer('a', { resources: both('2', '1Gi') }), aContainer('b', { resources: both('1', '1Gi') })];
    const observed = [made(both('1', '1Gi'), { id: 'a' as ContainerId }, 'a'), made(both('2', '1Gi'), { id: 'b' as ContainerId }, 'b')]; // Any text may be an ID.
    expect(steps([a, b], observed)).toEqual(['raisePodCgroup', 'updateContainerResources b', 'updateContainerResources a', 'settlePodCgroup']);
  });

  it('given what a container was given since it was made, when planned, then that counts', () => {
    const observed = made(both('1', '1Gi'));
    expect(steps([app(both('2', '1Gi'))], [observed], new Map([[observed.id, both('2', '1Gi')]]))).toEqual([]);
  });
});

describe('what is seen of a resize', () => {
  const desired = pod(both('2', '1Gi'));
  const observed = made(both('1', '1Gi'));

  it('given a container that is behind, when its status is made, then it shows both, and the pod that it is under way, and why it is not', () => {
    expect(resourceStatus(app(both('2', '1Gi')), observed, new Map())).toEqual({ allocatedResources: { cpu: '2', memory: '1Gi' }, resources: both('1', '1Gi') });
    expect(resizeVerdicts({ desired, observed: { containers: [observed] } })).toEqual([{ type: 'PodResizeInProgress' }]);
    expect(resizeVerdicts({ desired, observed: { containers: [observed] }, resizeErrors: new Map([['app', 'no']]) })).toEqual([{ type: 'PodResizeInProgress', reason: 'Error', message: 'no' }]);
  });

  it('given a container without resources, or a pod that has what it asks for, when shown, then there is nothing to show', () => {
    expect(resourceStatus(aContainer(), undefined, new Map())).toEqual({});
    expect(resizeVerdicts({ desired, observed: { containers: [made(both('2', '1Gi'))] } })).toEqual([]);
  });

  it.each([
    ['more of both', both('2', '2Gi'), both('1', '1Gi'), { cpuQuota: 200_000, cpuShares: 2_048, memoryLimitInBytes: 2 * 2 ** 30 }],
    ['no limits any more', { requests: { cpu: '1' } }, { limits: { cpu: '1', memory: '1Gi' } }, { cpuQuota: -1, cpuShares: 1_024, memoryLimitInBytes: -1 }],
    ['none before and after', { requests: { cpu: '1' } }, { requests: { cpu: '2' } }, { cpuQuota: 0, cpuShares: 1_024, memoryLimitInBytes: 0 }],
  ] as const)('given %s, when the runtime is told, then it is told so', (_, now, before, expected) => {
    expect(resizedResources(app(now), before)).toMatchObject(expected);
  });

  it.each([['{}', {}], ['[]', undefined], ['{"limits":{"cpu":1}}', undefined], ['{"limits":{"cpu":"1","x":"2"}}', { limits: { cpu: '1' } }]])('given %s from outside, when read, then it is %j', (text, expected) => {
    expect(grantedFrom(JSON.parse(text))).toEqual(expected);
  });
});
