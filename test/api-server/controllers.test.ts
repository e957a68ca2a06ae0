// What the embedded API does by itself: binding pods, telling that a node is silent, forgetting events, default accounts.
import { describe, expect, test } from 'vitest';
import { ApiWorld, podNamed, podsUrl } from '../support/api-world.ts';

async function scheduled(world: ApiWorld, spec: object = {}, name = 'web'): Promise<{ readonly node: unknown; readonly message: unknown }> {
  await world.post(podsUrl, podNamed(name, spec));
  await world.clock.advance(10);
  const { body } = await world.get(`${podsUrl}/${name}`);
  return { node: body['spec'].nodeName, message: (body['status'].conditions as readonly { type: string; message?: string }[] | undefined)?.find(({ type }) => type === 'PodScheduled')?.message };
}

describe('the scheduler', () => {
  test('given one node, when a plain pod is created, then it is bound there and an event says so', async () => {
    const world = new ApiWorld();
    await world.addNode('edge');
    expect(await scheduled(world)).toEqual({ node: 'edge', message: undefined });
    const { body } = await world.get('/api/v1/namespaces/default/events');
    expect(body['items']).toMatchObject([{ reason: 'Scheduled', type: 'Normal', message: 'Successfully assigned default/web to edge', involvedObject: { kind: 'Pod', name: 'web' }, source: { component: 'default-scheduler' } }]);
  });

  test('given a node with the taint of its kind, when a plain pod is created, then it is bound there', async () => {
    const world = new ApiWorld();
    await world.addNode('edge', { spec: { taints: [{ key: 'type', value: 'lite-kubelet', effect: 'NoSchedule' }] } });
    expect((await scheduled(world)).node).toBe('edge');
  });

  test.each([
    ['is cordoned', { spec: { unschedulable: true } }, {}, '0/1 nodes are available: 1 node(s) were unschedulable.'],
    ['has a taint', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }, {}, '0/1 nodes are available: 1 node(s) had untolerated taint {k: v}.'],
    ['has other labels', {}, { nodeSelector: { disk: 'ssd' } }, "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."],
    ['has too few CPUs', {}, { containers: [{ name: 'm', image: 'i', resources: { requests: { cpu: '3' } } }] }, '0/1 nodes are available: 1 Insufficient cpu.'],
    ['takes no pods', { allocatable: { pods: '0' } }, {}, '0/1 nodes are available: 1 Too many pods.'],
  ])('given a node that %s, when a pod is created, then it waits and says why', async (_name, node, spec, message) => {
    const world = new ApiWorld();
    await world.addNode('edge', node);
    expect(await scheduled(world, spec)).toEqual({ node: undefined, message });
    expect((await world.get('/api/v1/events')).body['items']).toMatchObject([{ reason: 'FailedScheduling', type: 'Warning', message }]);
  });

  test('given a pod that waits, when a node comes or room is made, then it is bound', async () => {
    const world = new ApiWorld();
    expect((await scheduled(world)).message).toBe('no nodes available to schedule pods');
    await world.addNode('edge', { allocatable: { pods: '1' } });
    await world.clock.advance(10);
    expect((await world.get(`${podsUrl}/web`)).body['spec'].nodeName).toBe('edge');
    expect((await scheduled(world, {}, 'second')).node).toBeUndefined();
    await world.delete(`${podsUrl}/web`, { gracePeriodSeconds: 0 });
    await world.clock.advance(10);
    expect((await world.get(`${podsUrl}/second`)).body['spec'].nodeName).toBe('edge');
  });

  test('given two nodes, when pods come, then they are shared', async () => {
    const world = new ApiWorld();
    await world.addNode('a');
    await world.addNode('b');
    const nodes = [];
    for (const name of ['one', 'two', 'three', 'four']) nodes.push((await scheduled(world, {}, name)).node);
    expect(nodes).toEqual(['a', 'b', 'a', 'b']);
  });

  test('given a bound pod, when it is bound again, then it is refused', async () => {
    const world = new ApiWorld();
    await world.addNode('edge');
    await scheduled(world);
    const { status, body } = await world.post(`${podsUrl}/web/binding`, { target: { name: 'other' } });
    expect([status, body['message']]).toEqual([409, 'Operation cannot be fulfilled on pods "web": pod web is already assigned to node "edge"']);
  });
});

describe('the lifecycle of nodes', () => {
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const renew = (world: ApiWorld) => world.patch(`${lease}/edge`, { spec: { renewTime: new Date(world.clock.nowMs()).toISOString().replace('Z', '000Z') } }, 'merge');
  const readyOf = async (world: ApiWorld) => ((await world.get('/api/v1/nodes/edge')).body['status'].conditions as readonly { type: string; status: string }[]).find(({ type }) => type === 'Ready');

  test('given a node that falls silent, when 40 seconds are over, then it is Unknown and takes no new pods until it is heard', async () => {
    const world = new ApiWorld();
    await world.addNode('edge');
    await world.post(lease, { metadata: { name: 'edge' }, spec: { holderIdentity: 'edge', leaseDurationSeconds: 40 } });
    for (let round = 0; round < 8; round += 1) {
      await world.clock.advance(10_000);
      await renew(world);
    }
    expect(await readyOf(world)).toMatchObject({ status: 'True' });
    await world.clock.advance(41_000);
    expect(await readyOf(world)).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' });
    expect((await world.get('/api/v1/nodes/edge')).body['spec'].taints).toMatchObject([{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }]);
    expect((await scheduled(world)).node).toBeUndefined();
    await renew(world);
    await world.patch('/api/v1/nodes/edge/status', { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    await world.clock.advance(100);
    expect((await world.get('/api/v1/nodes/edge')).body['spec']).toEqual({});
    expect((await world.get(`${podsUrl}/web`)).body['spec'].nodeName).toBe('edge');
  });
});

describe('a node that is deleted', () => {
  test.each([['stays away', false, 0], ['comes back', true, 1]])('given one that %s, when its time is over, then its pods are gone or stay', async (_name, back, pods) => {
    const world = new ApiWorld();
    await world.addNode('edge');
    await scheduled(world);
    await world.delete('/api/v1/nodes/edge');
    await world.clock.advance(20_000);
    if (back) await world.addNode('edge');
    await world.clock.advance(30_000);
    expect((await world.get(podsUrl)).body['items']).toHaveLength(pods);
  });
});

describe('events and namespaces', () => {
  test('given an event, when an hour is over, then it is forgotten', async () => {
    const world = new ApiWorld();
    await world.post('/api/v1/namespaces/default/events', { metadata: { name: 'e' }, involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' }, reason: 'Started', lastTimestamp: '2026-01-01T00:00:00Z' });
    await world.clock.advance(3_500_000);
    expect((await world.get('/api/v1/events')).body['items']).toHaveLength(1);
    await world.clock.advance(200_000);
    expect((await world.get('/api/v1/events')).body['items']).toEqual([]);
  });

  test('given a namespace, when it is created or its account is deleted, then there is a default account', async () => {
    const world = new ApiWorld();
    await world.post('/api/v1/namespaces', { metadata: { name: 'shop' } });
    await world.clock.advance(10);
    const url = '/api/v1/namespaces/shop/serviceaccounts/default';
    const first = await world.get(url);
    await world.delete(url);
    await world.clock.advance(10);
    const second = await world.get(url);
    expect([first.status, second.status, first.body['metadata'].uid === second.body['metadata'].uid]).toEqual([200, 200, false]);
  });
});
