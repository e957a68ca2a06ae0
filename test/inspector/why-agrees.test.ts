// What the page says of a moment is what the node itself says then, although the page has nothing but messages and steps.
import { expect, test } from 'vitest';
import { createExplainer } from '../../src/actors/explainer.ts';
import { startNodeView } from '../../src/actors/node-view.ts';
import { startProber } from '../../src/actors/prober.ts';
import { startStatusReporter } from '../../src/actors/status-reporter.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import type { Kept } from '../../src/inspector/kept.ts';
import { Picture } from '../../src/inspector/picture.ts';
import { whyThen } from '../../src/inspector/why.ts';
import type { DesiredPod } from '../../src/ports/pod-types.ts';
import { ok } from '../../src/ports/result.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aContainer, uid } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

const readinessProbe = { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 5, failureThreshold: 2 };
const deleted = (pod: DesiredPod): DesiredPod => ({ ...pod, pod: { ...pod.pod, metadata: { ...pod.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 20 } } });

test.each<readonly [string, DesiredPod]>([
  ['runs', simPod()], ['crashes', simPod('sim/crash')], ['ends', simPod('sim/exit:0-after-9000', { restartPolicy: 'Never' })], ['has no image', simPod('registry.example/missing/app:1')],
  ['cannot start', simPod('sim/start-error')], ['is not ready', simPod('sim/run', { containers: [aContainer('app', { image: 'sim/run', readinessProbe })] })],
  ['ignores its end', simPod('sim/ignore-term')], ['waits for its init container', simPod('sim/run', { initContainers: [aContainer('first', { image: 'sim/exit:0-after-12000' })] })],
  ['lacks a config map', simPod('sim/run', { volumes: [{ name: 'conf', configMap: { name: 'app' } }] })], ['has a deadline', simPod('sim/run', { activeDeadlineSeconds: 25 })],
])('given a pod that %s, when node and page are asked each second of its life, then they say the same', async (_name, pod) => {
  const happened: Kept[] = [];
  const world = podWorld({ watch: { begins: (step) => { happened.push(step); } } });
  const { clock, bus, sim, supervisor, images } = world;
  bus.tap((envelope) => { happened.push(envelope); });
  const random = new SeededRandom(3);
  const view = startNodeView({ bus: bus.as('view'), clock });
  const probes = new SimProbes({ clock });
  probes.answer = () => ok({ status: 503, body: '', leftHost: false });
  const prober = startProber({ bus: bus.as('prober'), clock, random, runtime: sim, probes, version: 'v1.35.0' });
  const reporter = startStatusReporter({ bus: bus.as('status-reporter'), clock, random, log: silentLog });
  const explainer = createExplainer({ view, clock, nodeName: 'edge-07', registers: true, supervisor, images, prober, reporter });
  const node = bus.as('test');
  world.operate('ADD', pod);
  for (let second = 0; second < 70; second += 1) {
    await clock.advance(1_000);
    if (second === 40) node.publish('mqtt.link', { state: 'backingOff', reason: 'connect ECONNREFUSED', nextAttemptAtMs: clock.nowMs() + 60_000 });
    if (second === 50) world.operate('UPDATE', deleted(pod));
    const picture = new Picture();
    picture.applyAll(happened, 0, happened.length);
    const [shown] = view.podsOf('default', 'web');
    const drawn = picture.pods.get(uid);
    expect(drawn === undefined).toBe(shown === undefined);
    if (shown === undefined || drawn === undefined) break;
    // Writes that wait for a link pass no bus, nor does what the image actor is set to.
    const told = explainer.pod(shown).sentence.replace(/the cloud (?:does not know its status yet|has not acknowledged its deletion)/, 'the cloud cannot be told of changes')
      .replace(/, and a pull without progress for .* is ended/, '');
    expect(`${second}: ${whyThen(picture, drawn, clock.nowMs()).sentence}`).toBe(`${second}: ${told}`);
  }
  for (const part of [reporter, prober, view]) await part.stop();
  await world.stop();
});
