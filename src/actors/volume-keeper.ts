// Brings pods' volumes up before their containers, keeps their content in step with the objects it comes from, and takes the mounts
// away when a pod is gone. It decides nothing of a pod's life: it says what is missing.
import { createHash } from 'node:crypto';
import { containerEnvironment } from '../machines/decide/container-env.ts';
import { hostsFilePath, hostsFileText, takesHostsFile } from '../machines/decide/hosts-file.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { volumeContent } from '../machines/decide/volume-content.ts';
import { emptyDirMode, memoryRoot, nestedMountPoints, podDirectory, podMemoryDirectory, subPathRequests, type VolumeNeed, volumeNeeds } from '../machines/decide/volumes.ts';
import type { FileFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { Container, DesiredPod, PodUid } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { FindToken } from '../ports/service-token.ts';
import type { FindObject } from '../ports/stored-object.ts';
import type { ContentFile, VolumesPort } from '../ports/volumes-port.ts';

/** After a volume that could not be made; doubled from the first to the last. Kubelet's. */
const retryMsFirst = 500;
const retryMsMax = 122_000;
const awaitedRetryMs = 30_000;
const podDirectoryMode = 0o750;
const memoryRootMode = 0o700;
const mountPointMode = 0o755;
const hostsMode = 0o644;
const nodeHostsPath = '/etc/hosts';
const nodeHostsBytesMax = 1024 * 1024;

export interface VolumeKeeperDeps {
  readonly volumes: VolumesPort;
  readonly files: FilesPort;
  readonly objects: FindObject;
  /** Absent: there are no tokens. */
  readonly tokens?: FindToken;
  readonly settings: NodeSettings;
}

export interface VolumeTrouble {
  /** Messages for FailedMount events, one a volume. */
  readonly messages: readonly string[];
  /** What is only waited for. */
  readonly waits: readonly string[];
  /** A volume has never been made: no container may start. */
  readonly blocks: boolean;
  readonly retryInMs: number;
}

export interface Addresses {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
}

/** What is known to have been done for a pod. Empty after a restart of ours: then everything is compared with what is there. */
interface Brought {
  /** What was last written, by volume. */
  readonly volumes: Map<string, string>;
  failures: number;
}

export class VolumeKeeper {
  readonly #deps: VolumeKeeperDeps;
  readonly #brought = new Map<PodUid, Brought>();
  #memoryMounted: Promise<Result<void, FileFault>> | undefined;

  constructor(deps: VolumeKeeperDeps) {
    this.#deps = deps;
  }

  /** Makes what is not there and rewrites what has changed. Of a pod that needs nothing: nothing. */
  async bring(desired: DesiredPod, options: { readonly isNew: boolean }): Promise<VolumeTrouble | undefined> {
    const needs = volumeNeeds(desired, this.#deps.settings);
    if (needs.length === 0) return undefined;
    const { uid } = desired;
    const brought = this.#brought.get(uid) ?? { volumes: new Map(), failures: 0 };
    this.#brought.set(uid, brought);
    const made = await this.#deps.files.makeDirectory(podDirectory(uid, this.#deps.settings), { mode: podDirectoryMode });
    const answers = made.ok ? await Promise.all(needs.map((need) => this.#bringOne(desired, need, brought, options))) : needs.map(() => made);
    const messages: string[] = [];
    const waits: string[] = [];
    let blocks = false;
    for (const [index, answer] of answers.entries()) {
      const name = needs[index]?.volume.name ?? '';
      if (answer.ok) continue;
      const { awaited, told } = { awaited: false, told: true, ...answer.fault };
      (told ? messages : waits).push(`MountVolume.SetUp failed for volume "${name}" : ${answer.fault.message}`);
      // What a pod that has been found running had, it has.
      if (!brought.volumes.has(name) && (options.isNew || !awaited)) blocks = true;
    }
    brought.failures = messages.length === 0 ? 0 : brought.failures + 1;
    if (messages.length + waits.length === 0) return undefined;
    // What is waited for asks for the next look itself.
    const retryInMs = messages.length === 0 ? awaitedRetryMs : retryMsFirst * 2 ** Math.min(20, brought.failures - 1);
    return { messages, waits, blocks, retryInMs: Math.min(retryMsMax, retryInMs) };
  }

  /** Whether nothing is known to stand in the way of the pod's volumes, so that they may come while its sandbox is made. */
  isAtHand(desired: DesiredPod): boolean {
    const { objects, settings } = this.#deps;
    return volumeNeeds(desired, settings).every((need) => {
      if (need.kind === 'content') return volumeContent(need.volume, { desired, objects, settings, withoutLateTokens: false }).ok;
      return need.kind === 'memory' || need.kind === 'directory';
    });
  }

  async #bringOne(desired: DesiredPod, need: VolumeNeed, brought: Brought, { isNew }: { readonly isNew: boolean }): Promise<Result<unknown, { readonly message: string; readonly awaited?: boolean; readonly told?: boolean }>> {
    const { volumes, objects, tokens, settings } = this.#deps;
    const { name } = need.volume;
    if (need.kind === 'content') {
      const files = volumeContent(need.volume, { desired, objects, settings, withoutLateTokens: isNew, ...(tokens === undefined ? {} : { tokens }) });
      return files.ok ? this.#write(desired, need, files.value, brought) : files;
    }
    if (need.kind === 'impossible') return fail({ message: need.message });
    if (brought.volumes.has(name)) return ok();
    const done = need.kind === 'hostPath' ? await volumes.checkHostPath(need.path, need.type)
      : need.kind === 'hugePages' ? await volumes.mountHugePages(need.path, { mode: emptyDirMode, pageBytes: need.pageBytes, sizeBytes: need.sizeBytes })
      : need.kind === 'memory' ? await volumes.mountMemory(need.path, { mode: emptyDirMode, sizeBytes: need.sizeBytes })
        : await this.#deps.files.makeDirectory(need.path, { mode: emptyDirMode });
    const given = done.ok && need.kind !== 'hostPath' ? await this.#giveToGroup(desired, need.path, isNew) : done;
    if (given.ok) brought.volumes.set(name, need.kind);
    return given;
  }

  #giveToGroup(desired: DesiredPod, path: string, isNew: boolean): Promise<Result<void, FileFault>> {
    const { fsGroup, fsGroupChangePolicy } = desired.pod.spec.securityContext ?? {};
    if (fsGroup === undefined) return Promise.resolve(ok());
    // A pod found running has had its turn.
    const unless = isNew && fsGroupChangePolicy !== 'OnRootMismatch' ? 'never' : 'root matches';
    return this.#deps.volumes.giveToGroup(path, { gid: fsGroup, unless });
  }

  async #write(desired: DesiredPod, need: VolumeNeed & { kind: 'content' }, files: readonly ContentFile[], brought: Brought): Promise<Result<unknown, FileFault>> {
    const fingerprint = fingerprintOf(files);
    if (brought.volumes.get(need.volume.name) === fingerprint) return ok();
    if (need.inMemory) {
      const mounted = await this.#mountMemory();
      if (!mounted.ok) return mounted;
    }
    const gid = desired.pod.spec.securityContext?.fsGroup;
    const written = await this.#deps.volumes.writeContent(need.path, files, gid === undefined ? {} : { gid });
    if (!written.ok) return written;
    const nested = await this.#makeMountPoints(desired, need, files);
    if (nested.ok) brought.volumes.set(need.volume.name, fingerprint);
    return nested;
  }

  async #makeMountPoints(desired: DesiredPod, need: VolumeNeed & { kind: 'content' }, files: readonly ContentFile[]): Promise<Result<void, FileFault>> {
    for (const place of nestedMountPoints(desired, need.volume.name)) {
      // What a file of the volume is called is there already.
      if (files.some(({ path }) => path.split('/')[0] === place.split('/')[0])) continue;
      const made = await this.#deps.files.makeDirectory(`${need.path}/${place}`, { mode: mountPointMode });
      if (!made.ok) return made;
    }
    return ok();
  }

  /** Once while the process runs: nobody takes it away. */
  async #mountMemory(): Promise<Result<void, FileFault>> {
    this.#memoryMounted ??= this.#deps.volumes.mountMemory(memoryRoot(this.#deps.settings), { mode: memoryRootMode });
    const mounted = await this.#memoryMounted;
    if (!mounted.ok) this.#memoryMounted = undefined;
    return mounted;
  }

  /** @returns the hosts file to mount, if any; the fault is a message for the container's waiting state */
  async prepare(desired: DesiredPod, container: Container, addresses: Addresses): Promise<Result<{ readonly hostsFile: string | undefined }, string>> {
    const bound = await this.#bindSubPaths(desired, container, addresses);
    return bound.ok ? this.#writeHosts(desired, container, addresses) : bound;
  }

  async #bindSubPaths(desired: DesiredPod, container: Container, { podIps, hostIps }: Addresses): Promise<Result<void, string>> {
    const { volumes, objects, settings } = this.#deps;
    const mounts = container.volumeMounts ?? [];
    if (!mounts.some(({ subPath, subPathExpr }) => Boolean(subPath) || Boolean(subPathExpr))) return ok();
    const environment = containerEnvironment(container, { desired, podIps, hostIps, settings, objects });
    if (!environment.ok) return environment;
    const requests = subPathRequests(desired, container, settings, (name) => environment.value.get(name));
    if (!requests.ok) return requests;
    for (const request of requests.value) {
      const bound = await volumes.bindSubPath(request);
      // The cause names places of the node: it stays out of what the pod's owner reads.
      if (!bound.ok) return fail(`failed to prepare subPath for volumeMount "${request.volume}" of container "${container.name}"`);
    }
    return ok();
  }

  async #writeHosts(desired: DesiredPod, container: Container, { podIps }: Addresses): Promise<Result<{ readonly hostsFile: string | undefined }, string>> {
    const { volumes, files, settings } = this.#deps;
    const { hostNetwork } = desired.pod.spec;
    if (!takesHostsFile(container) || (hostNetwork !== true && podIps.length === 0)) return ok({ hostsFile: undefined });
    const read = hostNetwork === true ? await files.read(nodeHostsPath, { bytesMax: nodeHostsBytesMax }) : undefined;
    const nodeHosts = read?.ok === true ? new TextDecoder().decode(read.value) : '';
    const hostsFile = hostsFilePath(desired.uid, settings);
    const written = await volumes.writeInPlace(hostsFile, hostsFileText(desired, { podIps, nodeHosts, settings }), { mode: hostsMode });
    return written.ok ? ok({ hostsFile }) : fail(`failed to write the hosts file: ${written.fault.message}`);
  }

  /** Before a pod's directory is removed. Also for pods of which nothing but the UID is known. */
  async release(uid: PodUid): Promise<Result<void, FileFault>> {
    const { volumes, files, settings } = this.#deps;
    this.#brought.delete(uid);
    const unmounted = await volumes.unmountBelow(podDirectory(uid, settings));
    return unmounted.ok ? files.removeTree(podMemoryDirectory(uid, settings)) : unmounted;
  }
}

/** Whether anything of the pod may be mounted on the node, so that it has to be released. */
export function mayHaveMounts({ pod: { spec } }: DesiredPod): boolean {
  return spec.volumes !== undefined && spec.volumes.length > 0;
}

function fingerprintOf(files: readonly ContentFile[]): string {
  const hash = createHash('sha256');
  for (const { path, content, mode } of files) hash.update(`${path.length} ${path} ${mode} ${content.byteLength} `).update(content);
  return hash.digest('base64');
}
