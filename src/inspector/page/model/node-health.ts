// The node's parts as a person asks for them: is it well, and if not, since when and until when. Pure; words in, words out.
import type { NodeFacts } from '../../protocol.ts';
import type { Tone } from './pod-list.ts';
import { counted, duration, fromNow } from './words.ts';

export interface HealthTile {
  readonly name: string;
  readonly tone: Tone;
  /** One word or two. */
  readonly word: string;
  /** One line; empty for nothing to say. */
  readonly detail: string;
}

/** A relist that is older than this is late: it comes every few minutes even where events come in time. */
const relistLateMs = 10 * 60_000;
/** Kubernetes takes a node for lost when its lease was not renewed for so long. */
const leaseLateMs = 40_000;
const writeLateMs = 30_000;

export function nodeHealth(facts: NodeFacts, nowMs: number): readonly HealthTile[] {
  return [linkTile(facts, nowMs), runtimeTile(facts, nowMs), relistTile(facts, nowMs), leaseTile(facts, nowMs), outboxTile(facts, nowMs), busTile(facts)];
}

function linkTile({ link }: NodeFacts, nowMs: number): HealthTile {
  if (link === undefined) return { name: 'Broker', tone: 'idle', word: 'none', detail: 'this node runs alone' };
  const since = link.sinceMs === 0 ? '' : `for ${duration(nowMs - link.sinceMs)}`;
  if (link.state === 'up') return { name: 'Broker', tone: 'good', word: 'up', detail: since };
  const next = link.nextAttemptAtMs > 0 ? `, next attempt ${fromNow(link.nextAttemptAtMs, nowMs)}` : '';
  return { name: 'Broker', tone: link.state === 'connecting' ? 'wait' : 'bad', word: link.state === 'backingOff' ? 'backing off' : link.state, detail: `${link.reason}${next}` || since };
}

function runtimeTile({ runtime }: NodeFacts, nowMs: number): HealthTile {
  if (runtime === undefined) return { name: 'Runtime', tone: 'wait', word: 'unknown', detail: 'it has not answered yet' };
  const { ready, networkReady, streaming, message, sinceMs } = runtime;
  const since = sinceMs === 0 ? '' : ` for ${duration(nowMs - sinceMs)}`;
  if (!ready) return { name: 'Runtime', tone: 'bad', word: 'not ready', detail: message };
  if (!networkReady) return { name: 'Runtime', tone: 'bad', word: 'no network', detail: message };
  return { name: 'Runtime', tone: streaming ? 'good' : 'wait', word: 'ready', detail: streaming ? `events stream${since}` : 'no event stream: it is listed more often' };
}

function relistTile({ relist }: NodeFacts, nowMs: number): HealthTile {
  if (relist.fault !== '') return { name: 'Relist', tone: 'bad', word: 'failed', detail: relist.fault };
  if (relist.atMs === 0) return { name: 'Relist', tone: 'wait', word: 'not yet', detail: '' };
  const seen = `${counted(relist.sandboxes, 'sandbox', 'sandboxes')}, ${counted(relist.containers, 'container')}`;
  return { name: 'Relist', tone: nowMs - relist.atMs > relistLateMs ? 'wait' : 'good', word: fromNow(relist.atMs, nowMs), detail: seen };
}

function leaseTile({ lease, link }: NodeFacts, nowMs: number): HealthTile {
  if (link === undefined && lease.renewedAtMs === 0) return { name: 'Lease', tone: 'idle', word: 'none', detail: 'nobody to renew it with' };
  const renewed = lease.renewedAtMs === 0 ? 'not renewed yet' : `renewed ${fromNow(lease.renewedAtMs, nowMs)}`;
  if (lease.trouble !== '') return { name: 'Lease', tone: 'bad', word: 'in trouble', detail: `${lease.trouble}; ${renewed}` };
  if (lease.renewedAtMs === 0) return { name: 'Lease', tone: 'wait', word: 'not yet', detail: '' };
  return nowMs - lease.renewedAtMs > leaseLateMs ? { name: 'Lease', tone: 'bad', word: 'late', detail: renewed } : { name: 'Lease', tone: 'good', word: 'fresh', detail: renewed };
}

function outboxTile({ outbox }: NodeFacts, nowMs: number): HealthTile {
  const { waiting, accepted, refused, oldestAtMs } = outbox;
  const settled = `${accepted.toLocaleString('en')} accepted${refused > 0 ? `, ${refused.toLocaleString('en')} refused` : ''}`;
  if (waiting === 0) return { name: 'Outbox', tone: 'good', word: 'empty', detail: settled };
  const late = oldestAtMs > 0 && nowMs - oldestAtMs > writeLateMs;
  const oldest = oldestAtMs > 0 ? `, oldest ${duration(nowMs - oldestAtMs)}` : '';
  return { name: 'Outbox', tone: late ? 'bad' : 'wait', word: `${waiting} waiting`, detail: `${settled}${oldest}` };
}

function busTile({ bus }: NodeFacts): HealthTile {
  const failures = bus.failures > 0 ? `, ${counted(bus.failures, 'failure')}` : '';
  return { name: 'Bus', tone: bus.failures > 0 ? 'bad' : 'good', word: counted(bus.messages, 'message'), detail: `at most ${bus.queuedMax.toLocaleString('en')} queued${failures}` };
}
