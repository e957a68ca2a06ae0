// The daemon under measurement: `bin/mqlet run` as a child process with its production flags, its own root directory and topics,
// and the cloud side that answers it.
import { mkdir } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { logTail, startLongRunning, waitUntil } from '../src/demo/child-process.ts';
import type { Stoppable } from '../src/ports/result.ts';
import { PodJournal } from './pod-journal.ts';
import { startStandInCloud, type StandInCloud } from './stand-in-cloud.ts';
import { wallMs } from './wall-clock.ts';
import type { World } from './world.ts';

const readyMsMax = 20_000;
const endGraceMs = 8_000;
const tailLines = 20;

export interface BenchDaemon extends Stoppable {
  readonly pid: number;
  readonly nodeName: string;
  readonly cloud: StandInCloud;
  readonly journal: PodJournal;
  /** Of this daemon: everything it keeps. */
  readonly rootDirectory: string;
  /**
   * Ends the process alone; the next one takes over its pods and its topics.
   * @param options.launched called when the next process has been started
   */
  restart(options?: { readonly how?: 'stopped' | 'killed'; readonly launched?: (atMs: number) => void }): Promise<RestartTimes>;
}

/** Milliseconds from the start of the process. */
export interface RestartTimes {
  readonly firstMessageMs: number;
  readonly nodeReadyMs: number;
}

let started = 0;

export async function startDaemon(world: World): Promise<BenchDaemon> {
  started += 1;
  const nodeName = `bench-${started}`;
  const rootTopic = 'bench';
  const { host, port } = world.broker;
  const cloud = await startStandInCloud({ host, port, rootTopic, nodeName, clientId: `cloud-of-${nodeName}` });
  world.join(cloud);
  const directory = path.join(world.directory, nodeName);
  await mkdir(path.join(directory, 'logs'), { recursive: true });
  const args = [
    'run', '--hostname-override', nodeName, '--root-dir', path.join(directory, 'root'), '--pod-logs-dir', path.join(directory, 'logs'),
    '--container-runtime-endpoint', world.containerd.endpoint, '--cgroup-root', `${world.containerd.cgroupRoot}/${nodeName}`, '--mqtt-url', `mqtt://${host}:${port}`, '--mqtt-root-topic', rootTopic,
    '--mqtt-dialect', 'lite', '--healthz-port', String(await freePort()),
  ];
  const launch = (launched?: (atMs: number) => void) => startProcess(world, args, path.join(directory, 'daemon.log'), cloud, launched);
  let current = await launch();
  const stop = (): Promise<void> => current.child.end({ graceMs: endGraceMs });
  world.join({ stop });
  world.say(`daemon ${nodeName}: process ${current.child.pid}, first message after ${current.times.firstMessageMs.toFixed(0)} ms, node Ready after ${current.times.nodeReadyMs.toFixed(0)} ms`);
  return {
    get pid() {
      return current.child.pid;
    },
    nodeName, cloud, journal: new PodJournal(cloud), stop, rootDirectory: path.join(directory, 'root'),
    restart: async ({ how = 'stopped', launched } = {}) => {
      await current.child.end({ graceMs: how === 'killed' ? 0 : endGraceMs });
      current = await launch(launched);
      return current.times;
    },
  };
}

/** @throws with the daemon's last log lines when it does not report a Ready node */
async function startProcess(world: World, args: readonly string[], logPath: string, cloud: StandInCloud, launched?: (atMs: number) => void) {
  let firstMessageAtMs: number | undefined;
  let nodeReadyAtMs: number | undefined;
  const watching = cloud.watch(({ nodeIsReady, atMs }) => {
    firstMessageAtMs ??= atMs;
    if (nodeIsReady) nodeReadyAtMs ??= atMs;
  });
  const launchedMs = wallMs();
  const child = startLongRunning({
    program: world.options.launcher ?? path.join(world.home, 'bin', 'mqlet'), args, logPath,
    // Figures must not depend on what the caller's shell adds to Node.js.
    environment: { NODE_OPTIONS: '', NODE_EXTRA_CA_CERTS: '', MQLET_NODE: world.daemonNode },
  });
  launched?.(launchedMs);
  const nodeReadyAt = await waitUntil({
    ask: () => Promise.resolve(nodeReadyAtMs), timeoutMs: readyMsMax, everyMs: 5, stillPossible: child.running,
  });
  watching.off();
  if (nodeReadyAt !== undefined && firstMessageAtMs !== undefined) {
    return { child, times: { firstMessageMs: firstMessageAtMs - launchedMs, nodeReadyMs: nodeReadyAt - launchedMs } };
  }
  const how = child.running() ? `reports no Ready node within ${readyMsMax / 1000} s` : `ended: ${await child.exited}`;
  await child.end({ graceMs: endGraceMs });
  throw new Error([`the daemon ${how}`, ...logTail(logPath, tailLines)].join('\n    '));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      // A TCP server's address is always this record, never a path.
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
