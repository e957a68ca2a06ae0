// No state of the pod's machine, and no combination of what may be known in it, is without a sentence.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { getShortestPaths } from 'xstate/graph';
import { fromPromise } from 'xstate';
import { stateName } from '../../../../src/actors/state-name.ts';
import { podWhy } from '../../../../src/machines/decide/why/pod-why.ts';
import type { PodWhyFacts } from '../../../../src/machines/decide/why/facts.ts';
import { podMachine } from '../../../../src/machines/pod-machine.ts';
import type { ContainerState, PodStatus } from '../../../../src/ports/pod-types.ts';
import { sentenceAt } from '../../../../src/ports/why.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../../../support/pods.ts';
import { ago, aMemory, aProbe, aPull, linkUp, whyFacts, whyNowMs } from '../../../support/why-facts.ts';

/** Innermost states of the definition, as actors name them. */
const states: readonly string[] = leaves(podMachine.root);

function leaves(node: { readonly path: readonly string[]; readonly states: Readonly<Record<string, unknown>> }): readonly string[] {
  const inner = Object.values(node.states) as (typeof node)[]; // XState: the states of a node are nodes.
  return inner.length === 0 ? [node.path.join('.')] : inner.flatMap(leaves);
}

const containerState = fc.oneof(
  fc.constantFrom('', 'PodInitializing', 'ContainerCreating', 'CrashLoopBackOff', 'ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'SignatureValidationFailed', 'ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'PostStartHookError', 'SomethingNew')
    .map((reason): ContainerState => ({ waiting: reason === '' ? {} : { reason, message: 'why.\nnot' } })),
  fc.constantFrom<ContainerState>({ running: {} }, { running: { startedAt: ago(30) } }),
  fc.constantFrom(0, 1, 137).map((exitCode): ContainerState => ({ terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: ago(5) } })),
);

const containerStatus = (name: string) => fc.record({ state: containerState, ready: fc.boolean(), started: fc.boolean(), restartCount: fc.nat(9) })
  .map((part) => ({ name, image: 'i', imageID: '', lastState: { terminated: { exitCode: 1, finishedAt: ago(9) } }, ...part }));

const status: fc.Arbitrary<PodStatus> = fc.record({
  phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed'),
  reason: fc.constantFrom('', 'Evicted', 'DeadlineExceeded', 'OutOfcpu'),
  message: fc.constantFrom('', 'Pod was rejected: no', 'The node was low on resource: memory. '),
  initContainerStatuses: fc.tuple(containerStatus('first'), containerStatus('proxy')),
  containerStatuses: fc.tuple(containerStatus('app')),
  conditions: fc.subarray([
    { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: 'x' }, { type: 'PodResizePending', status: 'True', reason: 'Deferred' }, { type: 'ContainersReady', status: 'False', lastTransitionTime: 'nonsense' },
  ]),
});

const facts: fc.Arbitrary<PodWhyFacts> = fc.record({
  state: fc.constantFrom('', ...states),
  stateSinceMs: fc.constantFrom(0, whyNowMs - 5_000, whyNowMs + 5_000),
  desired: fc.constantFrom(
    aPod({ initContainers: [aContainer('first'), aContainer('proxy', { restartPolicy: 'Always', startupProbe: {} })] }), aPod({ restartPolicy: 'Never' }, { source: 'file', recalled: true }),
    aPod({ activeDeadlineSeconds: 30 }, { source: 'admin', metadata: { deletionTimestamp: ago(1) } }),
  ),
  status: fc.option(status, { nil: undefined }),
  machine: fc.option(fc.record({
    trouble: fc.constantFrom('', 'network is not ready: x', 'Failed to create pod sandbox: x', 'MountVolume.SetUp failed for volume "v" : secret "s" not found', 'app: ErrImagePull', 'something else'),
    observed: fc.constantFrom(observed(), observed([aSandbox()], [anInstance()]), observed([aSandbox({ state: 'notReady' })], [anInstance('app', { state: 'exited', exitCode: 1 })])),
    complete: fc.boolean(),
    kill: fc.constantFrom(undefined, { graceMs: 0, removed: true }, { graceMs: undefined, status: { reason: 'Evicted', message: 'm' } }),
    backoffs: fc.constantFrom(new Map(), new Map([['app', { delayMs: 40_000, attemptedAtMs: whyNowMs }]])),
  }).map(aMemory), { nil: undefined }),
  uptake: fc.record({
    listed: fc.boolean(), nameTaken: fc.boolean(), failure: fc.constantFrom(undefined, undefined, undefined, { message: 'broken', againAtMs: whyNowMs }),
    stop: fc.constantFrom(undefined, { beganAtMs: whyNowMs, graceMs: 2_000, hooks: [] }, { beganAtMs: whyNowMs, graceMs: 2_000, hooks: ['app', 'b', 'c'] }),
  }),
  runtime: fc.constantFrom({ ready: true, networkReady: true, message: '', sinceMs: 1 }, { ready: true, networkReady: true, message: '', sinceMs: 1 }, { ready: false, networkReady: false, message: 'container runtime is down: x', sinceMs: 0 }),
  link: fc.constantFrom(undefined, linkUp, { ...linkUp, state: 'backingOff' as const, reason: 'refused', nextAttemptAtMs: whyNowMs + 1_000, everUp: false }, { ...linkUp, state: 'down' as const }),
  pulls: fc.subarray([aPull(), aPull({ container: 'first', phase: 'waiting' }), aPull({ container: 'proxy', phase: 'failed', message: 'x', notBeforeMs: whyNowMs + 9 })]),
  probes: fc.subarray([aProbe(), aProbe({ kind: 'liveness' }), aProbe({ container: 'proxy', kind: 'startup', last: undefined, times: 0 })]),
  report: fc.constantFrom(undefined, { what: 'deletion' as const, sinceMs: 1, inFlight: false, fault: '', nextAtMs: 0 }, { what: 'status' as const, sinceMs: whyNowMs, inFlight: true, fault: 'no.', nextAtMs: whyNowMs + 1 }),
  nowMs: fc.constant(whyNowMs),
});

describe('why, in every state', () => {
  test('given anything that may be known, when asked, then there is one whole sentence and its record agrees with it', () => {
    fc.assert(fc.property(facts, (given) => {
      const { sentence, template, waitingFor, falseGuardOrCondition, next } = podWhy(given);
      expect(sentenceAt(template, given.nowMs)).toBe(sentence);
      expect(sentence).toMatch(/^[A-Z].+[^.\s]\.$/);
      expect(sentence).not.toMatch(/undefined|NaN|Infinity|\n|[\u0001\u0002]| {2}|\.\.|;\s*[;.]| -\d/);
      if (falseGuardOrCondition !== '') expect(sentence).toContain(`(${falseGuardOrCondition} is false)`);
      if (next.what !== '') expect(sentence).toContain(next.what);
      if (next.atMs !== 0) expect(next.what).not.toBe('');
      // Of what has ended and of what is well alone there is nothing to wait for.
      if (waitingFor === '' && given.state !== 'done') expect(given.state).toMatch(/^(?:creating|running|settling)/);
    }), { numRuns: 3_000 });
  });

  test('given the machine, when every state it can reach is asked about, then each has a sentence of its own', () => {
    const idle = podMachine.provide({
      actors: Object.fromEntries(['syncPod', 'stopPod', 'removePod', 'reclaimPod'].map((name) => [name, fromPromise(() => new Promise<never>(() => undefined))])),
      actions: Object.fromEntries(['reportStatus', 'reportFinalStatus', 'announceTerminated', 'interruptSync'].map((name) => [name, () => undefined])),
    });
    const outcome = { ...aMemory(), lookAgain: false };
    const done = (path: string, output: unknown) => ({ type: `xstate.done.actor.${path}`, output, actorId: path });
    const events = [
      { type: 'pod.admit' }, { type: 'pod.kill', kill: { graceMs: 0, removed: true } }, { type: 'pod.kill', kill: { graceMs: 0, status: { reason: 'Evicted', message: '' } } },
      ...['creating', 'running'].flatMap((rhythm) => [true, false].map((started) => done(`0.pod.${rhythm}.syncing`, { ...outcome, started }))),
      { type: 'pod.look' }, done('0.pod.terminating.stopping', { observed: observed(), stopped: true, trouble: '' }), done('0.pod.terminating.stopping', { observed: observed(), stopped: false, trouble: 'x' }),
      done('0.pod.terminating.reclaiming', undefined), done('0.pod.finishing.removing', undefined), { type: 'xstate.error.actor.0.pod.finishing.removing', error: 'x', actorId: 'x' },
    ];
    const paths = getShortestPaths(idle, {
      input: { desired: aPod(), observed: observed(), looks: 'none', complete: false },
      events: events as never, // The machine's own events and those that XState sends itself.
      serializeState: ({ value, context }) => JSON.stringify([value, context.kill, context.started, context.settledWell, context.looks]), limit: 5_000,
    });
    const reached = new Map(paths.map(({ state: { value, context } }) => [stateName(value), context]));
    expect([...reached.keys()].sort()).toEqual(states.filter((state) => state !== 'settling').sort());
    const sentences = [...reached].map(([state, machine]) => podWhy(whyFacts({ state, machine, desired: machine.desired, status: { phase: 'Pending' } })).sentence);
    expect(new Set(sentences.filter((sentence) => !sentence.startsWith('It has been taken in') && !sentence.startsWith('It is to end'))).size).toBeGreaterThanOrEqual(7);
  });
});
