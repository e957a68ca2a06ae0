// The node's own parts asked why, on virtual time: what they say agrees with what then happens.
import { describe, expect, test } from 'vitest';
import { createExplainer } from '../../src/actors/explainer.ts';
import { startNodeView } from '../../src/actors/node-view.ts';
import { startProber } from '../../src/actors/prober.ts';
import { startStatusReporter } from '../../src/actors/status-reporter.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import type { DesiredPod } from '../../src/ports/pod-types.ts';
import { ok } from '../../src/ports/result.ts';
import type { Why } from '../../src/ports/why.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aContainer, uid } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

function explained() {
  const world = podWorld();
  const { clock, bus, sim, supervisor, images, seen } = world;
  const random = new SeededRandom(3);
  const view = startNodeView({ bus: bus.as('view'), clock });
  const probes = new SimProbes({ clock });
  probes.answer = () => ok({ status: 503, body: '', leftHost: false });
  const prober = startProber({ bus: bus.as('prober'), clock, random, runtime: sim, probes, version: 'v1.35.0' });
  const reporter = startStatusReporter({ bus: bus.as('status-reporter'), clock, random, log: silentLog });
  const explainer = createExplainer({ view, clock, nodeName: 'edge-07', registers: true, supervisor, images, prober, reporter });
  const test = bus.as('test');
  return {
    ...world, explainer,
    link: (state: 'up' | 'backingOff') => { test.publish('mqtt.link', state === 'up' ? { state, reason: '' } : { state, reason: 'connect ECONNREFUSED', nextAttemptAtMs: clock.nowMs() + 9_000 }); },
    why: (): Why => {
      const [pod] = view.podsOf('default', 'web');
      if (pod === undefined) throw new Error('the node has no such pod');
      return explainer.pod(pod);
    },
    until: (condition: () => boolean) => clock.runUntil(condition, { limitMs: 120_000 }),
    /** How often something of a topic was said. */
    said: (topic: string, text = '') => seen.filter((each) => each.topic === topic && JSON.stringify(each.payload).includes(text)).length,
    end: async () => { for (const part of [reporter, prober, view]) await part.stop(); await world.stop(); },
  };
}

const deleted = (pod: DesiredPod): DesiredPod => ({ ...pod, pod: { ...pod.pod, metadata: { ...pod.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 } } });

describe('the node explains', () => {
  test('given a crash loop, when asked, then the restart comes when it was said to come', async () => {
    const world = explained();
    world.operate('ADD', simPod('sim/crash'));
    await world.until(() => world.why().sentence.includes('its back-off of 20 s'));
    const { next, sentence } = world.why();
    expect(sentence).toBe('Container app has ended 3 times, last with exit code 1 (Error) 0 s ago, and waits out its back-off of 20 s (CrashLoopBackOff); restart 3 comes in 20 s (ContainersReady is false).');
    const starts = world.said('event.noted', '"Started"');
    await world.clock.advance(next.atMs - world.clock.nowMs() - 100);
    expect(world.said('event.noted', '"Started"')).toBe(starts);
    await world.clock.advance(200);
    expect(world.said('event.noted', '"Started"')).toBe(starts + 1);
    await world.end();
  });

  test('given an image that nobody has, when asked, then the next pull comes no sooner than said, and soon after', async () => {
    const world = explained();
    world.operate('ADD', simPod('registry.example/missing/app:1'));
    await world.until(() => world.why().sentence.includes('(ImagePullBackOff)'));
    const { next, sentence } = world.why();
    expect(sentence).toMatch(/^Container app lacks its image registry\.example\/missing\/app:1, whose pull failed \d s ago \(ImagePullBackOff\): .*not found; the next pull comes.* in \d+ s \(ContainersReady is false\)\.$/);
    const pulls = world.said('event.noted', '"Pulling"');
    await world.clock.advance(next.atMs - world.clock.nowMs() - 100);
    expect(world.said('event.noted', '"Pulling"')).toBe(pulls);
    await world.clock.advance(16_000);
    expect(world.said('event.noted', '"Pulling"')).toBe(pulls + 1);
    await world.end();
  });

  test('given a readiness probe that fails, when asked, then its runs are counted and the next one comes when said', async () => {
    const world = explained();
    world.operate('ADD', simPod('sim/run', { containers: [aContainer('app', { image: 'sim/run', readinessProbe: { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 5 } })] }));
    await world.until(() => world.said('event.noted', 'Readiness probe failed') === 4);
    const { next, sentence } = world.why();
    expect(sentence).toMatch(/^Container app runs but has not been ready for \d+ s: its readiness probe \(HTTP GET :8080\/ready\) has failed 4 times in a row \(threshold 3\), last with "HTTP probe failed with statuscode: 503"; it is asked again in 5 s \(ContainersReady is false\)\.$/);
    await world.clock.advance(next.atMs - world.clock.nowMs() + 100);
    expect(world.said('event.noted', 'Readiness probe failed')).toBe(5);
    await world.end();
  });

  test('given a pod in its grace, when asked, then it is killed when it was said to be', async () => {
    const world = explained();
    const pod = simPod('sim/ignore-term');
    world.operate('ADD', pod);
    await world.until(() => world.state()?.to === 'running.settled');
    world.operate('UPDATE', deleted(pod));
    await world.clock.advance(12_000);
    const { next, sentence } = world.why();
    expect(sentence).toBe('It is being stopped because it was deleted: app was asked to end 12 s ago, with a grace period of 30 s; what has not ended by then is killed in 18 s (isSettled is false).');
    await world.clock.advance(next.atMs - world.clock.nowMs() - 100);
    expect(world.state()?.to).toBe('terminating.stopping');
    await world.clock.advance(1_000);
    expect(world.state()?.to).toMatch(/^(?:finishing|done)/);
    await world.end();
  });

  test('given a deleted pod and a broker that is away, when it is gone from the node, then the cloud\'s ignorance of it is explained', async () => {
    const world = explained();
    world.link('up');
    const pod = simPod();
    world.operate('ADD', pod);
    await world.until(() => world.state()?.to === 'running.settled');
    world.link('backingOff');
    world.operate('UPDATE', deleted(pod));
    await world.until(() => world.said('pod.forgotten', uid) === 1);
    expect(world.explainer.forgotten({ namespace: 'default', name: 'web' })?.sentence)
      .toMatch(/^Nothing of it is left on the node, and the cloud has not acknowledged its deletion, for the broker has been unreachable for \d s \(connect ECONNREFUSED\); the next attempt to connect comes in \d s \(link up is false\)\.$/);
    expect(world.explainer.forgotten({ namespace: 'default', name: 'other' })).toBeUndefined();
    expect(world.explainer.node().sentence).toMatch(/^The broker has been unreachable for \d s \(connect ECONNREFUSED\); the next attempt to connect comes in \d s \(link up is false\)\.$/);
    await world.end();
  });

  test('given nobody who asks, when pods come and go, then asking has changed nothing', async () => {
    const run = async (asking: boolean): Promise<readonly string[]> => {
      const world = explained();
      world.operate('ADD', simPod('sim/crash'));
      for (let second = 0; second < 60; second += 1) {
        await world.clock.advance(1_000);
        if (asking) world.why();
      }
      const trace = world.seen.map(({ at, topic }) => `${at} ${topic}`);
      await world.end();
      return trace;
    };
    expect(await run(true)).toEqual(await run(false));
  });
});
