// How objects end: at once, after a grace period, after their finalizers, with their namespace.
import { describe, expect, test } from 'vitest';
import { ApiWorld, configMap, configMapsUrl, podNamed, podsUrl } from '../support/api-world.ts';

async function boundPod(spec: object = {}): Promise<ApiWorld> {
  const world = new ApiWorld();
  await world.addNode('edge');
  await world.post(podsUrl, podNamed('web', { nodeName: 'edge', ...spec }));
  return world;
}

describe('deletion', () => {
  test('given a pod on a node, when it is deleted, then it is marked until its node deletes it without grace', async () => {
    const world = await boundPod();
    const { status, body } = await world.delete(`${podsUrl}/web`);
    expect([status, body['metadata'].deletionGracePeriodSeconds, body['metadata'].deletionTimestamp]).toEqual([200, 30, '2026-01-01T00:00:30Z']);
    expect((await world.get(`${podsUrl}/web`)).status).toBe(200);
    await world.delete(`${podsUrl}/web`, { gracePeriodSeconds: 0, preconditions: { uid: body['metadata'].uid } });
    expect((await world.get(`${podsUrl}/web`)).status).toBe(404);
  });

  test.each([
    ['a shorter wish', { gracePeriodSeconds: 5 }, 5], ['a longer wish', { gracePeriodSeconds: 60 }, 30], ['no wish', undefined, 30],
  ])('given a pod that is being deleted, when it is deleted again with %s, then the wait is never longer', async (_name, options, seconds) => {
    const world = await boundPod();
    await world.delete(`${podsUrl}/web`);
    expect((await world.delete(`${podsUrl}/web`, options)).body['metadata'].deletionGracePeriodSeconds).toBe(seconds);
  });

  test('given a pod without a node, or one that has ended, when it is deleted, then it is gone at once', async () => {
    const world = await boundPod();
    await world.post(podsUrl, podNamed('free', { schedulerName: 'another' }));
    await world.patch(`${podsUrl}/web/status`, { status: { phase: 'Succeeded' } });
    await world.delete(`${podsUrl}/free`);
    await world.delete(`${podsUrl}/web`);
    expect((await world.get(podsUrl)).body['items']).toEqual([]);
  });

  test('given a finalizer, when the object is deleted, then it goes with the last of them, and no new one is taken', async () => {
    const world = new ApiWorld();
    await world.post(configMapsUrl, configMap('a', {}, { finalizers: ['example.org/keep'] }));
    expect((await world.delete(`${configMapsUrl}/a`)).body['metadata'].deletionTimestamp).toBe('2026-01-01T00:00:00Z');
    expect((await world.patch(`${configMapsUrl}/a`, { metadata: { finalizers: ['example.org/more'] } })).status).toBe(403);
    expect((await world.patch(`${configMapsUrl}/a`, { metadata: { finalizers: null } }, 'merge')).status).toBe(200);
    expect((await world.get(`${configMapsUrl}/a`)).status).toBe(404);
  });

  test('given another UID as precondition, when an object is deleted, then it stays', async () => {
    const world = new ApiWorld();
    await world.post(configMapsUrl, configMap('a'));
    const { status, body } = await world.delete(`${configMapsUrl}/a`, { preconditions: { uid: 'x' } });
    expect([status, body['reason']]).toEqual([409, 'Conflict']);
  });

  test('given a selector, when a collection is deleted, then only what it selects goes', async () => {
    const world = new ApiWorld();
    for (const [name, app] of [['a', 'x'], ['b', 'y'], ['c', 'x']]) await world.post(configMapsUrl, configMap(String(name), {}, { labels: { app } }));
    const { body } = await world.delete(`${configMapsUrl}?labelSelector=app%3Dx`);
    expect(body['items']).toHaveLength(2);
    expect((await world.get(configMapsUrl)).body['items']).toMatchObject([{ metadata: { name: 'b' } }]);
  });

  test('given a namespace with a pod on a node, when it is deleted, then it takes nothing new and goes when the pod has', async () => {
    const world = new ApiWorld();
    await world.addNode('edge');
    await world.post('/api/v1/namespaces', { metadata: { name: 'shop' } });
    await world.post('/api/v1/namespaces/shop/pods', podNamed('web', { nodeName: 'edge' }));
    await world.post('/api/v1/namespaces/shop/configmaps', configMap('a'));
    expect((await world.delete('/api/v1/namespaces/shop')).body['status'].phase).toBe('Terminating');
    await world.clock.advance(100);
    expect((await world.post('/api/v1/namespaces/shop/configmaps', configMap('b'))).body['message']).toContain('because it is being terminated');
    expect((await world.get('/api/v1/namespaces/shop/configmaps')).body['items']).toEqual([]);
    expect((await world.get('/api/v1/namespaces/shop')).status).toBe(200);
    await world.delete('/api/v1/namespaces/shop/pods/web', { gracePeriodSeconds: 0 });
    await world.clock.advance(10_000);
    expect((await world.get('/api/v1/namespaces/shop')).status).toBe(404);
  });
});
