// Sidecars among the init containers: what is started when, and what a failed probe does.
import { describe, expect, it } from 'vitest';
import { planPod } from '../../src/machines/decide/plan-pod.ts';
import { noProbeResults, type ProbeResults, startedBefore } from '../../src/machines/decide/probe-effects.ts';
import type { PodSpec } from '../../src/ports/pod-types.ts';
import type { ObservedContainer } from '../../src/ports/runtime-port.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../support/pods.ts';

const probe = { exec: { command: ['true'] } };
const side = aContainer('side', { restartPolicy: 'Always' });
const slow = aContainer('side', { restartPolicy: 'Always', startupProbe: probe, livenessProbe: probe });
const before = aContainer('before');
const found = (part: { startup?: 'success' | 'failure'; liveness?: 'failure' }): ProbeResults => new Map([[anInstance('side').id, part]]);
const done = (name: string, exitCode = 0) => anInstance(name, { state: 'exited', exitCode });

describe('planPod with sidecars', () => {
  const steps = (spec: Partial<PodSpec>, seen: readonly ObservedContainer[], probes = noProbeResults) =>
    planPod({ desired: aPod(spec), observed: observed([aSandbox()], seen), backoffs: new Map(), probes, nowMs: 100_000 })
      .steps.map((step) => ('name' in step ? `${step.do === 'startContainer' ? step.role : step.do} ${step.name}` : step.do));

  it.each<[string, Partial<PodSpec>, readonly ObservedContainer[], ProbeResults, readonly string[]]>([
    ['nothing, then the first init container', { initContainers: [before, side] }, [], noProbeResults, ['init before']],
    ['a done init container, then the sidecar', { initContainers: [before, side] }, [done('before')], noProbeResults, ['sidecar side']],
    ['a running sidecar, then the app', { initContainers: [side] }, [anInstance('side')], noProbeResults, ['app app']],
    ['a running sidecar, then the next init container', { initContainers: [side, before] }, [anInstance('side')], noProbeResults, ['init before']],
    ['a sidecar that has not started yet, then nothing', { initContainers: [slow] }, [anInstance('side')], noProbeResults, []],
    ['a sidecar that has started, then the app', { initContainers: [slow] }, [anInstance('side')], found({ startup: 'success' }), ['app app']],
    ['a sidecar whose startup probe failed, then it is replaced', { initContainers: [slow] }, [anInstance('side')], found({ startup: 'failure' }), ['killContainer side', 'sidecar side']],
    ['a sidecar that ended while an init container runs, then it again', { initContainers: [side, before] }, [done('side'), anInstance('before')], noProbeResults, ['sidecar side']],
    ['a sidecar that ended beside the app, then it again', { initContainers: [side] }, [done('side', 1), anInstance('app')], noProbeResults, ['sidecar side']],
    ['a sidecar that ended and Never, then it again', { initContainers: [side], restartPolicy: 'Never' }, [done('side', 1), anInstance('app')], noProbeResults, ['sidecar side']],
    ['a sidecar whose liveness probe failed, then it is replaced', { initContainers: [slow] }, [anInstance('side'), anInstance('app')], found({ startup: 'success', liveness: 'failure' }), ['killContainer side', 'sidecar side']],
    ['an app that is done, then the sidecar is stopped', { initContainers: [side], restartPolicy: 'Never' }, [anInstance('side'), done('app')], noProbeResults, ['killContainer side']],
    ['an app and a sidecar that are done, then nothing', { initContainers: [side], restartPolicy: 'Never' }, [done('side'), done('app')], noProbeResults, []],
  ])('given %s', (_name, spec, seen, probes, expected) => {
    expect(steps(spec, seen, probes)).toEqual(expected);
  });

  it('given a status from before, when a new agent plans, then startup probes that have succeeded stay so', () => {
    const status = { initContainerStatuses: [{ name: 'side', image: '', imageID: '', ready: true, restartCount: 0, started: true, containerID: 'sim://side-0' }] };
    expect(steps({ initContainers: [slow] }, [anInstance('side')], startedBefore(status))).toEqual(['app app']);
  });
});
