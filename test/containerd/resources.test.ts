// Requests and limits as the kernel has them, read from inside the container.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container } from '../../src/ports/pod-types.ts';
import { containerdProblem } from '../support/containerd.ts';
import { inside } from '../support/inside.ts';
import { eventually, type RealNode, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();

/** cgroup v1 has a tree for each controller, v2 one file with weight, quota and limit in other words. */
const read = [
  'cd /sys/fs/cgroup',
  'if [ -e cgroup.controllers ]; then cat cpu.weight cpu.max memory.max; else cat cpu/cpu.shares cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes; fi',
  'cat /proc/self/oom_score_adj',
].join('; ');
const resources = (limits: Record<string, string>, requests: Record<string, string> = {}): { container: Partial<Container> } => ({ container: { resources: { limits, requests } } });

describe.skipIf(problem)(`resources on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  // The node of the test has 8 GiB: 512 MiB are a sixteenth of it.
  it.each([
    ['guaranteed', resources({ cpu: '500m', memory: '64Mi' }, { cpu: '500m', memory: '64Mi' }), { shares: '512', quota: '50000', limit: '67108864', score: '-997' }],
    ['burstable', resources({ memory: '1Gi' }, { cpu: '100m', memory: '512Mi' }), { shares: '102', quota: '-1', limit: '1073741824', score: '938' }],
    ['best-effort', {}, { shares: '2', quota: '-1', limit: undefined, score: '1000' }],
  ])('given a %s pod, when it runs, then the kernel holds it to that', async (name, part, expected) => {
    const [shares, quota, limit, score] = await inside(node, name, read, part);
    // Under cgroup v2 the runtime writes weights of its own; the limit and the score are the same everywhere.
    if (quota !== undefined && /^-?\d+$/.test(quota)) expect([shares, quota]).toEqual([expected.shares, expected.quota]);
    if (expected.limit !== undefined) expect(limit).toBe(expected.limit);
    expect(Number(score)).toEqual(restricted(Number(expected.score)));
  });
});

/** A runtime without the right to protect a process gives it its own score instead of a lower one. */
function restricted(score: number): unknown {
  return score < 0 ? (expect.any(Number) as unknown) : score;
}
