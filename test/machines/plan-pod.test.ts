import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backoff } from '../../src/machines/decide/backoff.ts';
import { type PlanStep, planPod } from '../../src/machines/decide/plan-pod.ts';
import { hashAnnotation } from '../../src/machines/decide/runtime-labels.ts';
import type { ContainerId, PodSpec, SandboxId } from '../../src/ports/pod-types.ts';
import type { ObservedPod } from '../../src/ports/runtime-port.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../support/pods.ts';

const nowMs = 100_000;
const old = 's-old' as SandboxId;
const oldSandbox = aSandbox({ id: old, state: 'notReady', createdAtMs: 10, ips: [] });
const noBackoffs: ReadonlyMap<string, Backoff> = new Map();
const start = (name: string, restartCount: number | undefined = undefined, role: 'app' | 'init' = 'app'): PlanStep => ({
  do: 'startContainer',
  name,
  role,
  restartCount,
});
const kill = (name: string, message: string, restartCount = 0): PlanStep => ({
  do: 'killContainer',
  id: anInstance(name, { restartCount }).id,
  name,
  message,
});

function plan(spec: Partial<PodSpec>, seen: ObservedPod, backoffs = noBackoffs) {
  const { steps, waits, complete, started } = planPod({ desired: aPod(spec), observed: seen, backoffs, nowMs });
  return { steps, waits, complete, started };
}

interface Case {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly seen: ObservedPod;
  readonly steps: readonly PlanStep[];
  readonly complete?: boolean;
  readonly started?: boolean;
}

const exited = (name: string, exitCode: number, part: Parameters<typeof anInstance>[1] = {}) => anInstance(name, { state: 'exited', exitCode, ...part });
const initSpec = { initContainers: [aContainer('one'), aContainer('two')] };

const debugSpec: Partial<PodSpec> = { ephemeralContainers: [{ name: 'debug', image: 'registry.example/app:1' }] };
const debugStart: PlanStep = { do: 'startContainer', name: 'debug', role: 'ephemeral', restartCount: 0 };

const cases: readonly Case[] = [
  { name: 'given nothing, then sandbox and app are made', seen: observed(), steps: [{ do: 'runSandbox', attempt: 0, replaces: false }, start('app')] },
  { name: 'given all as desired, then nothing', seen: observed([aSandbox()], [anInstance()]), steps: [], started: true },
  { name: 'given a sandbox only, then the app is started', seen: observed([aSandbox()]), steps: [start('app')] },
  {
    name: 'given a lost sandbox, then a new one with the next attempt, and the app again',
    seen: observed([oldSandbox], [exited('app', 137, { sandboxId: old })]),
    steps: [{ do: 'stopSandbox', id: old }, { do: 'runSandbox', attempt: 1, replaces: true }, start('app', 1)],
  },
  {
    name: 'given a lost sandbox and restartPolicy Never, then the pod ends',
    spec: { restartPolicy: 'Never' },
    seen: observed([oldSandbox], [exited('app', 137, { sandboxId: old })]),
    steps: [],
    complete: true,
    started: true,
  },
  {
    name: 'given a lost sandbox, OnFailure and success, then the pod ends',
    spec: { restartPolicy: 'OnFailure' },
    seen: observed([oldSandbox], [exited('app', 0, { sandboxId: old })]),
    steps: [],
    complete: true,
    started: true,
  },
  {
    name: 'given an app that ended well in an earlier sandbox, when a sidecar runs in a new one, then it is stopped and the pod ends',
    spec: { restartPolicy: 'OnFailure', initContainers: [aContainer('side', { restartPolicy: 'Always' })] },
    seen: observed([aSandbox({ attempt: 1 }), oldSandbox], [anInstance('side'), exited('app', 0, { sandboxId: old })]),
    steps: [kill('side', 'Stopping container side')],
    started: true,
  },
  {
    name: 'given two ready sandboxes, then both are stopped and a third is made',
    seen: observed([aSandbox({ id: 's1' as SandboxId, attempt: 1, createdAtMs: 1_500 }), aSandbox()], [anInstance()]),
    steps: [
      kill('app', 'Stopping container app'),
      { do: 'stopSandbox', id: 's1' as SandboxId },
      { do: 'stopSandbox', id: 's0' as SandboxId },
      { do: 'runSandbox', attempt: 2, replaces: true },
      start('app', 1),
    ],
  },
  {
    name: 'given a sandbox without an address, then it is replaced',
    seen: observed([aSandbox({ ips: [] })]),
    steps: [{ do: 'stopSandbox', id: 's0' as SandboxId }, { do: 'runSandbox', attempt: 1, replaces: true }, start('app')],
  },
  { name: 'given host network, then no address is needed', spec: { hostNetwork: true }, seen: observed([aSandbox({ ips: [], hostNetwork: true })], [anInstance()]), steps: [], started: true },
  { name: 'given an exited app, then it is restarted at once', seen: observed([aSandbox()], [exited('app', 1)]), steps: [start('app', 1)] },
  { name: 'given success under OnFailure, then the pod ends', spec: { restartPolicy: 'OnFailure' }, seen: observed([aSandbox()], [exited('app', 0)]), steps: [], complete: true, started: true },
  {
    name: 'given one done and one running under Never, then nothing',
    spec: { restartPolicy: 'Never', containers: [aContainer('a'), aContainer('b')] },
    seen: observed([aSandbox()], [exited('a', 1), anInstance('b')]),
    steps: [],
    started: true,
  },
  {
    name: 'given another image, then the container is killed and started again',
    spec: { containers: [aContainer('app', { image: 'registry.example/app:2' })] },
    seen: observed([aSandbox()], [anInstance()]),
    steps: [kill('app', 'Container app definition changed, will be restarted'), start('app', 1)],
  },
  {
    name: 'given a container in unknown state, then it is killed first',
    seen: observed([aSandbox()], [anInstance('app', { state: 'unknown' })]),
    steps: [kill('app', 'Container is in "unknown" state, try killing it before restart'), start('app', 1)],
  },
  {
    name: 'given a container created and never run, then it is started, not another one',
    seen: observed([aSandbox()], [anInstance('app', { state: 'created' })]),
    steps: [{ do: 'startContainer', name: 'app', role: 'app', restartCount: 0, created: 'app-0' as ContainerId }],
  },
  {
    name: 'given a container created from another image and never run, then it goes before another one is made',
    seen: observed([aSandbox()], [anInstance('app', { state: 'created', annotations: {} })]),
    steps: [{ do: 'removeContainer', id: 'app-0' as ContainerId, name: 'app' }, start('app', 0)],
  },
  {
    name: 'given a container the specification does not name, then it is killed',
    seen: observed([aSandbox()], [anInstance(), anInstance('stranger')]),
    steps: [kill('stranger', "Container stranger is no longer in the pod's specification")],
    started: true,
  },
  { name: 'given init containers and nothing, then sandbox and the first of them', spec: initSpec, seen: observed(), steps: [{ do: 'runSandbox', attempt: 0, replaces: false }, start('one', undefined, 'init')] },
  { name: 'given the first init container running, then wait', spec: initSpec, seen: observed([aSandbox()], [anInstance('one')]), steps: [] },
  { name: 'given the first init container done, then the second', spec: initSpec, seen: observed([aSandbox()], [exited('one', 0)]), steps: [start('two', undefined, 'init')] },
  { name: 'given all init containers done, then the app', spec: initSpec, seen: observed([aSandbox()], [exited('one', 0), exited('two', 0)]), steps: [start('app')] },
  { name: 'given an init container that failed, then it is started again', spec: initSpec, seen: observed([aSandbox()], [exited('one', 1)]), steps: [start('one', 1, 'init')] },
  {
    name: 'given an init container that failed under Never, then the pod ends',
    spec: { ...initSpec, restartPolicy: 'Never' },
    seen: observed([aSandbox()], [exited('one', 1)]),
    steps: [],
    complete: true,
    started: true,
  },
  {
    name: 'given init containers of a lost sandbox, then they run again in the new one',
    spec: initSpec,
    seen: observed([oldSandbox, aSandbox({ attempt: 1 })], [exited('one', 0, { sandboxId: old }), exited('two', 0, { sandboxId: old }), exited('app', 137, { sandboxId: old })]),
    steps: [start('one', 1, 'init')],
  },
  { name: 'given an app that exited, then init containers are not run again', spec: initSpec, seen: observed([aSandbox()], [exited('app', 1)]), steps: [start('app', 1)] },
  {
    name: 'given two dead instances, then the older one is removed',
    seen: observed([aSandbox()], [anInstance('app', { restartCount: 2 }), exited('app', 1, { restartCount: 1 }), exited('app', 1)]),
    steps: [{ do: 'removeContainer', id: anInstance().id, name: 'app' }],
    started: true,
  },
  {
    name: 'given an old sandbox without containers, then it is removed',
    seen: observed([aSandbox({ attempt: 1 }), oldSandbox], [anInstance()]),
    steps: [{ do: 'removeSandbox', id: old }],
    started: true,
  },
  {
    name: 'given an ephemeral container that is new, then it is started beside what runs',
    spec: debugSpec, seen: observed([aSandbox()], [anInstance()]), steps: [debugStart], started: true,
  },
  {
    name: 'given an ephemeral container and an init container that runs, then it is started all the same',
    spec: { ...debugSpec, ...initSpec }, seen: observed([aSandbox()], [anInstance('one')]), steps: [debugStart],
  },
  {
    name: 'given an ephemeral container that has ended, then it is not started again',
    spec: debugSpec, seen: observed([aSandbox()], [anInstance(), exited('debug', 1)]), steps: [], started: true,
  },
  {
    name: 'given an ephemeral container made and never run, then it is started',
    spec: debugSpec, seen: observed([aSandbox()], [anInstance(), anInstance('debug', { state: 'created' })]),
    steps: [{ ...debugStart, created: 'debug-0' as ContainerId } as PlanStep], started: true,
  },
  {
    name: 'given an ephemeral container whose image changed, then it goes on as it is',
    spec: { ephemeralContainers: [{ name: 'debug', image: 'registry.example/other:1' }] }, seen: observed([aSandbox()], [anInstance(), anInstance('debug')]), steps: [], started: true,
  },
  {
    name: 'given a pod whose containers have ended, then an ephemeral container is ended with it',
    spec: { ...debugSpec, restartPolicy: 'Never' }, seen: observed([aSandbox()], [exited('app', 0), anInstance('debug')]),
    steps: [kill('debug', 'Stopping container debug')], started: true,
  },
];

describe('planPod', () => {
  it.each(cases)('$name', ({ spec, seen, steps, complete, started }) => {
    expect(plan(spec ?? {}, seen)).toEqual({ steps, waits: [], complete: complete ?? false, started: started ?? false });
  });

  it('given a crash loop, when its back-off has not ended, then it waits and says until when', () => {
    const seen = observed([aSandbox()], [exited('app', 1, { finishedAtMs: 99_000 })]);
    const backoffs = new Map([['app', { delayMs: 10_000, attemptedAtMs: 98_000 }]]);
    expect(plan({}, seen, backoffs)).toEqual({
      steps: [],
      waits: [{ name: 'app', untilMs: 109_000, delayMs: 10_000 }],
      complete: false,
      started: false,
    });
  });

  it('given a crash loop, when the image has changed meanwhile, then it starts at once', () => {
    const seen = observed([aSandbox()], [exited('app', 1, { finishedAtMs: 99_000, annotations: { [hashAnnotation]: 'other' } })]);
    const backoffs = new Map([['app', { delayMs: 10_000, attemptedAtMs: 98_000 }]]);
    expect(plan({}, seen, backoffs).steps).toEqual([start('app', expect.any(Number) as number)]);
  });

  it('given any states of containers, when applied to a model and planned again, then it converges within four rounds', () => {
    const policy = fc.constantFrom('Always', 'OnFailure', 'Never');
    const state = fc.constantFrom('none', 'created', 'running', 'exited', 'unknown');
    fc.assert(
      fc.property(policy, fc.array(state, { minLength: 2, maxLength: 2 }), fc.boolean(), fc.boolean(), (restartPolicy, states, init, ready) => {
        const spec = { restartPolicy, containers: [aContainer('a'), aContainer('b')], ...(init ? { initContainers: [aContainer('one')] } : {}) };
        let seen = observed(
          [aSandbox(ready ? {} : { state: 'notReady', ips: [] })],
          states.flatMap((one, index) => (one === 'none' ? [] : [anInstance(index === 0 ? 'a' : 'b', { state: one as 'running', exitCode: 1, finishedAtMs: 1 })])),
        );
        let serial = 0;
        for (let round = 0; round < 4; round += 1) {
          const next = planPod({ desired: aPod(spec), observed: seen, backoffs: noBackoffs, nowMs });
          if (next.steps.length === 0) return true;
          serial += 1_000;
          seen = apply(seen, next.steps, 10_000 + serial);
        }
        return planPod({ desired: aPod(spec), observed: seen, backoffs: noBackoffs, nowMs }).steps.length === 0;
      }),
    );
  });
});

/** A runtime that does what it is told at once; init containers succeed. */
function apply(seen: ObservedPod, steps: readonly PlanStep[], atMs: number): ObservedPod {
  let { sandboxes, containers } = seen;
  for (const step of steps) {
    if (step.do === 'killContainer') containers = containers.map((one) => (one.id === step.id ? { ...one, state: 'exited', exitCode: 137, finishedAtMs: atMs } : one));
    if (step.do === 'stopSandbox') sandboxes = sandboxes.map((one) => (one.id === step.id ? { ...one, state: 'notReady' } : one));
    if (step.do === 'runSandbox') sandboxes = [aSandbox({ id: `s${atMs}` as SandboxId, attempt: step.attempt, createdAtMs: atMs }), ...sandboxes];
    if (step.do === 'removeContainer') containers = containers.filter(({ id }) => id !== step.id);
    if (step.do === 'removeSandbox') sandboxes = sandboxes.filter(({ id }) => id !== step.id);
    if (step.do === 'startContainer') {
      containers = containers.filter(({ id }) => id !== step.created);
      const made = anInstance(step.name, { restartCount: step.restartCount ?? 0, sandboxId: sandboxes[0]?.id ?? old, createdAtMs: atMs + 1, id: `${step.name}-${atMs}` as never });
      containers = [step.role === 'init' ? { ...made, state: 'exited', exitCode: 0, finishedAtMs: atMs } : made, ...containers];
    }
  }
  return { ...seen, sandboxes, containers };
}
