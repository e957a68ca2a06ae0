// A real containerd for tests: private, with the demo's images, gone with everything afterwards.
// A test that cannot have one skips aloud with the reason; in CI (environment variable CI) it fails instead.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { demoImageSources, importImages } from '../../src/demo/demo-images.ts';
import type { BuiltImage, ImageSource } from '../../src/demo/oci-archive.ts';
import { partFaultLines } from '../../src/demo/part-fault.ts';
import { privateContainerdProblem, startPrivateContainerd, type PrivateContainerd } from '../../src/demo/private-containerd.ts';
import { NodeVolumes } from '../../src/adapters/node-volumes.ts';
import type { LogPort } from '../../src/ports/log-port.ts';

export { busyboxImage, pauseImage } from '../../src/demo/demo-images.ts';

export interface ContainerdFixture {
  readonly containerd: PrivateContainerd;
  /** `unix:///…` */
  readonly endpoint: string;
  /** A temporary directory of this fixture, removed with it: for volumes, logs and root directories. */
  readonly directory: string;
  readonly images: readonly BuiltImage[];
  stop(): Promise<void>;
}

/**
 * Why no real containerd can run here; undefined when one can. For `describe.skipIf(reason)`.
 * @throws in CI, where nothing that matters may skip
 */
export async function containerdProblem(): Promise<string | undefined> {
  const problem = await privateContainerdProblem('/tmp/mqlet-test-000000');
  if (problem !== undefined && process.env['CI'] !== undefined) throw new Error(`real containerd is needed in CI: ${problem}`);
  return problem;
}

/**
 * Starts a private containerd with busybox, pause and the images named. Call in `beforeAll`, and `stop` in `afterAll`.
 * @throws with the fault and containerd's last log lines when it does not start
 */
export async function withContainerd(options: {
  readonly images?: readonly ImageSource[];
  readonly log?: LogPort;
} = {}): Promise<ContainerdFixture> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mqlet-test-'));
  const containerd = await startPrivateContainerd({ directory: path.join(directory, 'c'), log: options.log ?? silentLog });
  if (!containerd.ok) {
    await rm(directory, { recursive: true, force: true });
    throw new Error(partFaultLines(containerd.fault).join('\n'));
  }
  const stop = async (): Promise<void> => {
    await containerd.value.stop();
    // A daemon that has ended leaves its pods' volumes as they are.
    await new NodeVolumes().unmountBelow(directory);
    await rm(directory, { recursive: true, force: true });
  };
  const sources = await demoImageSources();
  const imported = !sources.ok ? sources : await importImages({
    endpoint: containerd.value.endpoint,
    snapshotter: containerd.value.snapshotter,
    directory,
    images: [...sources.value, ...(options.images ?? [])],
  });
  if (!imported.ok) {
    await stop();
    throw new Error(partFaultLines(imported.fault).join('\n'));
  }
  return { containerd: containerd.value, endpoint: containerd.value.endpoint, directory, images: imported.value, stop };
}

const silentLog: LogPort = { debug: () => undefined, info: () => undefined, warn: (event, fields) => console.warn(event, fields), error: (event, fields) => console.error(event, fields) };
