// Bridges that share nodes: who serves which, and how fast that changes when one dies. Virtual time, leases in the embedded API.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimKubeApi } from '../../src/adapters/sim/sim-kube-api.ts';
import { memberLeaseMs, Members, ownerOf } from '../../src/bridge/members.ts';
import { ApiWorld } from '../support/api-world.ts';
import { silentLog } from '../support/silent-log.ts';

const nodes = Array.from({ length: 300 }, (_none, index) => `edge-${index}`);
const identity = { commonName: 'mqlet-bridge', organizations: ['system:mqlet:bridges'] };

describe('whose a node is', () => {
  it('given members, when one goes, then only its nodes move', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 2, maxLength: 6 }), (members) => {
      const [gone, ...left] = members;
      for (const node of nodes.slice(0, 50)) if (ownerOf(node, members) !== gone) expect(ownerOf(node, left)).toBe(ownerOf(node, members));
    }), { numRuns: 30 });
  });

  it('given three members, when nodes are counted, then each has about a third', () => {
    for (const member of ['a', 'b', 'c']) expect(Math.abs(nodes.filter((node) => ownerOf(node, ['a', 'b', 'c']) === member).length - 100)).toBeLessThan(30);
  });
});

async function world() {
  const api = new ApiWorld();
  await api.server;
  await api.post('/api/v1/namespaces', { metadata: { name: 'mqlet-system' } });
  const join = (id: string) => {
    const kube = new SimKubeApi(api.listener, identity);
    const members = new Members({ api: kube, clock: api.clock, log: silentLog, bridge: 'mqlet', id, namespace: 'mqlet-system' });
    const changes: number[] = [];
    members.onChange(() => changes.push(api.clock.monotonicMs()));
    return { kube, members, changes };
  };
  return { clock: api.clock, join };
}

type Joined = ReturnType<Awaited<ReturnType<typeof world>>['join']>;
/** How many serve each node. */
const serving = (...all: readonly Joined[]) => new Set(nodes.map((node) => all.filter(({ members }) => members.mine(node)).length));

describe('members', () => {
  it('given bridges come, when their leases are seen, then each node is served once', async () => {
    const { clock, join } = await world();
    const [a, b, c] = [join('a'), join('b'), join('c')];
    expect(a.members.mine('edge-1')).toBe(false);
    await clock.advance(5_000);
    expect([a, b, c].map(({ members }) => members.live)).toEqual(Array(3).fill(['a', 'b', 'c']));
    expect(serving(a, b, c)).toEqual(new Set([1]));
  });

  it('given one that dies, when its lease runs out, then the others have its nodes, and none of theirs moved', async () => {
    const { clock, join } = await world();
    const [a, b] = [join('a'), join('b')];
    await clock.advance(10_000);
    const before = nodes.filter((node) => b.members.mine(node));
    a.kube.fault = () => ({ kind: 'unreachable', message: 'dead' });
    const diedAtMs = clock.monotonicMs();
    await clock.advance(memberLeaseMs + 5_000);
    expect(b.members.live).toEqual(['b']);
    expect((b.changes.at(-1) ?? 0) - diedAtMs).toBeLessThanOrEqual(memberLeaseMs + 4_000);
    expect(before.every((node) => b.members.mine(node))).toBe(true);
    // Cut off from the API it must not act for nodes that others have.
    expect(serving(a, b)).toEqual(new Set([1]));
    expect(a.members.live).toEqual([]);
  });

  it('given one that is stopped in order, when it says so, then nobody waits for its lease', async () => {
    const { clock, join } = await world();
    const [a, b] = [join('a'), join('b')];
    await clock.advance(10_000);
    await a.members.stop();
    await clock.advance(4_500);
    expect(b.members.live).toEqual(['b']);
  });

  it('given one that was cut off, when the API is back, then it has its nodes again', async () => {
    const { clock, join } = await world();
    const [a, b] = [join('a'), join('b')];
    await clock.advance(10_000);
    const before = nodes.filter((node) => a.members.mine(node));
    a.kube.fault = () => ({ kind: 'unreachable', message: 'cut off' });
    await clock.advance(60_000);
    a.kube.fault = undefined;
    await clock.advance(10_000);
    expect(nodes.filter((node) => a.members.mine(node))).toEqual(before);
    expect(serving(a, b)).toEqual(new Set([1]));
  });
});
