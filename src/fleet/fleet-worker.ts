// A process with a part of the fleet's nodes. Starts them one after the other, breaks links, and says each second how it goes: one line of JSON.
import { setTimeout as delay } from 'node:timers/promises';
import { SystemClock } from '../adapters/system-clock.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Traffic } from './counted-mqtt.ts';
import { type FleetNode, startFleetNode } from './fleet-node.ts';

export interface WorkerTask {
  readonly names: readonly string[];
  readonly broker: { readonly host: string; readonly port: number };
  readonly rootTopic: string;
  readonly seed: string;
  readonly startsPerSecond: number;
  readonly cutsPerSecond: number;
}

export interface WorkerReport extends Traffic {
  readonly started: number;
}

const reportEveryMs = 1_000;
const sliceMs = 100;

/** Runs until `interrupted`. @param say takes one line */
export async function runFleetWorker(task: WorkerTask, { say, interrupted, log }: { say(line: string): void; readonly interrupted: Promise<unknown>; readonly log: LogPort }): Promise<void> {
  const traffic: Traffic = { upBytes: 0, downBytes: 0, upPackets: 0, downPackets: 0 };
  const nodes: FleetNode[] = [];
  const clock = new SystemClock();
  let over = false;
  void interrupted.then(() => (over = true));
  let reportAtMs = 0;
  let startsDue = 0;
  let cutsDue = 0;
  let lastMs = performance.now();
  while (!over) {
    const nowMs = performance.now();
    const seconds = (nowMs - lastMs) / 1_000;
    lastMs = nowMs;
    startsDue = Math.min(task.startsPerSecond, startsDue + task.startsPerSecond * seconds);
    for (; startsDue >= 1 && nodes.length < task.names.length; startsDue -= 1) {
      const { broker, rootTopic, seed } = task;
      nodes.push(startFleetNode({ name: task.names[nodes.length] ?? '', broker, rootTopic, seed, clock, log, traffic }));
    }
    if (nodes.length === task.names.length) cutsDue += task.cutsPerSecond * seconds;
    for (; cutsDue >= 1; cutsDue -= 1) nodes[Math.floor(Math.random() * nodes.length)]?.cutLink();
    if (nowMs >= reportAtMs) {
      reportAtMs = nowMs + reportEveryMs;
      say(JSON.stringify({ started: nodes.length, ...traffic } satisfies WorkerReport));
    }
    await delay(sliceMs);
  }
}
