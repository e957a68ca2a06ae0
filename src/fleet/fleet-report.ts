// What a simulated fleet took, as a record and as lines for a person. Pure.
import type { Traffic } from './counted-mqtt.ts';

export interface PartCost {
  readonly processors: number;
  readonly residentMib: number;
}

export interface FleetReport {
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly secondsToReady: number;
  readonly podsStartedPerSecond: number;
  /** From the API's write to Running in the API, under churn. */
  readonly startMs: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number };
  readonly unstarted: number;
  readonly refused: number;
  /** After the churn: until the API had as many Running pods as it should, all nodes Ready. */
  readonly secondsToCalm: number | undefined;
  /** While pods came and went. */
  readonly perNodeAndMinute: { readonly upBytes: number; readonly downBytes: number; readonly packets: number };
  readonly atRest: { readonly bridge: PartCost; readonly broker: PartCost };
  readonly churning: { readonly bridge: PartCost; readonly broker: PartCost; readonly nodes: PartCost };
  readonly bridgeMibPer1000Nodes: number;
}

/** @param sorted ascending. @returns 0 of nothing */
export function quantile(sorted: readonly number[], fraction: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0);
}

export function startTimes(tookMs: readonly number[]): FleetReport['startMs'] {
  const sorted = [...tookMs].sort((a, b) => a - b);
  return { count: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) };
}

export function trafficBetween(before: Traffic, after: Traffic, { nodes, seconds }: { readonly nodes: number; readonly seconds: number }): FleetReport['perNodeAndMinute'] {
  const each = (sum: number): number => Math.round((sum / nodes / seconds) * 60);
  return {
    upBytes: each(after.upBytes - before.upBytes), downBytes: each(after.downBytes - before.downBytes), packets: each(after.upPackets + after.downPackets - before.upPackets - before.downPackets),
  };
}

export function reportLines(report: FleetReport): readonly string[] {
  const { startMs, perNodeAndMinute: traffic, atRest, churning } = report;
  const cost = ({ processors, residentMib }: PartCost): string => `${processors.toFixed(2)} CPU, ${Math.round(residentMib)} MiB`;
  return [
    `nodes                ${report.nodes} Ready after ${report.secondsToReady.toFixed(1)} s`,
    `pods started         ${report.podsStartedPerSecond.toFixed(1)} a second under churn; ${report.unstarted} not yet, ${report.refused} calls refused`,
    `API write to Running p50 ${startMs.p50} ms, p99 ${startMs.p99} ms, at most ${startMs.max} ms (${startMs.count} pods)`,
    `calm again           ${report.secondsToCalm === undefined ? 'not in time' : `after ${report.secondsToCalm.toFixed(1)} s`}`,
    `a node, a minute     ${traffic.upBytes} bytes up, ${traffic.downBytes} bytes down, ${traffic.packets} packets`,
    `bridge and API       at rest ${cost(atRest.bridge)}; under churn ${cost(churning.bridge)}; ${Math.round(report.bridgeMibPer1000Nodes)} MiB for 1,000 nodes`,
    `broker               at rest ${cost(atRest.broker)}; under churn ${cost(churning.broker)}`,
    `nodes' processes     under churn ${cost(churning.nodes)}`,
  ];
}
