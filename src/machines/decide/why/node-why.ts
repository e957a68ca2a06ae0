// Why the node is as it is: its runtime, its network, its broker, its conditions, what the cloud has not heard. Pure.
import { parseRfc3339 } from '../../../ports/rfc3339.ts';
import type { Why } from '../../../ports/why.ts';
import type { NodeWhyFacts } from './facts.ts';
import { linkCause, runtimeCause } from './link-why.ts';
import { type Cause, colon, forText, nothingNext, quoted, whyOf } from './words.ts';

export function nodeWhy(facts: NodeWhyFacts): Why {
  const cause = causeOf(facts);
  return whyOf({ ...cause, says: cause.says.replace(/^[a-z]/, (letter) => letter.toUpperCase()) }, facts.nowMs);
}

function causeOf(facts: NodeWhyFacts): Cause {
  const { goesDown, runtime, link, registers, registered } = facts;
  if (goesDown) return { says: 'The machine goes down and pods are being ended in order', waitingFor: 'the end of its pods', sinceMs: 0, falseGuardOrCondition: 'Ready', next: { what: 'no pod is taken meanwhile', atMs: 0 } };
  const stopped = runtimeCause(runtime) ?? networkCause(facts);
  const unreachable = linkCause(link);
  if (stopped !== undefined) return unreachable === undefined ? stopped : { ...stopped, says: `${stopped.says}, and ${unreachable.says}` };
  if (unreachable !== undefined) return { ...unreachable, says: `${unreachable.says}${podsGoOn(facts)}` };
  if (link?.state === 'connecting') return { says: 'The broker is being connected to', waitingFor: 'the broker', sinceMs: link.sinceMs, falseGuardOrCondition: 'link up', next: nothingNext };
  const condition = conditionCause(facts);
  if (condition !== undefined) return condition;
  if (link !== undefined && registers && !registered) {
    return { says: `The broker is reached but the cloud has not registered the node${forText(link.sinceMs)}`, waitingFor: 'the cloud\'s answer', sinceMs: link.sinceMs, falseGuardOrCondition: 'registered', next: { what: 'it is asked again', atMs: 0 } };
  }
  return unreportedCause(facts) ?? wellCause(facts);
}

function podsGoOn({ pods, unreported }: NodeWhyFacts): string {
  if (pods === 0) return '';
  const waiting = unreported.pods === 0 ? '' : `, and news of ${unreported.pods} of them wait${unreported.pods === 1 ? 's' : ''}`;
  return `: its ${pods === 1 ? 'pod goes' : `${pods} pods go`} on${waiting}`;
}

function networkCause({ runtime }: NodeWhyFacts): Cause | undefined {
  if (runtime.networkReady) return undefined;
  return {
    says: `The runtime's network has not been ready${forText(runtime.sinceMs)}${colon(runtime.message)}`, waitingFor: 'the network', sinceMs: runtime.sinceMs,
    falseGuardOrCondition: 'NetworkReady', next: { what: 'it is asked again every few seconds', atMs: 0 },
  };
}

/** The first condition that is not as it should be: Ready is good when true, all others when false. */
function conditionCause({ node }: NodeWhyFacts): Cause | undefined {
  const bad = node?.status?.conditions?.find(({ type, status }) => (type === 'Ready' ? status !== 'True' : status === 'True'));
  if (bad === undefined) return undefined;
  const sinceMs = parseRfc3339(bad.lastTransitionTime ?? '') ?? 0;
  const isReady = bad.type === 'Ready';
  return {
    says: isReady ? `The node has not been ready${forText(sinceMs)}: ${quoted(bad.message ?? bad.reason ?? '')}` : `The node has had ${bad.type}${forText(sinceMs)}${colon(bad.message ?? bad.reason ?? '')}`,
    waitingFor: isReady ? 'its readiness' : `the end of ${bad.type}`, sinceMs, falseGuardOrCondition: isReady ? 'Ready' : '', next: nothingNext,
  };
}

function unreportedCause({ unreported: { pods, sinceMs } }: NodeWhyFacts): Cause | undefined {
  if (pods === 0) return undefined;
  return {
    says: `The node works, but the cloud has not accepted news of ${pods === 1 ? 'one pod' : `${pods} pods`}${forText(sinceMs)}`, waitingFor: 'the cloud\'s answer',
    sinceMs, falseGuardOrCondition: 'status accepted', next: { what: 'they are written again within 10 s', atMs: 0 },
  };
}

function wellCause({ node, link, pods }: NodeWhyFacts): Cause {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  const sinceMs = parseRfc3339(ready?.lastTransitionTime ?? '') ?? 0;
  const cloud = link === undefined ? ', without a cloud' : ' and in touch with its cloud';
  return {
    says: ready === undefined ? 'The node has not computed its status yet' : `The node has been ready${forText(sinceMs)}${cloud}, with ${pods === 1 ? 'one pod' : `${pods} pods`}`,
    waitingFor: ready === undefined ? 'its first status' : '', sinceMs, falseGuardOrCondition: '', next: nothingNext,
  };
}
