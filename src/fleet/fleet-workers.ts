// The processes of a simulated fleet's nodes: starts them, adds up what they say, ends them.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Stoppable } from '../ports/result.ts';
import type { Traffic } from './counted-mqtt.ts';
import type { FleetWords } from './fleet-words.ts';
import type { WorkerReport, WorkerTask } from './fleet-worker.ts';
import { costOf, type ProcessCost } from './process-cost.ts';

export interface FleetWorkersDeps {
  /** `bin/mqlet` */
  readonly launcher: string;
  readonly names: readonly string[];
  readonly words: FleetWords;
  readonly broker: { readonly host: string; readonly port: number };
  readonly rootTopic: string;
}

/** Of JavaScript in one worker: V8's own limit would end those with thousands of nodes. */
const heapMib = 4_096;

export class FleetWorkers implements Stoppable {
  readonly #children: readonly ChildProcess[];
  readonly #reports: WorkerReport[] = [];
  readonly #gone: readonly Promise<void>[];

  constructor({ launcher, names, words, broker: { host, port }, rootTopic }: FleetWorkersDeps) {
    const { workers, startsPerSecond, cutsPerSecond, seed } = words;
    const perWorker = Math.ceil(names.length / workers);
    this.#children = Array.from({ length: Math.ceil(names.length / perWorker) }, (_none, index) => {
      const task: WorkerTask = { names: names.slice(index * perWorker, (index + 1) * perWorker), broker: { host, port }, rootTopic, seed, startsPerSecond: startsPerSecond / workers, cutsPerSecond: cutsPerSecond / workers };
      const child = spawn(launcher, ['fleet-sim', '--worker', JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: `--max-old-space-size=${heapMib}` } });
      createInterface({ input: child.stdout }).on('line', (line) => {
        // Said by our own program.
        this.#reports[index] = JSON.parse(line) as WorkerReport;
      });
      return child;
    });
    this.#gone = this.#children.map((child) => new Promise<void>((resolve) => child.once('close', () => resolve())));
  }

  get running(): boolean {
    return this.#children.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  }

  get traffic(): Traffic {
    const sum = (field: keyof Traffic): number => this.#reports.reduce((all, report) => all + report[field], 0);
    return { upBytes: sum('upBytes'), downBytes: sum('downBytes'), upPackets: sum('upPackets'), downPackets: sum('downPackets') };
  }

  get cost(): ProcessCost {
    const each = this.#children.map(({ pid }) => costOf(pid ?? 0));
    return { cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0), residentBytes: each.reduce((sum, { residentBytes }) => sum + residentBytes, 0) };
  }

  /** Nodes of a simulation need no orderly end. */
  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#gone);
  }
}
