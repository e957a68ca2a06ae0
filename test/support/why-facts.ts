// Builders of what a "why" is made from, so that a case shows only what matters to it.
import { createExplainer, type Explainer } from '../../src/actors/explainer.ts';
import type { NodeView } from '../../src/actors/node-view.ts';
import { noProbeResults } from '../../src/machines/decide/probe-effects.ts';
import type { LinkFacts, PodWhyFacts, ProbeFacts, PullFacts } from '../../src/machines/decide/why/facts.ts';
import type { PodContext } from '../../src/machines/pod-types.ts';
import type { ClockPort } from '../../src/ports/clock-port.ts';
import { aPod, aSandbox, observed } from './pods.ts';

/** 2026-01-01T00:10:00Z. */
export const whyNowMs = 1_767_226_200_000;
/** RFC 3339 of so many seconds before `whyNowMs`. */
export const ago = (seconds: number): string => new Date(whyNowMs - seconds * 1_000).toISOString().replace('.000', '');

export function aMemory(part: Partial<PodContext> = {}): PodContext {
  return {
    desired: aPod(), observed: observed([aSandbox()], []), failures: new Map(), backoffs: new Map(), probes: noProbeResults, looks: 'none', looking: 'none', asked: false,
    kill: undefined, complete: false, started: false, settledWell: true, trouble: '', wakeInMs: 600_000, ...part,
  };
}

export const linkUp: LinkFacts = { state: 'up', reason: '', sinceMs: whyNowMs - 60_000, nextAttemptAtMs: 0, everUp: true };

/** A pod at rest in `running`, ten seconds ago, on a node that lacks nothing. */
export function whyFacts(part: Partial<PodWhyFacts> = {}): PodWhyFacts {
  return {
    nowMs: whyNowMs, desired: aPod(), status: undefined, state: 'running.settled', stateSinceMs: whyNowMs - 10_000, machine: aMemory(), uptake: { listed: true, nameTaken: false },
    runtime: { ready: true, networkReady: true, message: '', sinceMs: 1 }, link: linkUp, pulls: [], probes: [], ...part,
  };
}

export function aProbe(part: Partial<ProbeFacts> = {}): ProbeFacts {
  return {
    container: 'app', kind: 'readiness', asks: 'HTTP GET :8080/ready', last: { outcome: 'failure', message: 'HTTP probe failed with statuscode: 503' }, times: 4,
    successThreshold: 1, failureThreshold: 3, nextAtMs: whyNowMs + 3_000, ...part,
  };
}

export function aPull(part: Partial<PullFacts> = {}): PullFacts {
  return { container: 'app', image: 'registry.example/app:1', phase: 'pulling', sinceMs: whyNowMs - 12_000, pullsMax: 5, progressDeadlineMs: 60_000, message: '', notBeforeMs: 0, ...part };
}

/** Knows what the view knows, and no more: for tests that make no pods of their own. */
export function explainerOf(view: NodeView, clock: ClockPort): Explainer {
  return createExplainer({
    view, clock, nodeName: 'edge-07', registers: true, supervisor: { uptakeOf: () => ({ listed: true, nameTaken: false, machine: undefined }) }, images: { pullsOf: () => [] }, prober: { probesOf: () => [] },
  });
}
