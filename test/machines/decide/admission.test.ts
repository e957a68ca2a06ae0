// Whom the node takes, why it refuses others, and who makes room for whom.
import { describe, expect, test } from 'vitest';
import { type AdmittingNode, admitPod } from '../../../src/machines/decide/admission.ts';
import { podRequests } from '../../../src/machines/decide/pod-requests.ts';
import type { Container, DesiredPod, PodSpec, PodUid } from '../../../src/ports/pod-types.ts';
import { admittingNode } from '../../support/node-settings.ts';
import { aContainer, aPod } from '../../support/pods.ts';

type Part = Parameters<typeof aPod>[1];

const asks = (requests: Record<string, string>, part: Partial<Container> = {}) => aContainer('app', { resources: { requests }, ...part });
const port = (hostPort: number, part: object = {}) => aContainer('app', { ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...part }] });
const affinity = (...nodeSelectorTerms: object[]) =>
  ({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } }) as Partial<PodSpec>; // the terms of each row are shaped like the API's
const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });
const sysctl = (name: string, spec: Partial<PodSpec> = {}): Partial<PodSpec> => ({ securityContext: { sysctls: [{ name, value: '1' }] }, ...spec });

const noAffinity = { reason: 'NodeAffinity', message: 'Predicate NodeAffinity failed: node(s) didn\'t match Pod\'s node affinity/selector' };
const noPorts = { reason: 'NodePorts', message: 'Predicate NodePorts failed: node(s) didn\'t have free ports for the requested pod ports' };
const noTaint = { reason: 'TaintToleration', message: 'Predicate TaintToleration failed: node(s) had taints that the pod didn\'t tolerate' };
const noAppArmor = { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
const outOf = (resource: string, requested: number, used: number, capacity: number) =>
  ({ reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}` });
const forbidden = (text: string) => ({ reason: 'SysctlForbidden', message: `forbidden sysctl: ${text}` });
const noExecute = { key: 'burning', value: 'yes', effect: 'NoExecute' };

interface Row {
  readonly spec?: Partial<PodSpec>;
  readonly part?: Part;
  readonly node?: Partial<AdmittingNode>;
  readonly active?: readonly DesiredPod[];
  readonly fault?: { readonly reason: string; readonly message: string };
}

const rows: Readonly<Record<string, Row>> = {
  'nothing special': {},
  'as many pods as there may be': { node: { podsMax: 2 }, active: [aPod(), aPod()], fault: outOf('pods', 1, 2, 2) },
  'more CPU than there is': { spec: { containers: [asks({ cpu: '4500m' })] }, fault: outOf('cpu', 4_500, 0, 4_000) },
  'CPU that others have': { spec: { containers: [asks({ cpu: '1' })] }, active: [aPod({ containers: [asks({ cpu: '3500m' })] })], fault: outOf('cpu', 1_000, 3_500, 4_000) },
  'CPU that just fits': { spec: { containers: [asks({ cpu: '500m' })] }, active: [aPod({ containers: [asks({ cpu: '3500m' })] })] },
  'no request on a node that is full': { active: [aPod({ containers: [asks({ cpu: '4', memory: '4Gi' })] })] },
  'more memory': { spec: { containers: [asks({ memory: '5Gi' })] }, fault: outOf('memory', 5 * 2 ** 30, 0, 2 ** 32) },
  'more ephemeral storage': { spec: { containers: [asks({ 'ephemeral-storage': '65Gi' })] }, fault: outOf('ephemeral-storage', 65 * 2 ** 30, 0, 2 ** 36) },
  'huge pages that are not there': { spec: { containers: [asks({ 'hugepages-2Mi': '4Mi' })] }, fault: outOf('hugepages-2Mi', 4 * 2 ** 20, 0, 0) },
  'a resource the node does not list': { spec: { containers: [asks({ 'example.com/gpu': '2' })] } },
  'a selector that fits': { spec: { nodeSelector: { zone: 'north' } } },
  'another zone': { spec: { nodeSelector: { zone: 'south' } }, fault: noAffinity },
  'affinity In': { spec: affinity(expression('zone', 'In', 'south', 'north')) },
  'affinity of which one term fits': { spec: affinity(expression('zone', 'In', 'south'), expression('cores', 'Gt', '2')) },
  'affinity of which half a term fits': { spec: affinity({ matchExpressions: [{ key: 'zone', operator: 'Exists' }, { key: 'cores', operator: 'Lt', values: ['4'] }] }), fault: noAffinity },
  'affinity NotIn for a label that is absent': { spec: affinity(expression('colour', 'NotIn', 'red')) },
  'affinity DoesNotExist for a label that is there': { spec: affinity(expression('zone', 'DoesNotExist')), fault: noAffinity },
  'affinity by the name of the node': { spec: affinity({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['edge-07'] }] }) },
  'affinity by an empty term': { spec: affinity({}), fault: noAffinity },
  'another node': { spec: { nodeName: 'edge-08' }, fault: { reason: 'NodeName', message: 'Predicate NodeName failed: node(s) didn\'t match the requested node name' } },
  'a host port that is taken': { spec: { containers: [port(8080)] }, active: [aPod({ containers: [port(8080)] })], fault: noPorts },
  'a host port of another protocol': { spec: { containers: [port(8080, { protocol: 'UDP' })] }, active: [aPod({ containers: [port(8080)] })] },
  'a host port on another address': { spec: { containers: [port(8080, { hostIP: '192.0.2.1' })] }, active: [aPod({ containers: [port(8080, { hostIP: '192.0.2.2' })] })] },
  'a host port on all addresses': { spec: { containers: [port(8080)] }, active: [aPod({ containers: [port(8080, { hostIP: '192.0.2.2' })] })], fault: noPorts },
  'a taint NoExecute': { node: { taints: [noExecute] }, fault: noTaint },
  'a taint NoExecute on a static pod': { node: { taints: [noExecute] }, part: { source: 'file' } },
  'a taint NoExecute on a pod applied here': { node: { taints: [noExecute] }, part: { source: 'admin' } },
  'a taint NoExecute that is tolerated by value': { node: { taints: [noExecute] }, spec: { tolerations: [{ key: 'burning', value: 'yes' }] } },
  'a taint NoExecute that is tolerated with another value': { node: { taints: [noExecute] }, spec: { tolerations: [{ key: 'burning', value: 'no' }] }, fault: noTaint },
  'a taint NoExecute that is tolerated like all': { node: { taints: [noExecute] }, spec: { tolerations: [{ operator: 'Exists' }] } },
  'a taint NoSchedule': { node: { taints: [{ ...noExecute, effect: 'NoSchedule' }] } },
  'a safe sysctl': { spec: sysctl('net.ipv4.ip_unprivileged_port_start') },
  'a safe sysctl with slashes': { spec: sysctl('net/ipv4/tcp_syncookies') },
  'an unsafe sysctl': { spec: sysctl('kernel.msgmax'), fault: forbidden('"kernel.msgmax" not allowlisted') },
  'an unsafe sysctl that is allowed': { spec: sysctl('kernel.msgmax'), node: { allowedUnsafeSysctls: ['kernel.msg*'] } },
  'a sysctl of the machine that is allowed': { spec: sysctl('vm.swappiness'), node: { allowedUnsafeSysctls: ['vm.*'] }, fault: forbidden('"vm.swappiness" not allowlisted') },
  'a safe sysctl of the host\'s network': { spec: sysctl('net.ipv4.tcp_syncookies', { hostNetwork: true }), fault: forbidden('"net.ipv4.tcp_syncookies" not allowed with host net enabled') },
  'a safe sysctl of the host\'s IPC': { spec: sysctl('kernel.shm_rmid_forced', { hostIPC: true }), fault: forbidden('"kernel.shm_rmid_forced" not allowed with host ipc enabled') },
  'another operating system': { spec: { os: { name: 'windows' } }, fault: { reason: 'PodOSNotSupported', message: 'Failed to admit pod as the OS field doesn\'t match node OS' } },
  'a selector for another operating system': { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } }, fault: { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message: 'Failed to admit pod as the `kubernetes.io/os` label doesn\'t match node label' } },
  'an AppArmor profile': { spec: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'tight' } } }, fault: noAppArmor },
  'the runtime\'s AppArmor profile by name': { spec: { containers: [aContainer('app', { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } })] }, fault: noAppArmor },
  'no AppArmor profile by name': { spec: { securityContext: { appArmorProfile: { type: 'Unconfined' } } } },
  'an AppArmor profile on a host that has it': { spec: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'tight' } } }, node: { appArmor: true } },
  'an AppArmor profile by annotation': { part: { metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/app': 'localhost/tight' } } }, fault: noAppArmor },
  'BestEffort while memory is short': { node: { pressures: ['MemoryPressure'] }, fault: { reason: 'Evicted', message: 'The node had condition: [MemoryPressure]. ' } },
  'Burstable while memory is short': { node: { pressures: ['MemoryPressure'] }, spec: { containers: [asks({ memory: '1Mi' })] } },
  'Burstable while the disk is full': { node: { pressures: ['DiskPressure'] }, spec: { containers: [asks({ memory: '1Mi' })] }, fault: { reason: 'Evicted', message: 'The node had condition: [DiskPressure]. ' } },
  'a machine that goes down': { node: { shuttingDown: true }, fault: { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' } },
  'a critical pod while the disk is full': { node: { pressures: ['DiskPressure'] }, spec: { priority: 2_000_000_000 } },
  'two reasons, of which resources come first': { spec: { nodeSelector: { zone: 'south' }, containers: [asks({ cpu: '5' })] }, fault: outOf('cpu', 5_000, 0, 4_000) },
};

describe('admitPod', () => {
  test.each(Object.entries(rows))('given %s, when judged, then as kubelet says', (_name, { spec = {}, part, node = {}, active = [], fault }) => {
    const admission = admitPod(aPod(spec, part), { ...admittingNode, ...node }, active);
    expect(admission).toEqual(fault === undefined ? { kind: 'admitted', preempted: [] } : { kind: 'refused', fault });
  });
});

describe('room for critical pods', () => {
  const named = (name: string, spec: Partial<PodSpec>, part: Part = {}) => aPod(spec, { uid: name as PodUid, name, ...part });
  const bestEffort = named('best-effort', {});
  const small = named('small', { containers: [asks({ cpu: '1' })] });
  const large = named('large', { containers: [asks({ cpu: '2' })] });
  const guaranteed = named('guaranteed', { containers: [aContainer('app', { resources: { limits: { cpu: '1', memory: '1Mi' } } })] });
  const critical = (cpu: string, spec: Partial<PodSpec> = {}) => named('critical', { priority: 2_000_000_000, containers: [asks({ cpu })], ...spec });

  test.each<[name: string, DesiredPod, Partial<AdmittingNode>, expected: readonly string[] | string]>([
    ['one that fits', critical('100m'), { allocatable: { cpu: 5_000 } }, []],
    ['one for which the smaller is enough', critical('1'), { allocatable: { cpu: 4_000 } }, ['small']],
    ['one for which the larger alone is enough', critical('2'), { allocatable: { cpu: 4_000 } }, ['large']],
    ['one that needs the guaranteed pod too', critical('4'), { allocatable: { cpu: 4_000 } }, ['large', 'small', 'guaranteed']],
    ['one that never fits', critical('5'), { allocatable: { cpu: 4_000 } }, 'OutOfcpu'],
    ['one that wants to be elsewhere', critical('1', { nodeSelector: { zone: 'south' } }), { allocatable: { cpu: 4_000 } }, 'OutOfcpu'],
    ['one that is not critical', named('plain', { priority: 1_000, containers: [asks({ cpu: '1' })] }), { allocatable: { cpu: 4_000 } }, 'OutOfcpu'],
    ['one for which there is no place', critical('0'), { podsMax: 4 }, ['best-effort']],
  ])('given %s, when judged, then the fewest and least go', (_name, pod, node, expected) => {
    const admission = admitPod(pod, { ...admittingNode, ...node }, [guaranteed, large, small, bestEffort]);
    expect(admission.kind === 'admitted' ? admission.preempted.map(({ name }) => name) : admission.fault.reason).toEqual(expected);
  });

  test('given only critical pods, when another comes, then a lower priority goes and a static pod stays', () => {
    const lower = named('lower', { priority: 2_000_000_000, containers: [asks({ cpu: '4' })] });
    const node = { ...admittingNode, podsMax: 1 };
    expect(admitPod(critical('0', { priority: 2_000_001_000 }), node, [lower])).toMatchObject({ kind: 'admitted', preempted: [lower] });
    expect(admitPod(critical('0', { priority: 2_000_001_000 }), node, [{ ...lower, source: 'file' }])).toMatchObject({ kind: 'refused' });
  });
});

describe('podRequests', () => {
  const cpu = (name: string, amount: string, part: Partial<Container> = {}) => aContainer(name, { resources: { requests: { cpu: amount } }, ...part });
  test.each<[name: string, spec: Pick<PodSpec, 'containers' | 'initContainers' | 'overhead'>, expected: Record<string, number>]>([
    ['containers', { containers: [cpu('a', '1'), cpu('b', '500m')] }, { cpu: 1_500 }],
    ['a larger init container', { containers: [cpu('a', '1')], initContainers: [cpu('i', '2'), cpu('j', '1')] }, { cpu: 2_000 }],
    ['a sidecar beside the containers', { containers: [cpu('a', '1')], initContainers: [cpu('s', '1', { restartPolicy: 'Always' }), cpu('i', '500m')] }, { cpu: 2_000 }],
    ['a sidecar beside a large init container', { containers: [cpu('a', '1')], initContainers: [cpu('s', '1', { restartPolicy: 'Always' }), cpu('i', '3')] }, { cpu: 4_000 }],
    ['a sidecar after a large init container', { containers: [cpu('a', '1')], initContainers: [cpu('i', '3'), cpu('s', '1', { restartPolicy: 'Always' })] }, { cpu: 3_000 }],
    ['overhead', { containers: [cpu('a', '1')], overhead: { cpu: '250m', memory: '1Ki' } }, { cpu: 1_250, memory: 1_024 }],
    ['limits alone', { containers: [aContainer('a', { resources: { limits: { memory: '1Mi' } } })] }, { memory: 2 ** 20 }],
  ])('given %s, then the most at one time', (_name, spec, expected) => {
    expect(podRequests(spec)).toEqual(expected);
  });
});
