// The maintained client behind KubeApiPort, against the embedded API over TLS with the bridge's own certificate and rights.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubernetesClient } from '../../src/adapters/kubernetes-client.ts';
import type { KubeApiPort, KubeWatchEvent } from '../../src/ports/kube-api-port.ts';
import { type ApiSite, startApiSite } from '../support/api-site.ts';

describe('the Kubernetes client', () => {
  let site: ApiSite;
  const ports: KubeApiPort[] = [];
  const client = (kubeconfig: string): KubeApiPort => {
    const made = kubernetesClient({ kubeconfig });
    if (!made.ok) throw new Error(made.fault);
    ports.push(made.value);
    return made.value;
  };
  beforeAll(async () => {
    site = await startApiSite();
  });
  afterAll(async () => {
    for (const port of ports) port.close();
    await site.stop();
  });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { nodeName: 'edge-07', containers: [{ name: 'app', image: 'i' }] } };

  it('given a watch, when an object is made, changed by a patch and removed, then each is answered and told', async () => {
    const api = client(site.kubeconfigs.bridge);
    const listed = await api.call({ method: 'GET', path: '/api/v1/pods', query: { limit: '500' } });
    if (!listed.ok) throw new Error('the list was refused');
    const { resourceVersion } = listed.value.metadata as { readonly resourceVersion: string }; // Lists have one.
    const seen: KubeWatchEvent[] = [];
    const watch = api.watch('/api/v1/pods', { resourceVersion, fieldSelector: 'spec.nodeName!=' }, (event) => seen.push(event));
    const url = '/api/v1/namespaces/default/pods';
    expect(await api.call({ method: 'POST', path: url, body: pod })).toMatchObject({ ok: true, value: { metadata: { name: 'web' } } });
    expect(await api.call({ method: 'PATCH', path: `${url}/web/status`, contentType: 'application/strategic-merge-patch+json', body: { status: { phase: 'Running' } } })).toMatchObject({ ok: true, value: { status: { phase: 'Running' } } });
    expect((await api.call({ method: 'DELETE', path: `${url}/web`, body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 } })).ok).toBe(true);
    await expect.poll(() => seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    watch.stop();
    expect(await watch.ended).toEqual({ ok: true });
  });

  it('given an API that takes a watch and never answers, when the watch is stopped, then it ends', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo; // It listens on a port.
    const folder = await mkdtemp(path.join(tmpdir(), 'mqlet-'));
    const kubeconfig = path.join(folder, 'config');
    await writeFile(kubeconfig, JSON.stringify({ clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }], users: [{ name: 'a', user: {} }], contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }], 'current-context': 'a' }));
    const watch = client(kubeconfig).watch('/api/v1/pods', {}, () => undefined);
    await once(silent, 'request');
    watch.stop();
    expect(await watch.ended).toEqual({ ok: true });
    silent.closeAllConnections();
    silent.close();
    await rm(folder, { recursive: true });
  });

  it('given refusals, when they come, then they are the API’s own words', async () => {
    const api = client(site.kubeconfigs.bridge);
    expect(await api.call({ method: 'GET', path: '/api/v1/namespaces/default/pods/none' })).toMatchObject({ ok: false, fault: { kind: 'refused', status: { code: 404, reason: 'NotFound' } } });
    expect(await api.call({ method: 'DELETE', path: '/api/v1/nodes/edge-07' })).toMatchObject({ ok: false, fault: { kind: 'refused', status: { code: 403, reason: 'Forbidden' } } });
  });

  it('given no kubeconfig, when a client is wanted, then one line says why there is none', () => {
    expect(kubernetesClient({ kubeconfig: '/no/such/file' })).toMatchObject({ ok: false, fault: expect.stringContaining('/no/such/file') });
  });

  it('given the API is away, when it is asked, then it is unreachable', async () => {
    const other = await startApiSite();
    const api = client(other.kubeconfigs.bridge);
    await other.stop();
    expect(await api.call({ method: 'GET', path: '/version' })).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
    expect(await api.watch('/api/v1/pods', {}, () => undefined).ended).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
  });
});
