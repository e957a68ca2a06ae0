// Reviews asked of the embedded API with the bridge's own rights.
import { expect, it } from 'vitest';
import { SimKubeApi } from '../../../src/adapters/sim/sim-kube-api.ts';
import { accessReviews } from '../../../src/bridge/kube/access-reviews.ts';
import { ApiWorld } from '../../support/api-world.ts';

const proxy = { verb: 'create', resource: 'nodes', name: 'edge-07', subresource: 'proxy' };

it('given the bridge asks who may use nodes’ endpoints, when it is told, then administrators may, nodes and accounts may not', async () => {
  const api = new ApiWorld();
  await api.server;
  const reviews = accessReviews(new SimKubeApi(api.listener, { commonName: 'mqlet-bridge', organizations: ['system:mqlet:bridges'] }));
  expect(await reviews.reviewAccess({ name: 'kube-apiserver-kubelet-client', groups: ['system:masters'] }, proxy)).toEqual({ ok: true, value: true });
  expect(await reviews.reviewAccess({ name: 'system:node:edge-08', groups: ['system:nodes'] }, proxy)).toEqual({ ok: true, value: false });
  const { body } = await api.post('/api/v1/namespaces/default/serviceaccounts/default/token', { spec: {} });
  const user = await reviews.reviewToken(String(body['status'].token));
  expect(user).toMatchObject({ ok: true, value: { name: 'system:serviceaccount:default:default', groups: expect.arrayContaining(['system:serviceaccounts']) } });
  expect(await reviews.reviewToken('made up')).toEqual({ ok: true });
});

it('given the API is away, when it is asked, then nobody is let in for that', async () => {
  const api = new ApiWorld();
  await api.server;
  const kube = new SimKubeApi(api.listener, { commonName: 'mqlet-bridge', organizations: ['system:mqlet:bridges'] });
  kube.fault = () => ({ kind: 'unreachable', message: 'away' });
  expect(await accessReviews(kube).reviewAccess({ name: 'x', groups: [] }, proxy)).toEqual({ ok: false, fault: { code: 503, reason: 'ServiceUnavailable', message: 'away' } });
  expect((await accessReviews(kube).reviewToken('x')).ok).toBe(false);
});
