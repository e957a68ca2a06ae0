// What the bridge keeps of a cluster, whatever the order in which it hears of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../../src/bridge/kube/kube-paths.ts';
import { KubeView } from '../../../src/bridge/kube/kube-view.ts';
import { bridgeLabel } from '../../../src/bridge/node-rights.ts';

const meta = (name: string, version: number, more: object = {}) => ({ name, uid: `uid-${name}`, resourceVersion: String(version), ...more });
const node = (name: string, version = 1) => ({ metadata: meta(name, version, { labels: { [bridgeLabel]: 'mqlet' } }) });
const pod = (name: string, nodeName: string, version: number, secret?: string) => ({
  metadata: meta(name, version, { namespace: 'shop' }), spec: { nodeName, containers: [], ...(secret === undefined ? {} : { volumes: [{ name: 'v', secret: { secretName: secret } }] }) },
});
const secret = (name: string, version: number) => ({ metadata: meta(name, version, { namespace: 'shop', managedFields: [{}] }), data: {} });
const names = (view: KubeView, kind: 'Pod' | 'Secret') => view.list(kind).map(({ metadata }) => metadata.name);

function world() {
  const view = new KubeView('mqlet');
  const told: string[] = [];
  view.onChange(({ type, kind, object, by }) => told.push(`${type} ${kind} ${object.metadata.name} ${object.metadata.resourceVersion}${by === undefined ? '' : ` by ${by}`}`));
  return { view, told };
}

describe('what is kept', () => {
  it('given nodes of ours and others, when their pods and what these use come, then only ours are kept', () => {
    const { view } = world();
    view.apply('Node', node('ours'));
    view.apply('Node', { metadata: meta('other', 2) });
    for (const each of [pod('a', 'ours', 3, 'used'), pod('b', 'other', 4, 'unused')]) view.apply('Pod', each);
    for (const each of [secret('used', 5), secret('unused', 6)]) view.apply('Secret', each);
    expect([names(view, 'Pod'), names(view, 'Secret'), view.isOurs('other'), view.version]).toEqual([['a'], ['used'], false, '6']);
    expect(view.nodesUsing({ kind: 'Secret', namespace: 'shop', name: 'used' })).toEqual(['ours']);
    expect(view.list('Secret')[0]?.metadata).not.toHaveProperty('managedFields');
  });

  it('given the last pod that uses a secret, when it goes, then the secret is forgotten', () => {
    const { view } = world();
    view.apply('Node', node('ours'));
    view.apply('Pod', pod('a', 'ours', 3, 'used'));
    view.apply('Secret', secret('used', 4));
    view.remove('Pod', pod('a', 'ours', 5, 'used'));
    expect(view.counts()).toMatchObject({ Pod: 0, Secret: 0 });
  });

  it('given a pod waits for its secret, when it is reserved and goes before it came, then nothing is left', () => {
    const { view, told } = world();
    view.apply('Node', node('ours'));
    expect(view.reserve(pod('a', 'ours', 3, 'used'))).toEqual([{ kind: 'Secret', namespace: 'shop', name: 'used' }]);
    expect(view.apply('Secret', secret('used', 2))).toBe(true);
    view.remove('Pod', pod('a', 'ours', 4, 'used'));
    expect(view.isUsed({ kind: 'Secret', namespace: 'shop', name: 'used' })).toBe(false);
    expect(told).toEqual(['added Node ours 1', 'added Secret used 2']);
  });

  it('given a pod is gone, when older news of it comes, then it is not reserved', () => {
    const { view } = world();
    view.apply('Node', node('ours'));
    view.remove('Pod', pod('a', 'ours', 4, 'used'));
    expect([view.reserve(pod('a', 'ours', 3, 'used')), view.isUsed({ kind: 'Secret', namespace: 'shop', name: 'used' })]).toEqual([undefined, false]);
  });

  it('given a node loses its label, when it does, then its pods stay, and new ones come, until the last is gone', () => {
    const { view } = world();
    view.apply('Node', node('ours'));
    view.apply('Pod', pod('a', 'ours', 2));
    view.remove('Node', node('ours', 3));
    expect([view.isOurs('ours'), names(view, 'Pod')]).toEqual([true, ['a']]);
    view.remove('Pod', pod('a', 'ours', 4));
    expect(view.isOurs('ours')).toBe(false);
  });

  it('given a whole list, when it lacks an object, then that is gone, unless it is newer', () => {
    const { view } = world();
    view.apply('Node', node('ours'));
    for (const each of [pod('a', 'ours', 2), pod('b', 'ours', 9)]) view.apply('Pod', each);
    view.retain('Pod', new Set(), '5');
    expect(names(view, 'Pod')).toEqual(['b']);
  });
});

describe('order', () => {
  it('given news of one pod in any order, with answers among them, when all have come, then the newest is what is known, and versions never fell', () => {
    const steps = fc.array(fc.record({ version: fc.integer({ min: 2, max: 40 }), deleted: fc.boolean() }), { minLength: 1, maxLength: 30 });
    fc.assert(fc.property(steps, (given) => {
      const { view, told } = world();
      view.apply('Node', node('ours'));
      for (const { version, deleted } of given) {
        // A pod is gone at one version only, and for good.
        if (deleted && version === 40) view.remove('Pod', pod('a', 'ours', 40));
        else view.apply('Pod', pod('a', 'ours', Math.min(version, 39)), 'ours');
      }
      const versions = told.filter((line) => /^(added|modified) Pod/.test(line)).map((line) => line.split(' ')[3] ?? '');
      for (const [index, version] of versions.entries()) if (index > 0) expect(compareVersions(version, versions[index - 1] ?? '')).toBeGreaterThan(0);
      const gone = given.some(({ version, deleted }) => deleted && version === 40);
      const newest = Math.max(...given.filter(({ version, deleted }) => !(deleted && version === 40)).map(({ version }) => Math.min(version, 39)));
      expect(view.list('Pod').map(({ metadata }) => metadata.resourceVersion)).toEqual(gone ? [] : [String(newest)]);
    }));
  });
});
