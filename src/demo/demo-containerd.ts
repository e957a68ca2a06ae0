// The containerd of a demo: the one that runs on this machine where it may be used, else a private one.
// An agent removes pods that nobody asked it for, so a containerd with pods of somebody else is never used.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { connectCri, type CriConnection } from '../adapters/cri/cri-client.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { runCommand } from './child-process.ts';
import { criProblem } from './cri-probe.ts';
import { demoImageSources, importedImageNames, importImages, removeImages } from './demo-images.ts';
import type { BuiltImage } from './oci-archive.ts';
import type { PartFault } from './part-fault.ts';
import { startPrivateContainerd } from './private-containerd.ts';

const hostSocket = '/run/containerd/containerd.sock';
const callMsMax = 10_000;

export interface DemoContainerd extends Stoppable {
  readonly endpoint: string;
  readonly kind: 'private' | 'host';
  /** Below which the agent makes cgroups; undefined where it is to make none, as beside a host's runtime, where nothing may stay. */
  readonly cgroupRoot: string | undefined;
  readonly logPath: string | undefined;
  /** Images that came with the demo into a containerd of the host, and go with it. */
  readonly broughtImages: readonly BuiltImage[];
  /** One line for the person who looks: which one, and why. */
  readonly description: string;
}

interface DemoContainerdOptions {
  /** For the private one, short. */
  readonly directory: string;
  /** Where the agent keeps its pods, `<root-dir>/pods/<uid>`: what a stop removes from a containerd of the host. */
  readonly podsDirectory: string;
  readonly neverHost: boolean;
  readonly clock: ClockPort;
  readonly log: LogPort;
}

/** Has a containerd with the demo's images ready. */
export async function haveContainerd(options: DemoContainerdOptions): Promise<Result<DemoContainerd, PartFault>> {
  const refusal = options.neverHost ? 'asked for with --private-containerd' : await hostRefusal(options);
  return refusal === undefined ? useHost(options) : usePrivate(options, refusal);
}

async function usePrivate(options: DemoContainerdOptions, refusal: string): Promise<Result<DemoContainerd, PartFault>> {
  const containerd = await startPrivateContainerd({ directory: options.directory, log: options.log });
  if (!containerd.ok) return containerd;
  const { endpoint, snapshotter, logPath, cgroupRoot } = containerd.value;
  const imported = await importDemoImages({ endpoint, snapshotter, directory: options.directory });
  if (!imported.ok) {
    await containerd.value.stop();
    return imported;
  }
  return ok({
    endpoint, logPath, cgroupRoot, kind: 'private', broughtImages: [], description: `a private one: ${refusal}`, stop: () => containerd.value.stop(),
  });
}

async function useHost(options: DemoContainerdOptions): Promise<Result<DemoContainerd, PartFault>> {
  const endpoint = `unix://${hostSocket}`;
  const before = await importedImageNames(endpoint);
  const settings = await hostSettings();
  const imported = await importDemoImages({ endpoint, snapshotter: settings.snapshotter, directory: options.directory });
  if (!imported.ok) return imported;
  const broughtImages = imported.value.filter((image) => !before.has(image.name));
  return ok({
    endpoint, kind: 'host', cgroupRoot: undefined, logPath: undefined, broughtImages, description: `the one running on this machine, ${hostSocket}`,
    stop: async () => {
      await removeHostPods({ endpoint, podsDirectory: options.podsDirectory, clock: options.clock, log: options.log });
      await removeImages(endpoint, broughtImages);
    },
  });
}

async function importDemoImages(options: { readonly endpoint: string; readonly snapshotter: string; readonly directory: string }) {
  const sources = await demoImageSources();
  return sources.ok ? importImages({ ...options, images: sources.value }) : fail(sources.fault);
}

/** Why the containerd of this machine is not used, in one line; undefined when it is. */
async function hostRefusal(options: DemoContainerdOptions): Promise<string | undefined> {
  if (!existsSync(hostSocket)) return `none is running at ${hostSocket}`;
  const endpoint = `unix://${hostSocket}`;
  const problem = await criProblem(endpoint);
  if (problem !== undefined) return `the running one does not answer CRI v1 (${problem})`;
  const cri = connect(endpoint, options);
  try {
    const conditions = await cri.runtime.status();
    const unready = conditions.ok ? conditions.value.find((condition) => !condition.status) : undefined;
    if (!conditions.ok) return `the running one does not tell its status (${conditions.fault.message})`;
    if (unready !== undefined) return `${unready.type} is false in the running one (${unready.message})`;
    const sandboxes = await cri.runtime.listSandboxes();
    if (!sandboxes.ok || sandboxes.value.length > 0) return 'the running one has pods of somebody else';
    const { sandboxImage } = await hostSettings();
    const image = await cri.images.status(sandboxImage);
    if (!image.ok || image.value === undefined) return `the running one lacks its sandbox image ${sandboxImage}`;
    return undefined;
  } finally {
    await cri.close();
  }
}

/** What the host's containerd is configured to; the defaults of containerd 1.6 where it does not say. */
async function hostSettings(): Promise<{ readonly snapshotter: string; readonly sandboxImage: string }> {
  const { stdout } = await runCommand('containerd', ['config', 'dump']);
  const setting = (name: RegExp): string | undefined => name.exec(stdout)?.[1];
  return {
    snapshotter: setting(/^\s*snapshotter\s*=\s*["']([^"']+)["']/m) ?? 'overlayfs',
    sandboxImage: setting(/^\s*sandbox(?:_image)?\s*=\s*["']([^"']+)["']/m) ?? 'registry.k8s.io/pause:3.6',
  };
}

/** Removes the sandboxes of the pods the demo's agent had, where the agent could not do it. */
export async function removeHostPods(options: {
  readonly endpoint: string;
  readonly podsDirectory: string;
  readonly clock: ClockPort;
  readonly log: LogPort;
}): Promise<void> {
  const uids = await readdir(options.podsDirectory).catch(() => []);
  if (uids.length === 0) return;
  const cri = connect(options.endpoint, options);
  for (const uid of uids) {
    // The names of these directories are pod UIDs: the agent wrote them.
    const sandboxes = await cri.runtime.listSandboxes({ podUid: uid as PodUid });
    for (const sandbox of sandboxes.ok ? sandboxes.value : []) {
      await cri.runtime.stopSandbox(sandbox.id);
      await cri.runtime.removeSandbox(sandbox.id);
      options.log.warn('demo.removed-sandbox', { podUid: uid, sandbox: sandbox.id });
    }
  }
  await cri.close();
}

function connect(endpoint: string, options: { readonly clock: ClockPort; readonly log: LogPort }): CriConnection {
  return connectCri({ endpoint, clock: options.clock, log: options.log, callTimeoutMs: callMsMax });
}
