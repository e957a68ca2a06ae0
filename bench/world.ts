// The stage of a benchmark: a private containerd with the images, a broker, the cloud side, an observer of the runtime; and the
// directory they live in. Whatever happens, `stop` leaves nothing behind.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectCri, type CriConnection } from '../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../src/adapters/system-clock.ts';
import { busyboxImage, demoImageSources, importImages } from '../src/demo/demo-images.ts';
import { unmountBelow } from '../src/demo/containerd-leftovers.ts';
import { startBroker, type Broker } from '../src/demo/mosquitto.ts';
import { partFaultLines, type PartFault } from '../src/demo/part-fault.ts';
import { startPrivateContainerd, type PrivateContainerd } from '../src/demo/private-containerd.ts';
import type { NodeSettings } from '../src/machines/decide/node-settings.ts';
import type { LogPort } from '../src/ports/log-port.ts';
import type { Result, Stoppable } from '../src/ports/result.ts';
import { expectOk } from './bare-calls.ts';
import type { BenchOptions } from './options.ts';
import { startRuntimeObserver, type RuntimeObserver } from './runtime-observer.ts';

/** A socket's path must stay short, whatever TMPDIR says. */
const baseCharsMax = 40;
const callTimeoutMs = 120_000;

export interface World extends Stoppable {
  readonly options: BenchOptions;
  /** The checkout. */
  readonly home: string;
  readonly directory: string;
  readonly containerd: PrivateContainerd;
  readonly cri: CriConnection;
  readonly broker: Broker;
  readonly observer: RuntimeObserver;
  /** For the configurations of the bare calls; the daemon reads the like from the host. */
  readonly settings: NodeSettings;
  readonly imageRef: string;
  /** A copy for the daemon alone: pages of a program that others run too would be counted in part only. */
  readonly daemonNode: string;
  /** One line about what goes on. */
  say(line: string): void;
  /** Ended before the rest, in the reverse order of joining. */
  join(part: Stoppable): void;
}

export async function openWorld(options: BenchOptions, home: string): Promise<World> {
  const base = tmpdir().length <= baseCharsMax ? tmpdir() : '/tmp';
  const directory = await mkdtemp(path.join(base, 'mqlet-bench-'));
  const parts: Stoppable[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= closeWorld(parts, directory));
  try {
    return await build({ options, home, directory, parts, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(frame: {
  readonly options: BenchOptions;
  readonly home: string;
  readonly directory: string;
  readonly parts: Stoppable[];
  stop(): Promise<void>;
}): Promise<World> {
  const { options, home, directory, parts, stop } = frame;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const join = <T extends Stoppable>(part: T): T => {
    parts.push(part);
    return part;
  };
  say(`bench in ${directory}: containerd, broker, images`);
  const containerd = join(expectPart(await startPrivateContainerd({ directory: path.join(directory, 'c'), log })));
  const observer = join(await startRuntimeObserver(containerd.endpoint));
  const broker = join(expectPart(await startBroker({ directory: path.join(directory, 'broker'), log })));
  expectPart(await importImages({ endpoint: containerd.endpoint, snapshotter: containerd.snapshotter, directory, images: expectPart(await demoImageSources()) }));
  const cri = connectCri({ endpoint: containerd.endpoint, clock: new SystemClock(), log, callTimeoutMs });
  join({ stop: () => cri.close() });
  const image = expectOk(await cri.images.status(busyboxImage));
  if (image === undefined) throw new Error(`the runtime does not have ${busyboxImage}`);
  const settings = await bareSettings(directory);
  const daemonNode = path.join(directory, 'node');
  await copyFile(nodeOf(options), daemonNode);
  return { options, home, directory, containerd, cri, broker, observer, settings, imageRef: image.id, daemonNode, say, join: (part) => void join(part), stop };
}

/** The Node.js asked for, or the one that runs us. */
export function nodeOf({ nodeBinary }: BenchOptions): string {
  return nodeBinary ?? process.execPath;
}

async function bareSettings(directory: string): Promise<NodeSettings> {
  const rootDirectory = path.join(directory, 'bare');
  const podLogsDirectory = path.join(directory, 'bare-logs');
  await mkdir(rootDirectory, { recursive: true });
  await mkdir(podLogsDirectory, { recursive: true });
  return {
    nodeName: 'bare', rootDirectory, podLogsDirectory, clusterDns: [], clusterDomain: '',
    resolvConf: { servers: ['127.0.0.1'], searches: [], options: [] },
    memoryBytes: 4 * 1024 ** 3, allocatable: { cpuMillis: 2_000, memoryBytes: 4 * 1024 ** 3, ephemeralStorageBytes: 1024 ** 4 },
  };
}

/** Every part is ended even where one cannot be; what stayed is told. */
async function closeWorld(parts: readonly Stoppable[], directory: string): Promise<void> {
  for (const part of [...parts].reverse()) {
    await part.stop().catch((error: unknown) => process.stderr.write(`teardown: ${error instanceof Error ? error.message : String(error)}\n`));
  }
  const mounted = await unmountBelow(directory);
  if (mounted.length > 0) process.stderr.write(`teardown: ${mounted.join('; ')}; ${directory} stays\n`);
  else await rm(directory, { recursive: true, force: true });
}

function expectPart<T>(result: Result<T, PartFault>): T {
  if (result.ok) return result.value;
  throw new Error(partFaultLines(result.fault).join('\n'));
}

const log: LogPort = {
  debug: () => undefined,
  info: () => undefined,
  warn: (event, fields) => process.stderr.write(`${event} ${JSON.stringify(fields ?? {})}\n`),
  error: (event, fields) => process.stderr.write(`${event} ${JSON.stringify(fields ?? {})}\n`),
};
