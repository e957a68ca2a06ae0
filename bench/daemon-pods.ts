// Pods of the daemon from publication to their end, with every moment that can be seen from outside.
import type { PodUid, SandboxId } from '../src/ports/pod-types.ts';
import { expectOk } from './bare-calls.ts';
import { benchObjects, benchPod } from './bench-pods.ts';
import type { BenchDaemon } from './daemon.ts';
import type { PodShape } from './options.ts';
import { bounded } from './pod-journal.ts';
import type { World } from './world.ts';

export interface DaemonPod {
  readonly name: string;
  readonly uid: PodUid;
  readonly containerId: string;
  readonly publishedAtMs: number;
  /** The first status Running at the broker: without what probes have to wait for. */
  readonly runningReportedAtMs: number;
  /** Running and Ready at the broker. */
  readonly reportedAtMs: number;
  /** By containerd's own stamp. */
  readonly runningAtMs: number;
  readonly gone: Promise<number>;
}

let made = 0;

/** Publishes so many pods at once and waits until all are reported. */
export async function startDaemonPods(world: World, daemon: BenchDaemon, count: number, shape: PodShape = 'plain'): Promise<readonly DaemonPod[]> {
  const pods = Array.from({ length: count }, () => benchPod(`pod-${++made}`, daemon.nodeName, shape));
  const expected = pods.map((pod) => {
    const name = pod.metadata.name ?? '';
    return { pod, name, ...daemon.journal.expect(name) };
  });
  const published = expected.map((each) => ({ ...each, publishedAtMs: daemon.cloud.apply(each.pod, benchObjects(each.name, shape)) }));
  return Promise.all(published.map(async ({ pod, name, ready, gone, publishedAtMs }) => {
    const { atMs, runningAtMs: runningReportedAtMs, containerId } = await ready;
    const runningAtMs = await world.observer.moment('started', containerId);
    // Our own pods have the UID we gave them.
    return { name, uid: pod.metadata.uid as PodUid, containerId, publishedAtMs, runningReportedAtMs, reportedAtMs: atMs, runningAtMs, gone };
  }));
}

export async function sandboxOf(world: World, pod: { readonly uid: PodUid }): Promise<SandboxId> {
  const [sandbox] = expectOk(await world.cri.runtime.listSandboxes({ podUid: pod.uid }));
  if (sandbox === undefined) throw new Error(`the runtime has no sandbox of ${pod.uid}`);
  return sandbox.id;
}

export interface EndedPod {
  readonly requestedAtMs: number;
  /** By containerd's stamps: the process of the container, that of the sandbox, the sandbox's record. */
  readonly containerExitedAtMs: number;
  readonly sandboxExitedAtMs: number;
  readonly sandboxRemovedAtMs: number;
  /** The last API write: deletion of the object. */
  readonly reportedAtMs: number;
}

/** Deletes pods at once and waits until the objects and the sandboxes are gone. */
export async function endDaemonPods(
  world: World, daemon: BenchDaemon, pods: readonly DaemonPod[], options: { readonly graceSeconds: number },
): Promise<readonly EndedPod[]> {
  const sandboxes = await Promise.all(pods.map((pod) => sandboxOf(world, pod)));
  const requested = pods.map((pod) => daemon.cloud.requestDeletion(pod.name, options.graceSeconds));
  return Promise.all(pods.map(async (pod, index) => {
    const sandbox = sandboxes[index] ?? '';
    return {
      requestedAtMs: requested[index] ?? 0,
      containerExitedAtMs: await world.observer.moment('exited', pod.containerId),
      sandboxExitedAtMs: await world.observer.moment('exited', sandbox),
      sandboxRemovedAtMs: await world.observer.moment('deleted', sandbox),
      reportedAtMs: await bounded(`deletion of ${pod.name}`, pod.gone),
    };
  }));
}
