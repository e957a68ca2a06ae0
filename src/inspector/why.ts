// Why a pod or the node was as it was at one moment, from what the picture of that moment holds. Pure.
import { graceMsOf, killOfDeletion, mergeKills } from '../machines/decide/pod-kill.ts';
import type { NodeWhyFacts, PodWhyFacts, ProbeFacts, StopFacts } from '../machines/decide/why/facts.ts';
import { handlerText } from '../machines/decide/why/handler-text.ts';
import { nodeWhy } from '../machines/decide/why/node-why.ts';
import { podWhy } from '../machines/decide/why/pod-why.ts';
import { probeTimings } from '../machines/decide/probe.ts';
import type { Why as FullWhy } from '../ports/why.ts';
import type { NodePicture } from './node-picture.ts';
import type { Picture, PodPicture } from './picture.ts';
import type { Why } from './shown.ts';
import { factsOfNews } from './why-news.ts';

/** Without what the cloud has not heard: that is told pod by pod. */
export function nodeWhyThen({ node, pods, atMs }: Pick<Picture, 'node' | 'pods' | 'atMs'>, nodeName: string): Why {
  return shownWhy(nodeWhy({
    nowMs: atMs, nodeName, node: node.node, registers: node.accepted + node.refused + node.openWrites.size > 0, registered: node.registered, goesDown: false, pods: pods.size, unreported: { pods: 0, sinceMs: 0 }, ...outsideOf(node),
  }));
}

function shownWhy({ sentence, template, sinceMs, falseGuardOrCondition, next }: FullWhy): Why {
  return { sentence, template, sinceMs, condition: falseGuardOrCondition, next: next.what, nextAtMs: next.atMs };
}

function outsideOf({ runtime, link }: NodePicture): Pick<NodeWhyFacts, 'runtime' | 'link'> {
  return {
    runtime: runtime === undefined ? { ready: false, networkReady: false, message: 'it has not answered yet', sinceMs: 0 }
      : { ready: runtime.runtimeReady, networkReady: runtime.networkReady, message: runtime.message, sinceMs: runtime.sinceMs },
    ...(link === undefined ? {} : { link: { state: link.state, reason: link.reason, sinceMs: link.sinceMs, nextAttemptAtMs: link.nextAttemptAtMs ?? 0, everUp: link.everUp } }),
  };
}

export function whyThen({ node, pods, atMs }: Picture, pod: PodPicture, nowMs = atMs): Why {
  const { desired, status, state, context } = pod;
  const facts = factsOfNews(pod.news, desired);
  const stateSinceMs = pod.visits.at(-1)?.enteredAtMs ?? 0;
  const nameTaken = [...pods.values()].some((other) => other !== pod && other.desired.name === desired.name && other.desired.namespace === desired.namespace && other.firstSeenMs < pod.firstSeenMs);
  return shownWhy(podWhy({
    nowMs, desired, status, state, stateSinceMs,
    ...(context === undefined ? {} : { machine: context }),
    uptake: { listed: node.relist.atMs > 0, nameTaken, ...stopOf(pod, stateSinceMs) },
    ...outsideOf(node), ...facts, probes: probesOf(pod, facts.probes),
  }));
}

function stopOf({ state, desired, context }: PodPicture, beganAtMs: number): { readonly stop?: StopFacts } {
  if (state !== 'terminating.stopping') return {};
  const deletion = killOfDeletion(desired);
  const kill = context?.kill === undefined ? deletion : deletion === undefined ? context.kill : mergeKills(context.kill, deletion);
  return { stop: { beganAtMs, graceMs: graceMsOf(desired, kill), hooks: [] } };
}

/** Runs that failed are told one by one; of those that succeeded only the first, and of probes that never failed nothing but what was decided. */
function probesOf({ desired: { pod: { spec } }, probes }: PodPicture, told: PodWhyFacts['probes']): PodWhyFacts['probes'] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => (['startup', 'readiness', 'liveness'] as const).flatMap((kind): readonly ProbeFacts[] => {
    const probe = container[`${kind}Probe`];
    const known = told.find((each) => each.container === container.name && each.kind === kind);
    const decided = probes.find((each) => each.container === container.name && each.probe === kind);
    if (known !== undefined) return [known];
    if (probe === undefined || decided === undefined) return [];
    const { periodMs, successThreshold, failureThreshold } = probeTimings(probe);
    const times = decided.result === 'failure' ? failureThreshold : successThreshold;
    return [{ container: container.name, kind, asks: handlerText(probe), successThreshold, failureThreshold, nextAtMs: decided.atMs + periodMs, last: { outcome: decided.result, message: decided.message }, times }];
  }));
}
