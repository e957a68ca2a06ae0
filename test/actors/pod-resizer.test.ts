// Resources of running pods: what is granted, what has to wait, what is kept over a restart.
import { describe, expect, it } from 'vitest';
import type { Container, DesiredPod, PodUid } from '../../src/ports/pod-types.ts';
import { podWorld } from '../support/pod-world.ts';
import { aContainer, aPod, uid } from '../support/pods.ts';

type Resources = NonNullable<Container['resources']>;
const request = (cpu: string, memory = '64Mi'): Resources => ({ requests: { cpu, memory } });
const pod = (resources: Resources, part: Partial<DesiredPod> & { metadata?: object } = {}): DesiredPod =>
  aPod({ containers: [aContainer('app', { image: 'sim/run', resources })] }, part);

function world() {
  const all = podWorld({ cgroups: true, node: { allocatable: { cpu: 2_000, memory: 2 ** 30 } } });
  const statusOf = (of: PodUid = uid) => all.seen.flatMap((each) => (each.topic === 'pod.status' && each.payload.pod.uid === of ? [each.payload.status] : [])).at(-1);
  const condition = (type: string, of: PodUid = uid) => statusOf(of)?.conditions?.find((each) => each.type === type);
  const until = (what: () => boolean) => all.clock.runUntil(what, { limitMs: 300_000 });
  const running = (of: PodUid = uid) => until(() => statusOf(of)?.containerStatuses?.[0]?.state?.running !== undefined);
  return { ...all, statusOf, condition, until, running };
}

describe('PodResizer', () => {
  it('given a pod that asks for more than the node has, when it is updated, then it keeps what it has and its status says why', async () => {
    const { operate, running, until, condition, statusOf, stop } = world();
    operate('ADD', pod(request('100m')));
    await running();
    operate('UPDATE', pod(request('64')));
    await until(() => condition('PodResizePending') !== undefined);
    expect(condition('PodResizePending')).toMatchObject({ status: 'True', reason: 'Infeasible', message: 'Node didn\'t have enough capacity: cpu, requested: 64000, capacity: 2000' });
    expect(statusOf()?.containerStatuses?.[0]).toMatchObject({ resources: request('100m'), allocatedResources: { cpu: '100m', memory: '64Mi' } });
    await stop();
  });
});
