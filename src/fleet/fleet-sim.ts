// `mqlet fleet-sim`: a fleet on this machine, from nothing to a report. It composes: broker, bridge and nodes are processes of their own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createJsonLog } from '../adapters/json-log.ts';
import { kubernetesClient } from '../adapters/kubernetes-client.ts';
import { SeededRandom } from '../adapters/sim/seeded-random.ts';
import { Refusal } from '../cli/refusal.ts';
import type { Terminal } from '../cli/terminal.ts';
import { startLongRunning, waitUntil } from '../demo/child-process.ts';
import { type Broker, startBroker } from '../demo/mosquitto.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { FleetApi } from './fleet-api.ts';
import { type FleetReport, reportLines, startTimes, trafficBetween } from './fleet-report.ts';
import { fleetUsage, type FleetWords, readFleetWords } from './fleet-words.ts';
import { runFleetWorker, type WorkerTask } from './fleet-worker.ts';
import { FleetWorkers } from './fleet-workers.ts';
import { costBetween, costOf, type ProcessCost } from './process-cost.ts';

const rootTopic = 'fleet';
const readyMsMax = 600_000;
const calmMsMax = 120_000;
const endGraceMs = 10_000;
const mib = 1024 ** 2;
const callsAtOnceMax = 64;

/** @returns the exit code: 1 where the fleet did not come to rest in time */
export async function runFleetSim(argv: readonly string[], terminal: Terminal, interrupted: Promise<unknown>): Promise<number> {
  const words = readFleetWords(argv);
  if (words === 'help') {
    terminal.print(fleetUsage);
    return 0;
  }
  const log = createJsonLog({ level: 'error' });
  if ('worker' in words) {
    // Written by ourselves, just below.
    await runFleetWorker(JSON.parse(words.worker) as WorkerTask, { say: (line) => terminal.print(`${line}\n`), interrupted, log });
    return 0;
  }
  const stops: Stoppable[] = [];
  try {
    const report = await play(words, { terminal, interrupted, log, running: (part) => void stops.unshift(part) });
    if (report === undefined) return 130;
    terminal.print(words.json ? `${JSON.stringify(report)}\n` : `${reportLines(report).join('\n')}\n`);
    return report.secondsToCalm === undefined ? 1 : 0;
  } finally {
    for (const part of stops) await part.stop();
  }
}

interface Stage {
  readonly terminal: Terminal;
  readonly interrupted: Promise<unknown>;
  readonly log: LogPort;
  running(part: Stoppable): void;
}

interface Fleet {
  readonly api: FleetApi;
  readonly workers: FleetWorkers;
  readonly names: readonly string[];
  readonly pids: { readonly bridge: number; readonly broker: number };
}

async function play(words: FleetWords, stage: Stage): Promise<FleetReport | undefined> {
  let over = false;
  void stage.interrupted.then(() => (over = true));
  const say = (line: string): void => stage.terminal.complain(line);
  const fleet = await bringUp(words, stage);
  const { api, workers, names } = fleet;
  const startedMs = performance.now();
  const ready = await waitUntil({ timeoutMs: readyMsMax, everyMs: 100, stillPossible: () => !over && workers.running, ask: async () => (api.readyNodes === words.nodes ? true : undefined) });
  if (over) return undefined;
  if (ready === undefined) throw new Refusal(`${api.readyNodes} of ${words.nodes} nodes are Ready after ${readyMsMax / 1_000} s`);
  const secondsToReady = (performance.now() - startedMs) / 1_000;
  say(`${words.nodes} nodes Ready after ${secondsToReady.toFixed(1)} s`);
  const churn = new Churn(api, names, new SeededRandom(words.seed));
  await churn.fill(words.nodes * words.podsPerNode);
  await settled(fleet, { nodes: words.nodes, pods: churn.wanted });
  const { restSeconds } = words;
  say(`${api.runningPods} pods Running; resting ${restSeconds} s`);
  const restFrom = costs(fleet);
  await delay(restSeconds * 1_000);
  const restTo = costs(fleet);
  api.takeTimes();
  say(`churn: ${words.churnPerSecond} pods a second for ${words.seconds} s`);
  const trafficFrom = workers.traffic;
  const from = costs(fleet);
  await churn.run(words, () => over);
  const to = costs(fleet);
  const times = startTimes(api.takeTimes());
  const traffic = trafficBetween(trafficFrom, workers.traffic, words);
  const unstarted = api.waiting;
  const secondsToCalm = await settled(fleet, { nodes: words.nodes, pods: churn.wanted });
  const part = (name: 'bridge' | 'broker' | 'nodes', a: Costs, b: Costs, seconds: number) => {
    const { processors, residentBytes } = costBetween(a[name], b[name], seconds);
    return { processors, residentMib: residentBytes / mib };
  };
  const bridge = part('bridge', from, to, words.seconds);
  return {
    nodes: words.nodes, podsPerNode: words.podsPerNode, secondsToReady, podsStartedPerSecond: times.count / words.seconds, startMs: times, unstarted, refused: api.refused, secondsToCalm, perNodeAndMinute: traffic,
    atRest: { bridge: part('bridge', restFrom, restTo, restSeconds), broker: part('broker', restFrom, restTo, restSeconds) },
    churning: { bridge, broker: part('broker', from, to, words.seconds), nodes: part('nodes', from, to, words.seconds) },
    bridgeMibPer1000Nodes: (bridge.residentMib / words.nodes) * 1_000,
  };
}

async function bringUp(words: FleetWords, { log, running }: Stage): Promise<Fleet> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mqlet-fleet-'));
  running({ stop: () => rm(directory, { recursive: true, force: true }) });
  const broker = await startBroker({ directory: path.join(directory, 'broker'), log });
  if (!broker.ok) throw new Refusal(`the broker: ${broker.fault.message}`);
  running(broker.value);
  const launcher = path.join(process.env['MQLET_HOME'] ?? process.cwd(), 'bin', 'mqlet');
  const bridge = startBridgeProcess({ launcher, directory, broker: broker.value });
  running({ stop: () => bridge.end({ graceMs: endGraceMs }) });
  const kubeconfig = path.join(directory, 'bridge', 'api', 'admin.kubeconfig');
  const admin = await waitUntil({
    timeoutMs: 20_000, everyMs: 50, stillPossible: bridge.running,
    ask: async () => {
      const client = kubernetesClient({ kubeconfig });
      return client.ok && (await client.value.call({ method: 'GET', path: '/api/v1/namespaces' })).ok ? client.value : undefined;
    },
  });
  if (admin === undefined) throw new Refusal(`the bridge does not answer; its log is in ${bridge.logPath}`);
  const api = new FleetApi(admin, log);
  running(api);
  const names = Array.from({ length: words.nodes }, (_none, index) => `node-${String(index).padStart(5, '0')}`);
  const workers = new FleetWorkers({ launcher, names, words, broker: broker.value, rootTopic });
  running(workers);
  return { api, workers, names, pids: { bridge: bridge.pid, broker: broker.value.pid ?? 0 } };
}

function startBridgeProcess({ launcher, directory, broker }: { readonly launcher: string; readonly directory: string; readonly broker: Broker }) {
  return startLongRunning({
    program: launcher, logPath: path.join(directory, 'bridge.log'),
    args: [
      'bridge', '--mqtt-url', broker.url, '--mqtt-root-topic', rootTopic, '--dialects', 'mqlet', '--data-dir', path.join(directory, 'bridge'), '--api-listen', '127.0.0.1:0', '--kubelet-listen', '127.0.0.1:0',
      '--api-qps', '5000', '--api-burst', '5000', '--log-level', 'error',
    ],
  });
}

type Costs = Readonly<Record<'bridge' | 'broker' | 'nodes', ProcessCost>>;

function costs({ pids, workers }: Fleet): Costs {
  return { bridge: costOf(pids.bridge), broker: costOf(pids.broker), nodes: workers.cost };
}

/** @returns seconds until all nodes are Ready and all pods Running; undefined where that was not in time */
async function settled({ api }: Fleet, { nodes, pods }: { readonly nodes: number; readonly pods: number }): Promise<number | undefined> {
  const fromMs = performance.now();
  const done = await waitUntil({ timeoutMs: calmMsMax, everyMs: 50, ask: async () => (api.readyNodes === nodes && api.runningPods === pods && api.knownPods === pods ? true : undefined) });
  return done === undefined ? undefined : (performance.now() - fromMs) / 1_000;
}

class Churn {
  readonly #api: FleetApi;
  readonly #nodes: readonly string[];
  readonly #random: SeededRandom;
  readonly #pods: string[] = [];
  #made = 0;
  #underWay = 0;

  constructor(api: FleetApi, nodes: readonly string[], random: SeededRandom) {
    this.#api = api;
    this.#nodes = nodes;
    this.#random = random;
  }

  /** Pods that there should be. */
  get wanted(): number {
    return this.#pods.length;
  }

  /** Evenly over the nodes. */
  async fill(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      while (this.#underWay >= callsAtOnceMax) await delay(1);
      this.#create(this.#nodes[index % this.#nodes.length] ?? '');
    }
    while (this.#underWay > 0) await delay(1);
  }

  async run({ churnPerSecond, seconds }: FleetWords, over: () => boolean): Promise<void> {
    const untilMs = performance.now() + seconds * 1_000;
    let lastMs = performance.now();
    let due = 0;
    while (performance.now() < untilMs && !over()) {
      const nowMs = performance.now();
      due += ((nowMs - lastMs) * churnPerSecond) / 1_000;
      lastMs = nowMs;
      for (; due >= 1; due -= 1) {
        this.#create(this.#nodes[Math.floor(this.#random.fraction() * this.#nodes.length)] ?? '');
        const [gone] = this.#pods.splice(Math.floor(this.#random.fraction() * this.#pods.length), 1);
        if (gone !== undefined) this.#track(this.#api.remove(gone));
      }
      await delay(10);
    }
  }

  #create(nodeName: string): void {
    this.#made += 1;
    const name = `pod-${this.#made}`;
    this.#pods.push(name);
    this.#track(this.#api.create(name, nodeName));
  }

  #track(call: Promise<void>): void {
    this.#underWay += 1;
    void call.finally(() => (this.#underWay -= 1));
  }
}
