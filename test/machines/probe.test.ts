// When probes run, what their answers mean, and what follows for the pod: the pure parts, case by case.
import { describe, expect, it } from 'vitest';
import { handlerQuestion } from '../../src/machines/decide/handler-question.ts';
import { type PlanStep, planPod } from '../../src/machines/decide/plan-pod.ts';
import { countAnswer, dueProbes, firstRunInMs, type ProbeResult, type ProbeTally, resultOf } from '../../src/machines/decide/probe.ts';
import { noProbeResults, probedReadiness, type ProbeResults, withProbeResult } from '../../src/machines/decide/probe-effects.ts';
import { execOutcome, grpcOutcome, httpOutcome, probeEvent, tcpOutcome } from '../../src/machines/decide/probe-outcome.ts';
import type { ContainerStatus, PodSpec, PodStatus } from '../../src/ports/pod-types.ts';
import { aContainer, anInstance, aPod, aSandbox, observed } from '../support/pods.ts';

const exec = { exec: { command: ['true'] } };
const place = { ports: [{ name: 'web', containerPort: 8080 }], podIp: '10.88.0.2' };
const http = { scheme: 'http', host: '10.88.0.2', port: 80, path: '/healthz' } as const;

describe('handlerQuestion', () => {
  it.each([
    ['a named port', { httpGet: { port: 'web', path: 'ready?x=1' } }, { kind: 'http', question: { host: '10.88.0.2', port: 8080, scheme: 'http', path: 'ready?x=1', headers: [] } }],
    ['a host and HTTPS', { httpGet: { port: 1, host: 'h', scheme: 'HTTPS', httpHeaders: [{ name: 'A', value: 'b' }] } }, { kind: 'http', question: { host: 'h', port: 1, scheme: 'https', path: '/', headers: [{ name: 'A', value: 'b' }] } }],
    ['a TCP port', { tcpSocket: { port: '81' } }, { kind: 'tcp', question: { host: '10.88.0.2', port: 81 } }],
    ['gRPC', { grpc: { port: 9, service: 's' } }, { kind: 'grpc', question: { host: '10.88.0.2', port: 9, service: 's' } }],
    ['a command', exec, { kind: 'exec', command: ['true'] }],
  ])('given %s, then the question has address and port', (_name, handler, value) => {
    expect(handlerQuestion(handler, place)).toEqual({ ok: true, value });
  });

  it('given a port nobody names, or no address, then it says so', () => {
    expect(handlerQuestion({ httpGet: { port: 'x' } }, place)).toEqual({ ok: false, fault: "couldn't find port: x" });
    expect(handlerQuestion({ tcpSocket: { port: 1 } }, { ...place, podIp: '' })).toEqual({ ok: false, fault: 'the pod has no IP address yet' });
  });
});

describe('what an answer means', () => {
  const output = (exitCode: number) => ({ ok: true, value: { exitCode, stdout: 'out', stderr: 'err' } }) as const;
  const replied = (status: number, leftHost = false) => ({ ok: true, value: { status, body: 'b', leftHost } }) as const;
  const refused = { ok: false, fault: { kind: 'unreachable', message: 'dial tcp 10.88.0.2:80: connect: connection refused' } } as const;

  it.each([
    ['exit 0', execOutcome(['x'], 1_000, output(0)), 'success', 'outerr'],
    ['exit 1', execOutcome(['x'], 1_000, output(1)), 'failure', 'outerr'],
    ['a command that takes too long', execOutcome(['a', 'b'], 2_000, { ok: false, fault: { kind: 'timeout', message: '', afterMs: 2_000 } }), 'failure', 'command timed out: "a b" timed out after 2s'],
    ['a runtime that is away', execOutcome(['x'], 1_000, { ok: false, fault: { kind: 'unavailable', message: 'away' } }), 'error', 'away'],
    ['status 200', httpOutcome(http, replied(200)), 'success', 'b'],
    ['status 399', httpOutcome(http, replied(399)), 'success', 'b'],
    ['status 404', httpOutcome(http, replied(404)), 'failure', 'HTTP probe failed with statuscode: 404'],
    ['a redirect away', httpOutcome(http, replied(302, true)), 'warning', 'Probe terminated redirects, Response body: b'],
    ['a refused connection', httpOutcome(http, refused), 'failure', 'Get "http://10.88.0.2:80/healthz": dial tcp 10.88.0.2:80: connect: connection refused'],
    ['a TCP port that refuses', tcpOutcome(http, refused), 'failure', 'dial tcp 10.88.0.2:80: connect: connection refused'],
    ['SERVING', grpcOutcome({ ...http, service: '' }, 1_000, { ok: true, value: 'SERVING' }), 'success', 'service healthy'],
    ['nobody there', grpcOutcome({ ...http, service: '' }, 1_000, refused), 'failure', 'timeout: failed to connect service "10.88.0.2:80" within 1s: dial tcp 10.88.0.2:80: connect: connection refused'],
    ['NOT_SERVING', grpcOutcome({ ...http, service: '' }, 1_000, { ok: true, value: 'NOT_SERVING' }), 'failure', 'service unhealthy (responded with "NOT_SERVING")'],
  ])('given %s, then it is told', (_name, outcome, kind, message) => {
    expect(outcome).toEqual({ kind, message });
  });

  it('given outcomes, then the events have the words users know', () => {
    expect(probeEvent('liveness', { kind: 'failure', message: 'm' })).toEqual({ reason: 'Unhealthy', message: 'Liveness probe failed: m' });
    expect(probeEvent('startup', { kind: 'error', message: 'm' })).toEqual({ reason: 'Unhealthy', message: 'Startup probe errored and resulted in unknown state: m' });
    expect(probeEvent('readiness', { kind: 'warning', message: 'm' })).toEqual({ reason: 'ProbeWarning', message: 'Readiness probe warning: m' });
    expect(probeEvent('readiness', { kind: 'success', message: '' })).toBeUndefined();
  });
});

describe('thresholds and delays', () => {
  it('given thresholds, when answers come, then only enough equal ones in a row decide', () => {
    const probe = { successThreshold: 2, failureThreshold: 3 };
    const answers: readonly ProbeResult[] = ['success', 'success', 'failure', 'failure', 'success', 'failure', 'failure', 'failure'];
    const results: (ProbeResult | undefined)[] = [];
    let tally: ProbeTally | undefined;
    for (const answer of answers) {
      tally = countAnswer(tally, answer);
      results.push(resultOf(tally, probe));
    }
    expect(results).toEqual([undefined, 'success', undefined, undefined, undefined, undefined, undefined, 'failure']);
  });

  it.each([
    ['no delay', {}, { startedAtMs: 100_000, nowMs: 100_400 }, 0],
    ['a delay from the start', { initialDelaySeconds: 5 }, { startedAtMs: 100_000, nowMs: 103_000 }, 2_999],
    ['a delay that is over', { initialDelaySeconds: 5 }, { startedAtMs: 100_000, nowMs: 200_000 }, 0],
    ['a clock set back', { initialDelaySeconds: 5 }, { startedAtMs: 500_000, nowMs: 100_000 }, 5_000],
    ['a container older than the agent', { periodSeconds: 10 }, { startedAtMs: 10_000, nowMs: 90_100 }, 5_000],
  ])('given %s, then the first run comes in time', (_name, probe, times, inMs) => {
    expect(firstRunInMs({ probe, agentStartedAtMs: 90_000, fraction: 0.5, ...times })).toBe(inMs);
  });
});

const all: Partial<PodSpec['containers'][number]> = { startupProbe: exec, readinessProbe: exec, livenessProbe: exec };
const shown = (part: Partial<ContainerStatus> = {}): PodStatus => ({
  containerStatuses: [{ name: 'app', image: '', imageID: '', ready: false, restartCount: 0, containerID: 'sim://app-0', state: { running: { startedAt: '1970-01-01T00:01:40Z' } }, ...part }],
});

describe('dueProbes', () => {
  const due = (container: Partial<PodSpec['containers'][number]>, status: PodStatus, ending = false) =>
    dueProbes({ desired: aPod({ containers: [aContainer('app', container)] }), status, ending }).map(({ kind }) => kind);

  it.each([
    ['a container that has not started', all, shown({ started: false }), ['startup']],
    ['a container that has started', all, shown({ started: true }), ['readiness', 'liveness']],
    ['no startup probe', { livenessProbe: exec }, shown(), ['liveness']],
    ['a container that does not run', all, shown({ state: { waiting: {} } }), []],
    ['no status', all, {}, []],
  ])('given %s, then the right ones run', (_name, container, status, kinds) => {
    expect(due(container, status)).toEqual(kinds);
  });

  it('given a pod that ends, then only readiness runs on', () => {
    expect(due(all, shown({ started: true }), true)).toEqual(['readiness']);
    expect(due(all, shown({ started: false }), true)).toEqual([]);
  });
});

const instance = anInstance('app');
const results = (part: Parameters<typeof withProbeResult>[2] extends infer R ? Partial<R> : never, before: ProbeResults = noProbeResults) =>
  withProbeResult(before, observed([aSandbox()], [instance]), { containerId: instance.id, probe: 'readiness', result: 'success', ...part });

describe('probedReadiness', () => {
  const of = (container: Partial<PodSpec['containers'][number]>, found: ProbeResults, previous?: PodStatus) =>
    probedReadiness(aPod({ containers: [aContainer('app', container)] }), observed([aSandbox()], [instance]), found, previous).get('app');

  it.each([
    ['nothing decided', all, noProbeResults, undefined, { started: false, ready: false }],
    ['a startup success', all, results({ probe: 'startup' }), undefined, { started: true, ready: false }],
    ['both', all, results({}, results({ probe: 'startup' })), undefined, { started: true, ready: true }],
    ['readiness alone', { readinessProbe: exec }, results({}), undefined, { started: true, ready: true }],
    ['a readiness failure', { readinessProbe: exec }, results({ result: 'failure' }), shown({ ready: true }), { started: true, ready: false }],
    ['a new agent', all, noProbeResults, shown({ ready: true, started: true }), { started: true, ready: true }],
    ['another instance before', all, noProbeResults, shown({ ready: true, started: true, containerID: 'sim://other' }), { started: false, ready: false }],
    ['liveness alone', { livenessProbe: exec }, results({ probe: 'liveness' }), undefined, undefined],
  ])('given %s, then it is shown', (_name, container, found, previous, expected) => {
    expect(of(container, found, previous)).toEqual(expected);
  });
});

describe('planPod with probes', () => {
  const plan = (spec: Partial<PodSpec>, found: ProbeResults, backoffs = new Map<string, { delayMs: number; attemptedAtMs: number }>(), dead: readonly ReturnType<typeof anInstance>[] = []) => {
    const containers = [aContainer('app', { ...all, livenessProbe: { ...exec, terminationGracePeriodSeconds: 4 } })];
    const { steps, waits, complete } = planPod({ desired: aPod({ containers, ...spec }), observed: observed([aSandbox()], [instance, ...dead]), backoffs, probes: found, nowMs: 100_000 });
    return { steps, waits, complete };
  };
  const killed = (message: string, part: object = {}): PlanStep => ({ do: 'killContainer', id: instance.id, name: 'app', message, ...part });
  const start: PlanStep = { do: 'startContainer', name: 'app', role: 'app', restartCount: 1 };
  const cases: readonly [string, ReturnType<typeof plan>, readonly PlanStep[]][] = [
    ['a liveness failure', plan({}, results({ probe: 'liveness', result: 'failure' })), [killed('Container app failed liveness probe, will be restarted', { graceMs: 4_000 }), start]],
    ['a startup failure', plan({}, results({ probe: 'startup', result: 'failure' })), [killed('Container app failed startup probe, will be restarted'), start]],
    ['a liveness failure and Never', plan({ restartPolicy: 'Never' }, results({ probe: 'liveness', result: 'failure' })), [killed('Container app failed liveness probe', { graceMs: 4_000 })]],
    ['a readiness failure', plan({}, results({ result: 'failure' })), []],
    ['the failure of another instance', plan({}, results({ probe: 'liveness', result: 'failure', containerId: anInstance('app', { restartCount: 9 }).id })), []],
  ];
  it.each(cases)('given %s, then the plan follows', (_name, { steps }, expected) => {
    expect(steps).toEqual(expected);
  });

  it('given a back-off that is not over, when liveness fails again, then it is killed now and started later', () => {
    const dead = anInstance('app', { state: 'exited', id: anInstance('app', { restartCount: 7 }).id, createdAtMs: 1, finishedAtMs: 95_000 });
    const { steps, waits } = plan({}, results({ probe: 'liveness', result: 'failure' }), new Map([['app', { delayMs: 10_000, attemptedAtMs: 90_000 }]]), [dead]);
    expect(steps.map((step) => step.do)).toEqual(['killContainer']);
    expect(waits).toEqual([{ name: 'app', untilMs: 105_000, delayMs: 10_000 }]);
  });
});
