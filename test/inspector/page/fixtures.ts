// Rows and entries as the server sends them, each with only what a case is about changed.
import type { ActorRow, Batch, Hello, MessageEntry, NodeFacts, PodSummary, Range, Snapshot, StepEntry } from '../../../src/inspector/protocol.ts';

export function podRow(change: Partial<PodSummary> = {}): PodSummary {
  return {
    namespace: 'default', name: 'web', uid: 'u1', source: 'file', origin: '/etc/mqlet/manifests/web.yaml', readyContainers: 1, containers: 1, status: 'Running',
    restarts: 0, lastRestartAtMs: 0, createdAtMs: 1_000, ip: '10.88.0.2', node: 'edge-07', state: 'running.settled', phase: 'Running', sinceMs: 2_000,
    reason: 'Started', trouble: '', nextAttemptAtMs: 0, ready: true, severity: 'info', ...change,
  };
}

export function actorRow(change: Partial<ActorRow> = {}): ActorRow {
  return {
    id: 'supervisor', parent: '', state: '', machine: '', pod: '', sent: 0, lastAtMs: 0, mailbox: 0, mailboxMax: 0, restarts: 0, faults: 0, lastFault: '', doing: [], ...change,
  };
}

export function nodeFacts(change: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name: 'edge-07', version: '0.1.0', why: { sentence: 'The node is ready.', template: 'The node is ready.', sinceMs: 0, condition: '', next: '', nextAtMs: 0 }, conditions: [], registered: true,
    link: { state: 'up', reason: '', sinceMs: 1_000, nextAttemptAtMs: 0 },
    runtime: { ready: true, networkReady: true, streaming: true, message: '', sinceMs: 1_000 },
    relist: { atMs: 5_000, sandboxes: 1, containers: 2, fault: '' }, lease: { renewedAtMs: 9_000, trouble: '' },
    outbox: { waiting: 0, accepted: 3, refused: 0, oldestAtMs: 0 }, bus: { messages: 40, queued: 0, queuedMax: 4, failures: 0 }, faults: [], ...change,
  };
}

export function message(n: number, change: Partial<MessageEntry> = {}): MessageEntry {
  return { k: 'message', n, seq: n, at: n * 10, topic: 'pod.status', from: 'pod/u1', cause: 0, pod: 'u1', summary: `of ${n}`, severity: 'info', ...change };
}

export function step(n: number, change: Partial<StepEntry> = {}): StepEntry {
  return {
    k: 'step', n, at: n * 10, machine: 'pod', actor: 'pod/u1', cause: 0, pod: 'u1', event: 'pod.look', from: 'running.settled', to: 'running.syncing', transitions: [], severity: 'info', ...change,
  };
}

export const hello: Hello = { t: 'hello', protocol: 1, mode: 'live', node: 'edge-07', version: '0.1.0', file: '', machines: [], topics: ['pod.status'] };

export function range(first: number, last: number): Range {
  return { first, last, firstAtMs: first * 10, lastAtMs: last * 10 };
}

export function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  return { t: 'snapshot', n: 5, atMs: 10_000, range: range(1, 5), node: nodeFacts(), pods: [podRow()], actors: [actorRow()], ...change };
}

export function batch(change: Partial<Batch> = {}): Batch {
  return { t: 'batch', n: 6, atMs: 10_100, range: range(1, 6), entries: [message(6)], leftOut: 0, pods: [], gonePods: [], actors: [], goneActors: [], ...change };
}
