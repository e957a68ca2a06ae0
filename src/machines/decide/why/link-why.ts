// What stands between the node and its cloud: the broker that cannot be reached, the write that was not accepted. Pure.
import type { DesiredPod } from '../../../ports/pod-types.ts';
import type { LinkFacts, PodWhyFacts, ReportFacts, RuntimeFacts } from './facts.ts';
import { bracketed, type Cause, forText } from './words.ts';

/** An answer takes a moment: so long a write under way is nothing to tell of. */
const answerMs = 2_000;

/** The link's part of a "why"; undefined while it is up or on its first try. */
export function linkCause(link: LinkFacts | undefined): Cause | undefined {
  if (link === undefined || link.state === 'up' || (link.state === 'connecting' && link.reason === '')) return undefined;
  const how = link.everUp ? 'has been unreachable' : 'has not been reached';
  const next = link.state === 'backingOff' ? { what: 'the next attempt to connect comes', atMs: link.nextAttemptAtMs }
    : link.state === 'connecting' ? { what: 'an attempt to connect is under way', atMs: 0 } : { what: '', atMs: 0 };
  return {
    says: `the broker ${how}${forText(link.sinceMs)}${bracketed(link.reason)}`,
    waitingFor: 'the broker', sinceMs: link.sinceMs, falseGuardOrCondition: 'link up', next,
  };
}

export function runtimeCause({ ready, message, sinceMs }: RuntimeFacts): Cause | undefined {
  if (ready) return undefined;
  const why = message.replace(/^container runtime is down: /, '');
  return {
    says: `the container runtime has not been ready${forText(sinceMs)}${bracketed(why)}`,
    waitingFor: 'the container runtime', sinceMs, falseGuardOrCondition: 'RuntimeReady',
    next: { what: 'it is asked again every few seconds', atMs: 0 },
  };
}

/** What the cloud does not know of the pod, or the pod of the cloud; undefined when they are in step. */
export function cloudCause({ desired, link, report, nowMs }: Pick<PodWhyFacts, 'desired' | 'link' | 'report' | 'nowMs'>): Cause | undefined {
  if (link === undefined || desired.source === 'admin') return undefined;
  const unreachable = linkCause(link);
  if (unreachable !== undefined) return { ...unreachable, says: `${unsaid(desired, report)}${unreachable.says}` };
  if (report !== undefined) return unaccepted(report, nowMs);
  if (desired.recalled !== true) return undefined;
  return {
    says: 'it is kept as the node remembers it, for the cloud has not named it since the node started',
    waitingFor: 'the cloud\'s list of pods', sinceMs: link.sinceMs, falseGuardOrCondition: 'sources ready', next: { what: '', atMs: 0 },
  };
}

function unsaid({ recalled }: DesiredPod, report: ReportFacts | undefined): string {
  if (report?.what === 'deletion') return 'the cloud has not acknowledged its deletion, for ';
  if (recalled === true) return 'it is kept as the node remembers it, for ';
  return report === undefined ? 'the cloud cannot be told of changes, for ' : 'the cloud does not know its status yet, for ';
}

function unaccepted({ what, sinceMs, inFlight, fault, nextAtMs }: ReportFacts, nowMs: number): Cause | undefined {
  if (nowMs - sinceMs < answerMs && fault === '') return undefined;
  const verb = inFlight ? 'answered' : 'accepted';
  return {
    says: `the cloud has not ${verb} its ${what}${forText(sinceMs)}${bracketed(fault)}`,
    waitingFor: 'the cloud\'s answer', sinceMs, falseGuardOrCondition: `${what} accepted`,
    next: nextAtMs === 0 ? { what: '', atMs: 0 } : { what: 'it is written again', atMs: nextAtMs },
  };
}
