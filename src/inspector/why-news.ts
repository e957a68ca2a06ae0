// What messages of the bus tell of a pod's pulls, probes and writes, folded for the "why" of any moment: who watches has only the
// messages, where the node asks its parts. Pure; a change makes a new record.
import type { AnyEnvelope } from '../bus/messages.ts';
import { type Backoff, decideBackoff } from '../machines/decide/backoff.ts';
import { probeTimings } from '../machines/decide/probe.ts';
import type { ProbeKind } from '../machines/decide/probe-outcome.ts';
import type { ProbeFacts, PullFacts, ReportFacts } from '../machines/decide/why/facts.ts';
import { handlerText } from '../machines/decide/why/handler-text.ts';
import type { Container, DesiredPod } from '../ports/pod-types.ts';

export interface WhyNews {
  readonly pulls: ReadonlyMap<string, PullNews>;
  /** By container and kind, `app readiness`. */
  readonly probes: ReadonlyMap<string, ProbeNews>;
  readonly report: ReportNews | undefined;
}

type PullNews = Pick<PullFacts, 'image' | 'phase' | 'sinceMs' | 'message'> & { readonly backoff: Backoff | undefined };
type ProbeNews = Pick<ProbeFacts, 'last' | 'times'> & { readonly atMs: number };
type ReportNews = Omit<ReportFacts, 'nextAtMs'> & { readonly id: string; readonly settledAtMs: number };

export const noNews: WhyNews = { pulls: new Map(), probes: new Map(), report: undefined };

/** The reporter's pass over what was not accepted. */
const rewriteMs = 10_000;

type Told = Pick<AnyEnvelope, 'topic' | 'payload' | 'at'>;

/** UID of the pod whose news a message is; undefined when it is nobody's. */
export function newsOf(told: Told): string | undefined {
  const one = told as AnyEnvelope; // Topic and payload of one envelope belong together.
  switch (one.topic) {
    case 'event.noted': return one.payload.subject.kind === 'Pod' ? one.payload.subject.pod.uid : undefined;
    case 'probe.changed': return one.payload.pod.uid;
    case 'api.write': return one.payload.writer === 'status-reporter' ? one.payload.lane.slice('pod/'.length) : undefined;
    case 'api.settled': return one.payload.write.writer === 'status-reporter' ? one.payload.write.lane.slice('pod/'.length) : undefined;
    default: return undefined;
  }
}

/** @returns the same record where the message changes nothing */
export function whyNews(news: WhyNews, told: Told): WhyNews {
  const one = told as AnyEnvelope; // The same.
  switch (one.topic) {
    case 'event.noted': return one.payload.subject.kind === 'Pod' ? noted(news, { ...one.payload, fieldPath: one.payload.subject.fieldPath ?? '', at: one.at }) : news;
    case 'probe.changed': {
      const { container, probe, result, message } = one.payload;
      // A failure has been noted as an event, run by run.
      if (result === 'failure') return news;
      return { ...news, probes: new Map(news.probes).set(`${container} ${probe}`, { last: { outcome: 'success', message }, times: 1, atMs: one.at }) };
    }
    case 'api.write': {
      const { id, verb } = one.payload;
      return { ...news, report: { id, what: verb === 'delete' ? 'deletion' : 'status', sinceMs: news.report?.sinceMs ?? one.at, inFlight: true, fault: news.report?.fault ?? '', settledAtMs: 0 } };
    }
    case 'api.settled': {
      const { write, outcome } = one.payload;
      if (news.report?.id !== write.id) return news;
      if (outcome.kind === 'accepted') return { ...news, report: undefined };
      const fault = outcome.kind === 'refused' ? outcome.status.message || outcome.status.reason || 'refused' : outcome.kind === 'unanswered' ? outcome.message : 'a newer write took its place';
      return { ...news, report: { ...news.report, inFlight: false, fault, settledAtMs: one.at } };
    }
    default: return news;
  }
}

const probeFailure = /^(Startup|Readiness|Liveness) probe (failed|errored and resulted in unknown state|warning): ([\s\S]*)$/;
const pulling = /^Pulling image "([^"]*)"/;
const pullFailed = /^Failed to pull image "([^"]*)": ([\s\S]*)$/;

interface Noted {
  readonly reason: string;
  readonly message: string;
  readonly fieldPath: string;
  readonly at: number;
}

function noted(news: WhyNews, { reason, message, fieldPath, at }: Noted): WhyNews {
  const container = /\{([^}]*)\}/.exec(fieldPath)?.[1];
  if (container === undefined) return news;
  const pull = (next: PullNews): WhyNews => ({ ...news, pulls: new Map(news.pulls).set(container, next) });
  const before = news.pulls.get(container);
  switch (reason) {
    case 'Pulling':
      return pull({ image: pulling.exec(message)?.[1] ?? '', phase: 'pulling', sinceMs: at, message: '', backoff: nextBackoff(before, at) });
    case 'Pulled': {
      if (before === undefined) return news;
      const pulls = new Map(news.pulls);
      pulls.delete(container);
      return { ...news, pulls };
    }
    case 'Failed': {
      const failed = pullFailed.exec(message);
      if (failed === null) return news;
      return pull({ image: failed[1] ?? '', phase: 'failed', sinceMs: at, message: failed[2] ?? '', backoff: before?.backoff ?? nextBackoff(undefined, at) });
    }
    case 'Unhealthy':
    case 'ProbeWarning':
      return probed(news, { container, message, at });
    // Another instance of it begins at nought.
    case 'Started':
      return { ...news, probes: new Map([...news.probes].filter(([key]) => !key.startsWith(`${container} `))) };
    default:
      return news;
  }
}

/** As the image actor decides it when an attempt begins. */
function nextBackoff(before: PullNews | undefined, at: number): Backoff | undefined {
  const decision = decideBackoff(before?.backoff, before?.sinceMs ?? at, at);
  return decision.kind === 'attempt' ? decision.next : before?.backoff;
}

function probed(news: WhyNews, { container, message, at }: { readonly container: string; readonly message: string; readonly at: number }): WhyNews {
  const [, kind, how, words = ''] = probeFailure.exec(message) ?? [];
  if (kind === undefined) return news;
  const key = `${container} ${kind.toLowerCase()}`;
  const before = news.probes.get(key);
  const outcome = how === 'failed' ? 'failure' : how === 'warning' ? 'warning' : 'error';
  const times = outcome === 'error' ? (before?.times ?? 0) : outcome === before?.last?.outcome ? before.times + 1 : 1;
  return { ...news, probes: new Map(news.probes).set(key, { last: { outcome, message: words }, times, atMs: at }) };
}

/** In the shape in which the node's own parts tell it. A probe of which there is no news has not been asked, as far as one can tell. */
export function factsOfNews(news: WhyNews, desired: DesiredPod): { readonly pulls: readonly PullFacts[]; readonly probes: readonly ProbeFacts[]; readonly report: ReportFacts | undefined } {
  // No message tells what the image actor is set to.
  const common = { pullsMax: 0, progressDeadlineMs: 0 };
  const { spec } = desired.pod;
  return {
    pulls: [...news.pulls].map(([container, { backoff, ...pull }]) => ({ ...common, container, ...pull, notBeforeMs: pull.phase === 'failed' && backoff !== undefined ? pull.sinceMs + backoff.delayMs : 0 })),
    probes: [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => (['startup', 'readiness', 'liveness'] as const).flatMap((kind) => probeFacts(news, container, kind))),
    report: news.report && { ...news.report, nextAtMs: news.report.settledAtMs === 0 ? 0 : news.report.settledAtMs + rewriteMs },
  };
}

function probeFacts({ probes }: WhyNews, container: Container, kind: ProbeKind): readonly ProbeFacts[] {
  const probe = container[`${kind}Probe`];
  const known = probes.get(`${container.name} ${kind}`);
  if (probe === undefined || known === undefined) return [];
  const { periodMs, successThreshold, failureThreshold } = probeTimings(probe);
  return [{ container: container.name, kind, asks: handlerText(probe), last: known.last, times: known.times, successThreshold, failureThreshold, nextAtMs: known.atMs + periodMs }];
}
