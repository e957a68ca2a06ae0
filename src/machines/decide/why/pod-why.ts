// Why a pod is where it is: what it waits for, since when, which guard or condition is false, what happens next and when.
// Pure, and made only when somebody asks. The first thing that keeps the pod back is the one that is named.
import { spanAt, type Why } from '../../../ports/why.ts';
import { endedCause, shownContainers, startingCause, waitingCause } from './container-why.ts';
import { endingCause, isToEnd } from './ending-why.ts';
import type { PodWhyFacts } from './facts.ts';
import { cloudCause, runtimeCause } from './link-why.ts';
import { conditionCause, runningCause, runningText, wellCause } from './running-why.ts';
import { sandboxCause, syncCause } from './sandbox-why.ts';
import { type Cause, joined, quoted, whyOf } from './words.ts';

/** A sentence for every state a pod can be in. */
export function podWhy(facts: PodWhyFacts): Why {
  const cause = causeOf(facts);
  const cloud = cloudCause(facts);
  if (cloud === undefined) return whyOf(cause, facts.nowMs);
  const why = whyOf({ ...cause, falseGuardOrCondition: cause.waitingFor === '' ? '' : cause.falseGuardOrCondition }, facts.nowMs);
  const beyond = whyOf(cloud, facts.nowMs);
  const both = joined(why, beyond, facts.nowMs);
  // What the pod itself waits for comes first; only one that waits for nothing waits for the cloud.
  return cause.waitingFor === '' ? { ...beyond, sentence: both.sentence, template: both.template } : both;
}

function causeOf(facts: PodWhyFacts): Cause {
  const { uptake: { failure }, state, stateSinceMs, desired } = facts;
  if (failure !== undefined) {
    return {
      says: `The part of the node that looks after it has failed (${quoted(failure.message)}), and its containers stay as they are`, waitingFor: 'a new start of its actor',
      sinceMs: stateSinceMs, falseGuardOrCondition: 'actor alive', next: { what: 'it is taken up again', atMs: failure.againAtMs },
    };
  }
  const runtime = runtimeCause(facts.runtime);
  if (isToEnd(facts)) {
    if (runtime === undefined || !/^(?:terminating|finishing)/.test(state)) return endingCause(facts);
    return { ...runtime, says: `It is to end, but ${runtime.says}` };
  }
  if (runtime !== undefined) {
    const runs = runningText(facts);
    return { ...runtime, says: runs === '' ? runtime.says.replace(/^t/, 'T') : `${runs.includes(' ') ? 'Its containers' : 'Its container'} ${runs} ${runs.includes(' ') ? 'run' : 'runs'} on unseen, for ${runtime.says}` };
  }
  if (state === '' || state === 'pending') return pendingCause(facts);
  if (desired.pod.metadata.deletionTimestamp !== undefined) return endingCause(facts);
  return syncCause(facts) ?? sandboxCause(facts) ?? containersCause(facts) ?? conditionCause(facts) ?? wellCause(facts);
}

function pendingCause({ uptake: { listed, nameTaken }, stateSinceMs }: PodWhyFacts): Cause {
  const base = { sinceMs: stateSinceMs, next: { what: 'it begins then', atMs: 0 } };
  if (nameTaken) return { ...base, says: `It has waited${spanAt('since', stateSinceMs)} for an older pod of its name to end`, waitingFor: 'an older pod of its name', falseGuardOrCondition: 'name free' };
  if (!listed) return { ...base, says: 'It waits until the runtime has told what it already has', waitingFor: 'the first list of the runtime', falseGuardOrCondition: 'runtime listed' };
  return { ...base, says: 'It has been taken in', waitingFor: 'its admission', falseGuardOrCondition: 'admitted' };
}

/** The first container, in the order in which they start, that keeps the pod back; troubles come before what only takes its time. */
function containersCause(facts: PodWhyFacts): Cause | undefined {
  const containers = shownContainers(facts);
  const first = (find: (facts: PodWhyFacts, container: (typeof containers)[number]) => Cause | undefined): Cause | undefined => {
    for (const container of containers) {
      const found = find(facts, container);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const missing = containers.length === 0 ? { says: 'It has been taken in and its first status is being made', waitingFor: 'its first sync', sinceMs: facts.stateSinceMs, falseGuardOrCondition: 'isStarted', next: { what: '', atMs: 0 } } : undefined;
  // Init containers go one by one: what runs or is unready there comes before those that wait for it.
  return missing ?? first(waitingCause) ?? first((of, container) => (container.role === 'app' ? undefined : runningCause(of, container)))
    ?? first(endedCause) ?? first(startingCause) ?? first(runningCause);
}

/** Of a pod that the node has done with, while the cloud has not heard of it. */
export function forgottenWhy(facts: Pick<PodWhyFacts, 'desired' | 'link' | 'report' | 'nowMs'>): Why | undefined {
  const cloud = cloudCause(facts);
  return cloud && whyOf({ ...cloud, says: `Nothing of it is left on the node, and ${cloud.says}` }, facts.nowMs);
}
