// Which dead containers and sandboxes go, in which order: the kubelet's steps.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ContainerGcInput, type ContainerGcPolicy, planContainerGc } from '../../../src/machines/decide/container-gc.ts';
import type { ContainerId, PodUid, SandboxId } from '../../../src/ports/pod-types.ts';
import type { ListedContainer, ListedSandbox } from '../../../src/ports/runtime-port.ts';

const defaults: ContainerGcPolicy = { minAgeMs: 0, perContainerMax: 1, containersMax: -1 };

/** `pod/name/age`: an instance made `age` ms ago; its ID is the same text. Older ones have lower attempts. */
function dead(text: string, part: Partial<ListedContainer> = {}): ListedContainer {
  const [podUid = '', name = '', age = '0'] = text.split('/');
  return {
    id: text as ContainerId, sandboxId: `${podUid}-sandbox` as SandboxId, podUid: podUid as PodUid, name, attempt: 100 - Number(age), state: 'exited', // Invented identities.
    createdAtMs: 1_000 - Number(age), image: '', imageRef: '', ...part,
  };
}

function sandbox(id: string, podUid: string, age: number, state: ListedSandbox['state'] = 'notReady'): ListedSandbox {
  return { id: id as SandboxId, podUid: podUid as PodUid, name: podUid, namespace: 'default', attempt: 0, state, createdAtMs: 1_000 - age }; // Invented identities.
}

const stateByLetter = (uid: string): 'active' | 'ended' | 'gone' => (uid.startsWith('gone') ? 'gone' : uid.startsWith('ended') ? 'ended' : 'active');

function plan(part: Partial<Omit<ContainerGcInput, 'policy'>> & { policy?: Partial<ContainerGcPolicy> }) {
  const planned = planContainerGc({
    containers: [], sandboxes: [], podState: stateByLetter, nowMs: 1_000, evict: 'nothing', ...part, policy: { ...defaults, ...part.policy },
  });
  return { containers: planned.containers.map(({ container, why }) => `${container.id} ${why}`), sandboxes: planned.sandboxes.map((each) => `${each.sandbox.id} ${each.why}`) };
}

describe('planContainerGc: containers', () => {
  test.each<[string, readonly string[], Parameters<typeof plan>[0], readonly string[]]>([
    ['one dead instance of each', ['a/app/1', 'b/app/1', 'a/side/2'], {}, []],
    ['more than one of a container', ['a/app/1', 'a/app/3', 'a/app/2'], {}, ['a/app/3 limit', 'a/app/2 limit']],
    ['two kept', ['a/app/1', 'a/app/3', 'a/app/2'], { policy: { perContainerMax: 2 } }, ['a/app/3 limit']],
    ['none kept of an ended pod', ['ended/app/1', 'ended/app/2'], { policy: { perContainerMax: 0 } }, ['ended/app/2 limit', 'ended/app/1 limit']],
    ['none kept, but the pod still needs its newest', ['a/app/1', 'a/app/2'], { policy: { perContainerMax: 0 } }, ['a/app/2 limit']],
    ['young ones', ['a/app/1', 'a/app/40', 'a/app/60'], { policy: { minAgeMs: 50 } }, []],
    ['young ones beside old ones', ['a/app/1', 'a/app/51', 'a/app/60'], { policy: { minAgeMs: 50 } }, ['a/app/60 limit']],
    ['a pod that is gone', ['gone/app/1', 'gone/app/2', 'a/app/1'], {}, ['gone/app/2 orphan', 'gone/app/1 orphan']],
    ['ended pods and somebody who asks', ['ended/app/1', 'a/app/1'], { evict: 'ended' }, ['ended/app/1 request']],
    ['ended pods and nobody who asks', ['ended/app/1', 'a/app/1'], {}, []],
    ['units in the order of their oldest', ['b/app/1', 'b/app/5', 'a/app/1', 'a/app/9'], {}, ['a/app/9 limit', 'b/app/5 limit']],
    ['as many as the node may keep', ['ended1/app/1', 'ended2/app/2'], { policy: { containersMax: 2 } }, []],
    ['more than the node may keep, shared among units', ['ended1/app/1', 'ended1/app/2', 'ended1/app/3', 'ended2/app/4'], { policy: { perContainerMax: 5, containersMax: 2 } }, ['ended1/app/3 limit', 'ended1/app/2 limit']],
    ['more units than the node may keep', ['ended1/app/1', 'ended2/app/3', 'ended3/app/2'], { policy: { containersMax: 1 } }, ['ended2/app/3 limit', 'ended3/app/2 limit']],
    ['none to keep on the node', ['ended1/app/1', 'ended2/app/3', 'a/app/2'], { policy: { containersMax: 0 } }, ['ended2/app/3 limit', 'ended1/app/1 limit']],
  ])('given %s, when planned, then the oldest beyond what may stay go', (_, containers, part, expected) => {
    expect(plan({ containers: containers.map((text) => dead(text)), ...part }).containers).toEqual(expected);
  });

  test('given instances that run, when planned, then they are neither counted nor removed', () => {
    const containers = [dead('a/app/1', { state: 'running' }), dead('a/app/2'), dead('a/app/3'), dead('a/app/4', { state: 'created' }), dead('a/app/5', { state: 'unknown' })];
    expect(plan({ containers }).containers).toEqual(['a/app/5 limit', 'a/app/4 limit', 'a/app/3 limit']);
  });

  test('given containers without a pod or a name, when planned, then each goes', () => {
    expect(plan({ containers: [dead('/app/1'), dead('a//2'), dead('//3')] }).containers).toEqual(['//3 orphan', 'a//2 orphan', '/app/1 orphan']);
  });

  test('given 60 dead containers of 20 pods and room for 25, when planned, then 40 go: those beyond two of each, then those beyond an equal share', () => {
    const containers = Array.from({ length: 60 }, (_, index) => dead(`ended${index % 20}/app/${index}`));
    const { containers: victims } = plan({ containers, policy: { perContainerMax: 2, containersMax: 25 } });
    const ages = victims.map((text) => Number(/\/(\d+) /.exec(text)?.[1]));
    expect(ages).toEqual(range(59, 20));
    expect(victims).toHaveLength(40);
  });

  test('given any containers and policy, when the plan is carried out and made anew, then nothing is left to do and no limit is broken', () => {
    const texts = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'ended', 'gone'), fc.constantFrom('app', 'side'), fc.nat(30)).map((parts) => parts.join('/')), { maxLength: 40 });
    fc.assert(fc.property(texts, fc.record({ minAgeMs: fc.nat(40), perContainerMax: fc.nat(3), containersMax: fc.integer({ min: -1, max: 12 }) }), (all, policy) => {
      const containers = all.map((text) => dead(text));
      const gone = new Set(plan({ containers, policy }).containers.map((line) => line.split(' ')[0]));
      const left = containers.filter(({ id }) => !gone.has(id));
      expect(gone.size).toBe(plan({ containers, policy }).containers.length);
      expect(plan({ containers: left, policy }).containers).toEqual([]);
      const old = left.filter(({ createdAtMs }) => 1_000 - createdAtMs >= policy.minAgeMs);
      const needed = new Set(old.filter(({ podUid }) => podUid === 'a' || podUid === 'b').map(({ podUid, name }) => `${podUid}/${name}`)).size;
      if (policy.containersMax >= 0) expect(old.length).toBeLessThanOrEqual(Math.max(policy.containersMax, needed));
    }));
  });
});

describe('planContainerGc: sandboxes', () => {
  test('given dead sandboxes of a pod, when planned, then all but the newest go, except those with containers', () => {
    const sandboxes = [sandbox('new', 'a', 1), sandbox('held', 'a', 2), sandbox('old', 'a', 3), sandbox('older', 'a', 4), sandbox('b1', 'b', 5)];
    expect(plan({ sandboxes, containers: [dead('a/app/2', { sandboxId: 'held' as SandboxId })] }).sandboxes).toEqual(['older limit', 'old limit']);
  });

  test('given the newest is ready, when planned, then it stays and the dead one before it goes', () => {
    expect(plan({ sandboxes: [sandbox('new', 'a', 1, 'ready'), sandbox('old', 'a', 2)] }).sandboxes).toEqual(['old limit']);
    expect(plan({ sandboxes: [sandbox('new', 'a', 1), sandbox('old', 'a', 2, 'ready')] }).sandboxes).toEqual([]);
  });

  test('given a sandbox whose last container goes, when planned, then it goes after it', () => {
    const containers = [dead('gone/app/1')];
    expect(plan({ containers, sandboxes: [sandbox('gone-sandbox', 'gone', 1)] })).toEqual({ containers: ['gone/app/1 orphan'], sandboxes: ['gone-sandbox orphan'] });
  });

  test('given ended pods and somebody who asks, when planned, then their sandboxes go too', () => {
    const sandboxes = [sandbox('e', 'ended', 1), sandbox('a', 'a', 1), sandbox('stray', '', 1), sandbox('busy', '', 1, 'ready')];
    expect(plan({ sandboxes, evict: 'ended' }).sandboxes).toEqual(['e request', 'stray orphan']);
    expect(plan({ sandboxes }).sandboxes).toEqual(['stray orphan']);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, index) => from - index);
}
