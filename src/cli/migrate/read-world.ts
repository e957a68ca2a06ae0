// What of the other agent's world lies on disk and in the runtime: manifests, cache files, running pods. Only reads.
import { connectCri } from '../../adapters/cri/cri-client.ts';
import { NodeFiles } from '../../adapters/node-files.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { manifestBytesMax } from '../../bus/ingress/decode-pod.ts';
import { isManifestName } from '../../bus/ingress/manifest-names.ts';
import type { LiteCacheFile } from '../../migrate/lite-cache.ts';
import type { RunningWorld } from '../../migrate/take-over.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { Refusal } from '../refusal.ts';

const filesMax = 1_000;
const callTimeoutMs = 10_000;
const silent: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** @param place a directory or one file; empty is none. @throws Refusal for what is there and cannot be read */
export async function manifestFiles(place: string): Promise<readonly NamedText[]> {
  if (place === '') return [];
  const files = new NodeFiles();
  const listed = await files.list(place);
  if (listed.ok) return textsIn(files, place, listed.value.filter(({ kind, name }) => kind === 'file' && isManifestName(name)).map(({ name }) => name));
  const slash = place.lastIndexOf('/');
  return listed.fault.kind === 'not-found' ? [] : textsIn(files, place.slice(0, slash), [place.slice(slash + 1)]);
}

/** Absent folders are empty ones. @throws Refusal */
export async function liteCacheFiles(directory: string): Promise<readonly LiteCacheFile[]> {
  const files = new NodeFiles();
  const found: LiteCacheFile[] = [];
  for (const kind of ['pods', 'secrets'] as const) {
    const folder = `${directory}/${kind}`;
    const listed = await files.list(folder);
    const names = listed.ok ? listed.value.filter((entry) => entry.kind === 'file' && entry.name.endsWith('.yaml') && !entry.name.startsWith('.')).map(({ name }) => name) : [];
    for (const { name, text } of await textsIn(files, folder, names)) found.push({ kind, path: `${folder}/${name}`, text });
  }
  return found;
}

async function textsIn(files: NodeFiles, directory: string, names: readonly string[]): Promise<readonly NamedText[]> {
  const texts: NamedText[] = [];
  for (const name of names.slice(0, filesMax)) {
    const read = await files.read(`${directory}/${name}`, { bytesMax: manifestBytesMax });
    if (!read.ok) throw new Refusal(`${directory}/${name}: ${read.fault.message}`);
    texts.push({ name, text: new TextDecoder().decode(read.value) });
  }
  return texts;
}

/** Pods with a kubelet's labels. The fault is a line for people. */
export async function runningWorld(endpoint: string): Promise<Result<RunningWorld, string>> {
  const { runtime, close } = connectCri({ endpoint, clock: new SystemClock(), log: silent, callTimeoutMs });
  try {
    const [sandboxes, listed] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()]);
    if (!sandboxes.ok) return fail(`${endpoint}: ${sandboxes.fault.message}`);
    if (!listed.ok) return fail(`${endpoint}: ${listed.fault.message}`);
    const containers: ObservedContainer[] = [];
    for (const { id } of listed.value.filter(({ state }) => state === 'running')) {
      const status = await runtime.containerStatus(id);
      // One that ends while we look is none that runs.
      if (status.ok) containers.push(status.value);
    }
    return ok({ sandboxes: sandboxes.value, containers });
  } finally {
    await close();
  }
}
