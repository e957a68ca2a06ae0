// Runs the probes of all pods: one timer for each probe that is due, none for pods without. It tells results; what follows is the pod's.
import type { BusPort } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import { handlerQuestion } from '../machines/decide/handler-question.ts';
import { countAnswer, type DueProbe, dueProbes, firstRunInMs, hasProbes, probeTimings, type ProbeResult, type ProbeTally, resultOf } from '../machines/decide/probe.ts';
import { probeEvent, type ProbeOutcome } from '../machines/decide/probe-outcome.ts';
import type { ProbeFacts } from '../machines/decide/why/facts.ts';
import { handlerText } from '../machines/decide/why/handler-text.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';
import type { ProbePort } from '../ports/probe-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';
import { askHandler, probeAgent, userAgentOf } from './ask-handler.ts';
import type { ProbeRun } from './probe-metrics.ts';

/** A run that nobody could decide is repeated at once, up to this many runs in all. Kubelet's. */
const triesMax = 3;

const answeredWell: ProbeFacts['last'] = { outcome: 'success', message: '' };

export interface ProberDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly runtime: RuntimePort;
  readonly probes: ProbePort;
  /** Of the agent, `v1.2.3`: servers see its first two numbers. */
  readonly version: string;
  /** Told of each run that was not cut short. */
  ran?(run: ProbeRun): void;
}

interface ProbedPod {
  desired: DesiredPod;
  podIp: string;
  ending: boolean;
  readonly workers: Map<string, Worker>;
}

export interface ProberHandle extends Stoppable {
  /** How the pod's probes stand. Asking changes nothing. */
  probesOf(uid: PodUid): readonly ProbeFacts[];
}

class Prober implements ProberHandle {
  readonly #deps: ProberDeps;
  readonly #pods = new Map<PodUid, ProbedPod>();
  readonly #startedAtMs: number;

  constructor(deps: ProberDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.clock.nowMs();
    deps.bus.on('pod.status', ({ payload }) => this.#statusOf(payload));
    deps.bus.on('pod.transitioned', ({ payload }) => this.#moved(payload));
    deps.bus.on('pod.forgotten', ({ payload }) => this.#forget(payload.pod.uid));
  }

  async stop(): Promise<void> {
    for (const uid of [...this.#pods.keys()]) this.#forget(uid);
  }

  probesOf(uid: PodUid): readonly ProbeFacts[] {
    return [...(this.#pods.get(uid)?.workers.values() ?? [])].map((worker) => worker.facts());
  }

  #statusOf({ desired, status }: Messages['pod.status']): void {
    const known = this.#pods.get(desired.uid);
    if (known === undefined && !hasProbes(desired)) return;
    const pod: ProbedPod = known ?? { desired, podIp: '', ending: false, workers: new Map() };
    this.#pods.set(desired.uid, pod);
    pod.desired = desired;
    pod.podIp = status.podIP ?? '';
    const due = new Map(dueProbes({ desired, status, ending: pod.ending }).map((each) => [`${each.containerId} ${each.kind}`, each]));
    for (const [key, worker] of pod.workers) {
      if (due.has(key)) continue;
      worker.stop();
      pod.workers.delete(key);
    }
    for (const [key, each] of due) {
      if (!pod.workers.has(key)) pod.workers.set(key, new Worker(this.#deps, pod, each, this.#startedAtMs));
    }
  }

  #moved({ pod: { uid }, from, to }: Messages['pod.transitioned']): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    // A pod's actor that was made anew knows no results: they are found again.
    if (from === '') return this.#forget(uid);
    if (!to.startsWith('terminat')) return;
    pod.ending = true;
    for (const [key, worker] of pod.workers) {
      if (to !== 'terminated' && worker.due.kind === 'readiness') continue;
      worker.stop();
      pod.workers.delete(key);
    }
  }

  #forget(uid: PodUid): void {
    for (const worker of this.#pods.get(uid)?.workers.values() ?? []) worker.stop();
    this.#pods.delete(uid);
  }
}

/** One probe of one instance of a container. */
class Worker {
  readonly due: DueProbe;
  readonly #deps: ProberDeps;
  readonly #pod: ProbedPod;
  #tally: ProbeTally | undefined;
  #told: ProbeResult | undefined;
  #timer: unknown;
  /** Monotonic milliseconds of the next run; 0 while one is under way. */
  #dueMs = 0;
  #last: ProbeFacts['last'];
  #stopped = false;

  constructor(deps: ProberDeps, pod: ProbedPod, due: DueProbe, agentStartedAtMs: number) {
    this.#deps = deps;
    this.#pod = pod;
    this.due = due;
    const { clock, random } = deps;
    const { probe, startedAtMs } = due;
    this.#again(firstRunInMs({ probe, startedAtMs, nowMs: clock.nowMs(), agentStartedAtMs, fraction: random.fraction() }));
  }

  stop(): void {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
  }

  facts(): ProbeFacts {
    const { clock } = this.#deps;
    const { container, kind, probe } = this.due;
    const { successThreshold, failureThreshold } = probeTimings(probe);
    const nextAtMs = this.#dueMs === 0 ? 0 : clock.nowMs() + this.#dueMs - clock.monotonicMs();
    return { container: container.name, kind, asks: handlerText(probe), last: this.#last, times: this.#tally?.times ?? 0, successThreshold, failureThreshold, nextAtMs };
  }

  #again(delayMs: number): void {
    this.#dueMs = this.#deps.clock.monotonicMs() + delayMs;
    this.#timer = this.#deps.clock.setTimeout(() => void this.#run(), delayMs);
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    const { probe, kind } = this.due;
    const beganMs = clock.monotonicMs();
    this.#dueMs = 0;
    let outcome = await this.#ask();
    for (let tries = 1; outcome.kind === 'error' && tries < triesMax && !this.#stopped; tries += 1) outcome = await this.#ask();
    if (this.#stopped) return;
    this.#deps.ran?.({ pod: this.#pod.desired, container: this.due.container.name, kind, outcome: outcome.kind, durationMs: clock.monotonicMs() - beganMs });
    this.#note(outcome);
    // What a healthy server says is of no interest later on.
    this.#last = outcome.kind === 'success' ? answeredWell : { outcome: outcome.kind, message: outcome.message };
    const result = outcome.kind === 'error' ? undefined : this.#count(outcome);
    if (result !== undefined && result !== this.#told) this.#tell(result, outcome);
    // A container that is to be restarted, or has started, needs this probe no longer.
    const decided = kind === 'startup' ? this.#told !== undefined : kind === 'liveness' && this.#told === 'failure';
    if (!decided && !this.#stopped) this.#again(Math.max(0, probeTimings(probe).periodMs - (clock.monotonicMs() - beganMs)));
  }

  async #ask(): Promise<ProbeOutcome> {
    const { probe, container, containerId } = this.due;
    const question = handlerQuestion(probe, { ports: container.ports, podIp: this.#pod.podIp });
    if (!question.ok) return { kind: 'error', message: question.fault };
    const { timeoutMs } = probeTimings(probe);
    return askHandler(this.#deps, question.value, { containerId, timeoutMs, userAgent: userAgentOf(probeAgent, this.#deps.version) });
  }

  #count({ kind }: ProbeOutcome): ProbeResult | undefined {
    this.#tally = countAnswer(this.#tally, kind === 'failure' ? 'failure' : 'success');
    return resultOf(this.#tally, this.due.probe);
  }

  #tell(result: ProbeResult, { message }: ProbeOutcome): void {
    const { kind, container, containerId } = this.due;
    const { desired } = this.#pod;
    this.#told = result;
    this.#deps.bus.publish('probe.changed', { pod: desired, container: container.name, containerId, probe: kind, result, message }, { key: desired.uid });
  }

  #note(outcome: ProbeOutcome): void {
    const event = probeEvent(this.due.kind, outcome);
    if (event === undefined) return;
    const { role, container } = this.due;
    const fieldPath = `spec.${role === 'init' ? 'initContainers' : 'containers'}{${container.name}}`;
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: this.#pod.desired, fieldPath }, type: 'Warning', ...event });
  }
}

export function startProber(deps: ProberDeps): ProberHandle {
  return new Prober(deps);
}
