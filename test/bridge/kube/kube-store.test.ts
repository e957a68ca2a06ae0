// In which order the bridge's view learns of pods and what they use, while an API answers slowly.
import { afterEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { KubeStore } from '../../../src/bridge/kube/kube-store.ts';
import { KubeView } from '../../../src/bridge/kube/kube-view.ts';
import { bridgeLabel } from '../../../src/bridge/node-rights.ts';
import type { KubeApiPort, KubeObject, KubeWatchEvent } from '../../../src/ports/kube-api-port.ts';
import { ok } from '../../../src/ports/result.ts';
import { silentLog } from '../../support/silent-log.ts';

const meta = (name: string, version: number, more: object = {}) => ({ name, uid: `uid-${name}`, resourceVersion: String(version), ...more });
const node = { metadata: meta('ours', 1, { labels: { [bridgeLabel]: 'mqlet' } }) };
const pod = (name: string, version: number) => ({ metadata: meta(name, version, { namespace: 'shop' }), spec: { nodeName: 'ours', containers: [], volumes: [{ name: 'v', secret: { secretName: 'till' } }] } });
const secretPath = '/api/v1/namespaces/shop/secrets/till';
const stores: KubeStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
});

/** An API whose answers to the paths named wait for their release. */
function world(slow: readonly string[]) {
  const clock = new VirtualClock();
  const view = new KubeView('mqlet');
  const told: string[] = [];
  view.onChange(({ type, kind, object }) => void told.push(`${type} ${kind} ${object.metadata.name}`));
  const releases = new Map<string, () => void>();
  const watches = new Map<string, (event: KubeWatchEvent) => void>();
  const asked: string[] = [];
  const api: KubeApiPort = {
    async call({ path }) {
      asked.push(path);
      if (slow.includes(path)) await new Promise<void>((resolve) => void releases.set(path, resolve));
      if (path === secretPath) return ok<KubeObject>({ metadata: meta('till', 5, { namespace: 'shop' }), data: {} });
      return ok<KubeObject>({ metadata: { resourceVersion: '2' }, items: path === '/api/v1/nodes' ? [node] : [] });
    },
    watch(path, _query, take) {
      watches.set(path, take);
      return { ended: new Promise(() => undefined), stop: () => undefined };
    },
    close: () => undefined,
  };
  const store = new KubeStore({ api, view, clock, random: new SeededRandom(1), log: silentLog, bridge: 'mqlet' });
  stores.push(store);
  const comes = (object: KubeObject): void => watches.get('/api/v1/pods')?.({ type: 'ADDED', object });
  return { clock, store, told, asked, comes, release: (path: string) => releases.get(path)?.() };
}

describe('pods and what they use', () => {
  it('given secrets were listed and config maps not yet, when a pod comes, then its secret is there before it', async () => {
    const { clock, store, told, comes, release } = world(['/api/v1/configmaps']);
    await clock.advance(10);
    comes(pod('web', 3));
    release('/api/v1/configmaps');
    await clock.advance(10);
    expect([store.isSynced, told]).toEqual([true, ['added Node ours', 'added Secret till', 'added Pod web']]);
  });

  it('given the secret of such a pod is slow, when it is waited for, then the bridge is not ready', async () => {
    const { clock, store, told, comes, release } = world(['/api/v1/configmaps', secretPath]);
    await clock.advance(10);
    comes(pod('web', 3));
    release('/api/v1/configmaps');
    await clock.advance(10);
    expect([store.isSynced, told]).toEqual([false, ['added Node ours']]);
    release(secretPath);
    await clock.advance(10);
    expect([store.isSynced, told.at(-1)]).toEqual([true, 'added Pod web']);
  });

  it('given replicas come together, when their secret is fetched, then all wait for it, and it is fetched once', async () => {
    const { clock, told, asked, comes, release } = world([secretPath]);
    await clock.advance(10);
    for (const [index, name] of ['web-0', 'web-1', 'web-2'].entries()) comes(pod(name, 3 + index));
    await clock.advance(10);
    expect(told).toEqual(['added Node ours']);
    release(secretPath);
    await clock.advance(10);
    expect(told).toEqual(['added Node ours', 'added Secret till', 'added Pod web-0', 'added Pod web-1', 'added Pod web-2']);
    expect(asked.filter((path) => path === secretPath)).toHaveLength(1);
  });
});
