// One line about each message, for people, and how grave it is. No values of secrets: what may hold them is told by its size.
import { inputFaultLine } from '../ports/faults.ts';
import { podName } from '../ports/pod-types.ts';
import type { ApiOutcome, ApiWrite } from '../bus/api-write.ts';
import type { KeptMessage } from './kept.ts';
import type { Severity } from './shown.ts';

/** Longer lines are cut. */
const summaryLengthMax = 240;

export function summaryOf(one: KeptMessage): string {
  const text = lineOf(one).replaceAll('\n', ' ');
  return text.length > summaryLengthMax ? `${text.slice(0, summaryLengthMax - 1)}…` : text;
}

function lineOf(one: KeptMessage): string {
  return podLine(one) ?? nodeLine(one) ?? plainLine(one.payload);
}

function podLine(one: KeptMessage): string | undefined {
  switch (one.topic) {
    case 'source.updated': return one.payload.kind === 'set' ? `${one.payload.source} has ${one.payload.pods.length} pods` : one.payload.kind === 'upsert' ? `${one.payload.source} has ${podName(one.payload.pod)}` : `${one.payload.source} no longer has ${one.payload.uid}`;
    case 'pods.changed': return `${one.payload.op} ${one.payload.pods.slice(0, 3).map(podName).join(', ')}${one.payload.pods.length > 3 ? ` and ${one.payload.pods.length - 3} more` : ''} (${one.payload.source})`;
    case 'pods.recalled': return `${one.payload.pods.length} pods from an earlier life`;
    case 'pod.transitioned': return `${one.payload.from === '' ? 'begins' : one.payload.from} → ${one.payload.to} on ${one.payload.on}`;
    case 'pod.planned': return one.payload.steps.join(', ');
    case 'pod.status': return statusLine(one.payload.status);
    case 'pod.kill': return `${one.payload.reason}: ${one.payload.message}`;
    case 'pod.terminated': return `${podName(one.payload.pod)} has stopped`;
    case 'pod.forgotten': return `${podName(one.payload.pod)} is gone`;
    case 'pod.refused': return `${podName(one.payload.pod)}: ${one.payload.message}`;
    case 'pod.evicted': return `${podName(one.payload.pod)} for ${one.payload.signal}`;
    case 'probe.changed': return `${one.payload.probe} of ${one.payload.container}: ${one.payload.result}${one.payload.message === '' ? '' : `, ${one.payload.message}`}`;
    case 'token.changed': return podName(one.payload.pod);
    case 'image.requested': return `${one.payload.image} for ${one.payload.container} (${one.payload.policy})`;
    case 'image.resolved': return one.payload.outcome.kind === 'present' ? `${one.payload.image} is there` : `${one.payload.image}: ${one.payload.outcome.reason}, ${one.payload.outcome.message}`;
    case 'event.noted': return `${one.payload.subject.kind === 'Pod' ? podName(one.payload.subject.pod) : 'node'}: ${one.payload.reason}, ${one.payload.message}`;
    default: return undefined;
  }
}

function nodeLine(one: KeptMessage): string | undefined {
  switch (one.topic) {
    case 'runtime.event': return `${one.payload.kind} ${one.payload.id}`;
    case 'runtime.relisted': return `${one.out?.sandboxes ?? one.payload.sandboxes.length} sandboxes, ${one.out?.containers ?? one.payload.containers.length} containers`;
    case 'runtime.relist-failed': return `${one.payload.fault.kind}: ${one.payload.fault.message}`;
    case 'runtime.health': return `runtime ${one.payload.runtimeReady ? 'ready' : 'not ready'}, network ${one.payload.networkReady ? 'ready' : 'not ready'}, events ${one.payload.streaming ? 'stream' : 'do not stream'}${one.payload.message === '' ? '' : `: ${one.payload.message}`}`;
    case 'object.received': return `${one.payload.object.kind} ${podName(one.payload.object)}, ${one.payload.object.data.keys().length} keys`;
    case 'object.changed': return `${one.payload.kind} ${podName(one.payload)}`;
    case 'input.refused': return inputFaultLine(one.payload.fault);
    case 'api.write': return writeLine(one.payload);
    case 'api.settled': return `${writeLine(one.payload.write)}: ${outcomeLine(one.payload.outcome)}`;
    case 'mqtt.link': return `${one.payload.state}${one.payload.reason === '' ? '' : `: ${one.payload.reason}`}`;
    case 'mqtt.received': return `${one.payload.topic}, ${one.out?.packetBytes ?? one.payload.payload.byteLength} bytes`;
    case 'mqtt.ack': return `${one.payload.identity}: ${one.payload.answer.kind}`;
    case 'mqtt.refused': return `${one.payload.what}: ${one.payload.fault.message}`;
    case 'node.status':
    case 'node.received':
    case 'node.registered':
    case 'node.recalled': return one.payload.node.metadata?.name ?? 'node';
    case 'mirror.received': return `${one.payload.fullName}${one.payload.pod === undefined ? ' is gone' : ''}`;
    case 'mirror.known': return `${one.payload.fullName}${one.payload.apiUid === undefined ? ' is not there' : ''}`;
    case 'storage.health': return `${one.payload.area}: ${one.payload.trouble?.message ?? 'well'}`;
    case 'actor.failed': return `${one.payload.actor}: ${one.payload.message.split('\n')[0] ?? ''} (${one.payload.action})`;
    default: return undefined;
  }
}

function statusLine({ phase = 'Pending', reason, containerStatuses = [], initContainerStatuses = [] }: Extract<KeptMessage, { readonly topic: 'pod.status' }>['payload']['status']): string {
  const containers = [...initContainerStatuses, ...containerStatuses].map(({ name, state }) => `${name} ${state?.waiting?.reason ?? (state?.running !== undefined ? 'running' : state?.terminated?.reason ?? 'waiting')}`);
  return [`${phase}${reason === undefined ? '' : ` (${reason})`}`, ...containers].join(', ');
}

function writeLine(write: ApiWrite): string {
  return `${write.verb} ${write.kind} ${'namespace' in write ? `${write.namespace}/` : ''}${write.name}`;
}

function outcomeLine(outcome: ApiOutcome): string {
  if (outcome.kind === 'refused') return `refused, ${outcome.status.reason ?? ''} ${outcome.status.message ?? ''}`.trimEnd();
  return outcome.kind === 'unanswered' ? `unanswered, ${outcome.message}` : outcome.kind;
}

function plainLine(payload: object): string {
  return Object.entries(payload).filter(([, value]) => typeof value !== 'object').map(([name, value]) => `${name} ${String(value)}`).join(', ');
}

export function severityOf(one: KeptMessage): Severity {
  switch (one.topic) {
    case 'actor.failed': return 'error';
    case 'input.refused': return one.payload.fault.severity === 'error' ? 'error' : 'warning';
    case 'runtime.relist-failed':
    case 'mqtt.refused':
    case 'pod.kill':
    case 'pod.evicted': return 'warning';
    case 'event.noted': return one.payload.type === 'Warning' ? 'warning' : 'info';
    case 'probe.changed': return one.payload.result === 'failure' ? 'warning' : 'info';
    case 'image.resolved': return one.payload.outcome.kind === 'failed' ? 'warning' : 'info';
    case 'api.settled': return one.payload.outcome.kind === 'refused' || one.payload.outcome.kind === 'unanswered' ? 'warning' : 'info';
    case 'mqtt.link': return one.payload.state === 'backingOff' ? 'warning' : 'info';
    case 'runtime.health': return one.payload.runtimeReady && one.payload.networkReady ? 'info' : 'warning';
    case 'storage.health': return one.payload.trouble === undefined ? 'info' : 'warning';
    default: return 'info';
  }
}

/** UID of the pod it concerns; empty where it concerns none, or several. */
export function podOf(one: KeptMessage): string {
  switch (one.topic) {
    case 'event.noted': return one.payload.subject.kind === 'Pod' ? one.payload.subject.pod.uid : '';
    case 'pods.changed': return one.payload.pods.length === 1 ? (one.payload.pods[0]?.uid ?? '') : '';
    case 'source.updated': return one.payload.kind === 'upsert' ? one.payload.pod.uid : one.payload.kind === 'forget' ? one.payload.uid : '';
    case 'input.refused': return one.payload.pod?.uid ?? '';
    case 'api.write': return uidOfLane(one.payload.lane);
    case 'api.settled': return uidOfLane(one.payload.write.lane);
    case 'image.unwanted':
    case 'image.resolved': return one.key ?? '';
    case 'mirror.known': return one.payload.staticUid;
    default: return 'pod' in one.payload && one.payload.pod !== undefined && 'uid' in one.payload.pod ? one.payload.pod.uid : '';
  }
}

/** Lanes of pods are `pod/<uid>`, as their writers name them. */
function uidOfLane(lane: string): string {
  return /^(?:pod|mirror|token)\/([^/]+)/.exec(lane)?.[1] ?? '';
}
