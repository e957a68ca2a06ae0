// Which pods a table shows and in what order; and the tone a pod is shown in. Pure.
import type { PodSummary, Severity } from '../../protocol.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'idle' | 'stop';
export type PodSort = 'name' | 'trouble' | 'age' | 'restarts';

export interface PodQuery {
  /** Anywhere in namespace, name, status, state, reason or address. */
  readonly text: string;
  readonly onlyTroubled: boolean;
  readonly sort: PodSort;
}

export const allPods: PodQuery = { text: '', onlyTroubled: false, sort: 'name' };

const severityOrder: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

export function listPods(pods: Iterable<PodSummary>, { text, onlyTroubled, sort }: PodQuery): readonly PodSummary[] {
  const wanted = text.trim().toLowerCase();
  const found: PodSummary[] = [];
  for (const pod of pods) {
    if (onlyTroubled && pod.severity === 'info') continue;
    if (wanted === '' || textOf(pod).includes(wanted)) found.push(pod);
  }
  return found.sort((a, b) => comparison(a, b, sort) || compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.uid, b.uid));
}

function textOf({ namespace, name, status, state, reason, trouble, ip, uid }: PodSummary): string {
  return `${namespace}/${name} ${status} ${state} ${reason} ${trouble} ${ip} ${uid}`.toLowerCase();
}

function comparison(a: PodSummary, b: PodSummary, sort: PodSort): number {
  switch (sort) {
    case 'name': return 0;
    case 'trouble': return severityOrder[a.severity] - severityOrder[b.severity];
    case 'age': return b.createdAtMs - a.createdAtMs;
    case 'restarts': return b.restarts - a.restarts;
    default: sort satisfies never;
  }
  return 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface PodCounts {
  readonly all: number;
  readonly ready: number;
  readonly troubled: number;
}

export function countPods(pods: Iterable<PodSummary>): PodCounts {
  let [all, ready, troubled] = [0, 0, 0];
  for (const pod of pods) {
    all += 1;
    if (pod.ready) ready += 1;
    if (pod.severity !== 'info') troubled += 1;
  }
  return { all, ready, troubled };
}

export function podTone({ severity, status, state, ready, phase }: PodSummary): Tone {
  if (severity === 'error') return 'bad';
  if (status === 'Terminating' || /^(terminating|finishing|done)/.test(state)) return 'stop';
  if (severity === 'warning') return 'wait';
  if (ready) return 'good';
  return phase === 'Succeeded' ? 'idle' : 'wait';
}

export function severityTone(severity: Severity): Tone {
  return severity === 'error' ? 'bad' : severity === 'warning' ? 'wait' : 'idle';
}
