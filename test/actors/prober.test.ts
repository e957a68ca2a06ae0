// Probes on virtual time: a pod of the simulated runtime, a server that answers as told, and what the pod shows and does.
import { describe, expect, it } from 'vitest';
import { MetricsRegistry } from '../../src/actors/metrics-registry.ts';
import { countProbes } from '../../src/actors/probe-metrics.ts';
import { startProber } from '../../src/actors/prober.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import type { Container, PodStatus } from '../../src/ports/pod-types.ts';
import { fail, ok } from '../../src/ports/result.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aContainer, uid } from '../support/pods.ts';

const httpGet = { port: 80 };

function probedWorld(container: Partial<Container>, spec: Parameters<typeof simPod>[1] = {}) {
  const world = podWorld();
  const { clock, bus, seen } = world;
  const probes = new SimProbes({ clock });
  let healthy = true;
  probes.answer = () => ok({ status: healthy ? 200 : 500, body: '', leftHost: false });
  const registry = new MetricsRegistry();
  const prober = startProber({ bus: bus.as('prober'), clock, random: new SeededRandom(7), runtime: world.sim, probes, version: 'v1.35.0', ran: countProbes(registry) });
  const pod = simPod('sim/run', { containers: [aContainer('app', { image: 'sim/run', ...container })], ...spec });
  world.operate('ADD', pod);
  const status = (): PodStatus | undefined => seen.findLast((each) => each.topic === 'pod.status')?.payload.status as PodStatus | undefined; // Of that topic.
  const app = () => status()?.containerStatuses?.[0];
  return {
    ...world, probes, pod, status, app, registry,
    ready: () => app()?.ready === true,
    heal: (now: boolean) => { healthy = now; },
    until: (condition: () => boolean, limitMs: number) => clock.runUntil(condition, { limitMs }),
    pass: (durationMs: number) => clock.advance(durationMs),
    events: () => seen.flatMap((each) => (each.topic === 'event.noted' ? [each.payload] : [])).map(({ reason, message }) => `${reason}: ${message}`),
    end: async () => {
      await prober.stop();
      await world.stop();
    },
  };
}

describe('the prober', () => {
  it('given a readiness probe, when it fails and heals, then the pod is unready and ready again, without a restart', async () => {
    const world = probedWorld({ readinessProbe: { httpGet, periodSeconds: 5, failureThreshold: 2 } });
    world.heal(false);
    await world.until(() => world.app()?.state?.running !== undefined, 10_000);
    await world.pass(20_000);
    expect(world.app()).toMatchObject({ ready: false, started: true, restartCount: 0 });
    expect(world.events()).toContain('Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500');
    world.heal(true);
    await world.pass(6_000);
    expect(world.app()).toMatchObject({ ready: true });
    const figures = world.registry.text().split('\n').filter((line) => line.startsWith('prober_probe_total{'));
    expect(figures.map((line) => /probe_type="(\w+)".*result="(\w+)"\} (\d+)/.exec(line)?.slice(1, 3))).toEqual([['Readiness', 'failed'], ['Readiness', 'successful']]);
    world.heal(false);
    await world.pass(6_000);
    expect(world.ready()).toBe(true);
    await world.pass(6_000);
    expect(world.ready()).toBe(false);
    await world.end();
  });

  it('given a liveness probe, when it fails often enough, then the container is restarted and probed anew', async () => {
    const world = probedWorld({ livenessProbe: { httpGet, periodSeconds: 2, initialDelaySeconds: 3 } });
    await world.until(() => world.ready(), 10_000);
    expect(world.probes.asked).toBe(0);
    await world.pass(10_000);
    expect(world.probes.asked).toBeGreaterThan(2);
    world.heal(false);
    await world.until(() => world.app()?.restartCount === 1, 20_000);
    world.heal(true);
    expect(world.events()).toEqual(expect.arrayContaining(['Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500', 'Killing: Container app failed liveness probe, will be restarted']));
    await world.pass(60_000);
    expect(world.app()).toMatchObject({ ready: true, restartCount: 1 });
    await world.end();
  });

  it('given a liveness probe that never succeeds, when time passes, then the restarts back off', async () => {
    const world = probedWorld({ livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 } });
    world.heal(false);
    await world.pass(120_000);
    expect(world.app()?.restartCount).toBeGreaterThan(1);
    expect(world.app()?.restartCount).toBeLessThan(7);
    expect(world.app()?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    await world.end();
  });

  it('given a slow starter, when its startup probe fails at first, then the other probes wait for its success', async () => {
    const world = probedWorld({ startupProbe: { httpGet, periodSeconds: 1, failureThreshold: 30 }, livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 }, readinessProbe: { httpGet } });
    world.heal(false);
    await world.pass(10_000);
    expect(world.app()).toMatchObject({ started: false, ready: false, restartCount: 0 });
    world.heal(true);
    await world.pass(1_500);
    expect(world.app()).toMatchObject({ started: true, ready: true, restartCount: 0 });
    await world.end();
  });

  it('given a startup probe that fails for good, when its threshold is reached, then the container is restarted', async () => {
    const world = probedWorld({ startupProbe: { httpGet, periodSeconds: 1, failureThreshold: 3 } });
    world.heal(false);
    await world.until(() => world.app()?.restartCount === 1, 10_000);
    expect(world.events()).toContain('Killing: Container app failed startup probe, will be restarted');
    await world.end();
  });

  it('given a probe that nobody can decide, when it runs, then nothing changes and the event says so', async () => {
    const world = probedWorld({ livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 } });
    world.probes.answer = () => fail({ kind: 'invalid', message: 'bad header' });
    await world.pass(10_000);
    expect(world.app()).toMatchObject({ ready: true, restartCount: 0 });
    expect(world.events()).toContain('Unhealthy: Liveness probe errored and resulted in unknown state: bad header');
    expect(world.probes.asked % 3).toBe(0);
    await world.end();
  });

  it('given an exec probe in the container, when its command fails or takes too long, then that is a failure', async () => {
    const world = probedWorld({ livenessProbe: { exec: { command: ['sim', 'run'] }, timeoutSeconds: 1, periodSeconds: 2, failureThreshold: 2 } });
    await world.until(() => world.app()?.restartCount === 1, 20_000);
    expect(world.events()).toContain('Unhealthy: Liveness probe failed: command timed out: "sim run" timed out after 1s');
    await world.end();
  });

  it('given a pod that is deleted, when its containers take their time, then only readiness is asked, and nothing afterwards', async () => {
    const world = probedWorld({ command: ['sim', 'ignore-term'], livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 }, readinessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 } }, { terminationGracePeriodSeconds: 10 });
    await world.until(() => world.ready(), 10_000);
    world.operate('DELETE', { ...world.pod, pod: { ...world.pod.pod, metadata: { ...world.pod.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 10 } } });
    world.heal(false);
    await world.pass(5_000);
    expect(world.ready()).toBe(false);
    expect(world.events().filter((event) => event.includes('Liveness'))).toEqual([]);
    await world.pass(20_000);
    const { asked } = world.probes;
    await world.pass(20_000);
    expect(world.probes.asked).toBe(asked);
    expect(world.state(uid)).toMatchObject({ to: 'done' });
    await world.end();
  });
});
