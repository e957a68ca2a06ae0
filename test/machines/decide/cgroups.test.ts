// Names and numbers of cgroups.
import { describe, expect, it } from 'vitest';
import {
  classMillis, kubepodsLimits, kubepodsPath, looserLimits, podCgroupLimits, podCgroupPath, podUidOfCgroup, qosLimits, qosPath,
} from '../../../src/machines/decide/cgroups.ts';
import { admittedAmounts, enforcedAmounts, shownAllocatable } from '../../../src/machines/decide/node-allocatable.ts';
import { unlimited } from '../../../src/ports/cgroups-port.ts';
import type { Container, PodUid } from '../../../src/ports/pod-types.ts';
import { hostFacts, nodeIdentity } from '../../support/node-facts.ts';
import { aContainer, aPod } from '../../support/pods.ts';

const uid = '7b0d2f6e-1111' as PodUid; // Any text may be an identity.

describe('paths of cgroups', () => {
  it.each([
    ['Guaranteed', 'cgroupfs', '', '/kubepods/pod7b0d2f6e-1111'],
    ['Burstable', 'cgroupfs', '', '/kubepods/burstable/pod7b0d2f6e-1111'],
    ['BestEffort', 'cgroupfs', '/edge', '/edge/kubepods/besteffort/pod7b0d2f6e-1111'],
    ['Guaranteed', 'systemd', '', '/kubepods.slice/kubepods-pod7b0d2f6e_1111.slice'],
    ['Burstable', 'systemd', '', '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7b0d2f6e_1111.slice'],
    ['BestEffort', 'systemd', '/my-edge', '/my_edge.slice/my_edge-kubepods.slice/my_edge-kubepods-besteffort.slice/my_edge-kubepods-besteffort-pod7b0d2f6e_1111.slice'],
  ] as const)('given a %s pod and the driver %s below "%s", when named, then it is %s, and its name gives the UID back', (quality, driver, root, path) => {
    expect(podCgroupPath(uid, quality, { root, driver })).toBe(path);
    expect(podUidOfCgroup(path.slice(path.lastIndexOf('/') + 1))).toBe(uid);
    expect(path.startsWith(`${qosPath(quality, { root, driver })}/`)).toBe(true);
    expect(path.startsWith(`${kubepodsPath({ root, driver })}/`)).toBe(true);
  });

  it.each(['burstable', 'kubepods-burstable.slice', 'crio-x.scope', 'pod', 'pod/../x'])('given %s, when read as the name of a pod, then it is none', (name) => {
    expect(podUidOfCgroup(name)).toBeUndefined();
  });
});

describe('podCgroupLimits', () => {
  const of = (...resources: readonly NonNullable<Container['resources']>[]) => ({ containers: resources.map((each, index) => aContainer(`c${index}`, { resources: each })) });
  const limits = (spec: object, part = {}) => podCgroupLimits(aPod(spec).pod.spec, { podPidsMax: -1, pageSizes: [], ...part });
  const none = { cpuShares: 2, cpuQuota: unlimited, cpuPeriod: 100_000, memoryBytes: unlimited, pidsMax: unlimited };

  it.each([
    ['nothing asked for', of({}), none],
    ['limits everywhere', of({ limits: { cpu: '1', memory: '1Gi' } }, { limits: { cpu: '500m', memory: '1Gi' } }), { ...none, cpuShares: 1_536, cpuQuota: 150_000, memoryBytes: 2 * 2 ** 30 }],
    ['one container without a limit of memory', of({ limits: { cpu: '1', memory: '1Gi' } }, { limits: { cpu: '500m' } }), { ...none, cpuShares: 1_536, cpuQuota: 150_000 }],
    ['requests alone', of({ requests: { cpu: '250m', memory: '1Gi' } }), { ...none, cpuShares: 256 }],
    ['overhead', { ...of({ limits: { cpu: '1', memory: '1Gi' } }), overhead: { cpu: '250m', memory: '64Mi' } }, { ...none, cpuShares: 1_280, cpuQuota: 125_000, memoryBytes: 2 ** 30 + 2 ** 26 }],
    ['an init container that asks for more', { ...of({ limits: { cpu: '1', memory: '1Gi' } }), initContainers: [aContainer('init', { resources: { limits: { cpu: '2', memory: '1Gi' } } })] }, { ...none, cpuShares: 2_048, cpuQuota: 200_000, memoryBytes: 2 ** 30 }],
  ])('given %s, when asked, then the pod is held to what its containers are held to together', (_, spec, expected) => {
    expect(limits(spec)).toEqual(expected);
  });

  it('given a limit of processes and pages on the node, when asked, then the pod has them, and pages it does not ask for are 0', () => {
    const spec = of({ limits: { cpu: '1', memory: '1Gi', 'hugepages-2Mi': '4Mi' } });
    expect(limits(spec, { podPidsMax: 64, pageSizes: ['2Mi', '1Gi'] })).toMatchObject({ pidsMax: 64, hugepageBytes: { '2MB': 4 * 2 ** 20, '1GB': 0 } });
  });

  it('given two sets of limits, when the looser is asked for, then each value is the larger one, and none is the largest', () => {
    expect(looserLimits({ ...none, cpuShares: 512, memoryBytes: 100 }, { ...none, cpuShares: 256, cpuQuota: 10, memoryBytes: 200 })).toEqual({ ...none, cpuShares: 512, memoryBytes: 200 });
  });
});

describe('limits above the pods', () => {
  it('given what pods of a class ask for, when asked, then the class has it; guaranteed and idle pods add nothing', () => {
    expect([qosLimits('Burstable', 1_500), qosLimits('Burstable', 0), qosLimits('BestEffort', 1_500)]).toEqual([{ cpuShares: 1_536 }, { cpuShares: 2 }, { cpuShares: 2 }]);
    const guaranteed = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } };
    expect([{}, guaranteed, { requests: { cpu: '300m' } }].map((resources) => classMillis(aPod({ containers: [aContainer('app', { resources })] })))).toEqual([0, 0, 300]);
  });

  it('given reserves and thresholds, when asked, then pods may ask for what is left of both, and are held to what is left of the reserves', () => {
    const identity = nodeIdentity({ systemReserved: { cpu: '500m', memory: '256Mi' }, kubeReserved: { memory: '256Mi' } });
    const host = hostFacts({ hugePages: { '2Mi': 64 * 2 ** 20 } });
    expect(admittedAmounts(identity, host)).toEqual({ cpu: 3_500, memory: (4_096 - 512 - 100 - 64) * 2 ** 20, 'ephemeral-storage': 90 * 2 ** 30, 'hugepages-2Mi': 64 * 2 ** 20 });
    expect(shownAllocatable(identity, host)).toEqual({ cpuMillis: 3_500, memoryBytes: (4_096 - 512 - 100 - 64) * 2 ** 20, ephemeralStorageBytes: 90 * 2 ** 30 });
    expect(kubepodsLimits(enforcedAmounts(identity, host))).toEqual({ cpuShares: 3_584, memoryBytes: (4_096 - 512) * 2 ** 20, hugepageBytes: { '2MB': 64 * 2 ** 20 } });
  });
});
