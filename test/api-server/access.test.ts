// Who may do what: strangers, bridges, nodes, tokens of service accounts, and the questions about it.
import { describe, expect, test } from 'vitest';
import { ApiWorld, configMap, configMapsUrl, podNamed, podsUrl } from '../support/api-world.ts';

const bridge = { commonName: 'mqlet-bridge', organizations: ['system:mqlet:bridges'] };
const node = (name: string) => ({ commonName: `system:node:${name}`, organizations: ['system:nodes'] });
const secretsUrl = '/api/v1/namespaces/default/secrets';
const leasesUrl = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

async function site(): Promise<ApiWorld> {
  const world = new ApiWorld();
  for (const name of ['a', 'b']) await world.addNode(name);
  await world.post(podsUrl, podNamed('mine', { nodeName: 'a', volumes: [{ name: 's', secret: { secretName: 'used' } }] }));
  await world.post(podsUrl, podNamed('theirs', { nodeName: 'b' }));
  for (const name of ['used', 'unused']) await world.post(secretsUrl, { metadata: { name } });
  return world;
}

describe('who may do what', () => {
  test.each([['/api/v1/pods', 401], ['/apis', 401], ['/nonsense', 401], ['/healthz', 200], ['/version', 200]])('given a stranger, when %s is asked for, then the answer is %s', async (url, status) => {
    const world = new ApiWorld();
    await world.server;
    expect((await world.listener.request({ method: 'GET', url })).status).toBe(status);
  });

  test('given a token nobody knows, when it is shown with a good certificate, then it is refused', async () => {
    expect((await new ApiWorld().get(podsUrl, { headers: { authorization: 'Bearer x' } })).body).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
  });

  test.each([
    ['GET', podsUrl, undefined, 200], ['POST', podsUrl, podNamed('mirror', { nodeName: 'a' }), 201], ['GET', secretsUrl, undefined, 200], ['POST', secretsUrl, { metadata: { name: 'x' } }, 403],
    ['DELETE', configMapsUrl, undefined, 403], ['POST', '/api/v1/namespaces', { metadata: { name: 'x' } }, 403], ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'x' } }, 201],
    ['DELETE', '/api/v1/nodes/a', undefined, 403], ['GET', '/openapi/v2', undefined, 200],
  ] as const)('given a bridge, when it asks %s %s, then it may what bridges need', async (method, url, body, status) => {
    expect((await (await site()).ask(method, url, body, { client: bridge })).status).toBe(status);
  });

  test.each([
    ['GET', '/api/v1/nodes/a', undefined, 200], ['GET', '/api/v1/nodes/b', undefined, 403], ['GET', `${podsUrl}/mine`, undefined, 200], ['GET', `${podsUrl}/theirs`, undefined, 403], ['GET', podsUrl, undefined, 403],
    ['PUT', `${podsUrl}/mine`, {}, 403], ['DELETE', `${podsUrl}/theirs`, undefined, 403], ['GET', `${secretsUrl}/used`, undefined, 200], ['GET', `${secretsUrl}/unused`, undefined, 403], ['GET', secretsUrl, undefined, 403],
    ['POST', leasesUrl, { metadata: { name: 'a' } }, 201], ['GET', `${leasesUrl}/b`, undefined, 403], ['POST', '/api/v1/namespaces/default/configmaps', configMap('x'), 403],
  ] as const)('given node a, when it asks %s %s, then it reaches what is its own', async (method, url, body, status) => {
    expect((await (await site()).ask(method, url, body, { client: node('a') })).status).toBe(status);
  });

  test('given what is not allowed, when it is asked for, then the refusal says who, what and where', async () => {
    const { body } = await (await site()).ask('DELETE', `${podsUrl}/theirs`, undefined, { client: node('a') });
    expect(body).toMatchObject({
      reason: 'Forbidden', details: { name: 'theirs', kind: 'pods' },
      message: 'pods "theirs" is forbidden: User "system:node:a" cannot delete resource "pods" in API group "" in the namespace "default": node "a" cannot delete a pod of another node',
    });
  });
});

describe('tokens of service accounts', () => {
  const tokenUrl = '/api/v1/namespaces/default/serviceaccounts/default/token';
  const review = async (world: ApiWorld, token: string, audiences?: readonly string[]) => (await world.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token, ...(audiences === undefined ? {} : { audiences }) } })).body['status'] as { authenticated: boolean; user: object };

  test('given a token for a pod, when it is reviewed, then it is good until its time is over or the pod is gone', async () => {
    const world = await site();
    const { body: pod } = await world.get(`${podsUrl}/mine`);
    const wish = { spec: { expirationSeconds: 600, boundObjectRef: { kind: 'Pod', name: 'mine', uid: pod['metadata'].uid } } };
    const { status, body } = await world.post(tokenUrl, wish);
    expect([status, body['status'].expirationTimestamp]).toEqual([201, '2026-01-01T00:10:00Z']);
    const { token } = body['status'];
    expect(await review(world, token)).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:default', groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'] } });
    expect((await review(world, `${String(token)}x`)).authenticated).toBe(false);
    expect((await review(world, token, ['vault'])).authenticated).toBe(false);
    const another = (await world.post(tokenUrl, { spec: { expirationSeconds: 600 } })).body['status'].token;
    await world.delete(`${podsUrl}/mine`, { gracePeriodSeconds: 0 });
    expect([(await review(world, token)).authenticated, (await review(world, another)).authenticated]).toEqual([false, true]);
    await world.clock.advance(600_001);
    expect((await review(world, another)).authenticated).toBe(false);
  });

  test.each([
    ['another UID', { spec: { boundObjectRef: { kind: 'Pod', name: 'mine', uid: 'x' } } }, 409], ['a pod that is not there', { spec: { boundObjectRef: { kind: 'Pod', name: 'none' } } }, 404], ['too short a time', { spec: { expirationSeconds: 10 } }, 422],
  ])('given a wish with %s, when a token is asked for, then it is refused', async (_name, wish, status) => expect((await (await site()).post(tokenUrl, wish)).status).toBe(status));

  test('given a token, when a call is made with it, then it is its account that calls', async () => {
    const world = await site();
    const { token } = (await world.post(tokenUrl, {})).body['status'];
    const call = { headers: { authorization: `Bearer ${String(token)}` } };
    expect((await world.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { headers: { ...call.headers, 'content-type': 'application/json' } })).body['status'].userInfo.username).toBe('system:serviceaccount:default:default');
    expect((await world.get(podsUrl, call)).body['message']).toContain('User "system:serviceaccount:default:default" cannot list resource "pods"');
  });
});

describe('questions about rights', () => {
  test.each([
    ['kubernetes-admin', ['system:masters'], 'delete', 'pods', '', true], ['mqlet-bridge', ['system:mqlet:bridges'], 'delete', 'nodes', '', false], ['system:node:a', ['system:nodes'], 'get', 'pods', 'mine', true],
  ])('given %s in %j, when it is asked whether they may %s %s %s, then the answer is that of a call', async (user, groups, verb, resource, name, allowed) => {
    const spec = { user, groups, resourceAttributes: { verb, resource, name, namespace: 'default' } };
    expect((await (await site()).post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec })).body['status']).toMatchObject({ allowed });
  });
});
