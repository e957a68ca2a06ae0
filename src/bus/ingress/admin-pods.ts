// Pods applied by hand, through the admin API: kept on disk until they are deleted by hand, said to the merge as source `admin`.
// Judges and stores; who may ask is the socket's business.
import { type InputFault, inputFaultLine } from '../../ports/faults.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { type DesiredPod, podFullName, podName, type PodUid } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../../ports/result.ts';
import { parseRfc3339, rfc3339Seconds } from '../../ports/rfc3339.ts';
import type { BusPort, Listening } from '../bus.ts';
import { immutableChange } from './admin-update.ts';
import { decodeManifest } from './decode-pod.ts';
import { onCreate } from './validate-pod.ts';

/** Pods of this source. More are refused. */
export const adminPodsMax = 1_000;
const recordBytesMax = 1_048_576;
const recordMode = 0o600;
const directoryMode = 0o700;
/** Pause before records that could not be read are tried again. Until then nothing is said: what cannot be seen has not gone. */
const loadRetryMs = 5_000;

export interface AdminPodsDeps {
  readonly bus: BusPort;
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  /** Where the records are: `<root>/admin-pods`. Made when it is missing. */
  readonly directory: string;
  readonly nodeName: string;
  /** Who holds a pod's name, whatever its source. */
  readonly holder: (pod: { readonly namespace: string; readonly name: string }) => Pick<DesiredPod, 'source' | 'origin' | 'uid'> | undefined;
}

export interface AppliedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: PodUid;
  readonly result: 'created' | 'configured' | 'unchanged';
}

export interface ApplyOutcome {
  readonly applied: readonly AppliedPod[];
  /** Refusals and warnings, one line each. */
  readonly faults: readonly InputFault[];
}

export interface AdminPods extends Stoppable {
  /** A manifest, as of a file. With `dryRun` all is judged and nothing done. */
  apply(manifest: Uint8Array, options: { readonly dryRun: boolean }): Promise<ApplyOutcome>;
  /**
   * Begins the deletion; the pod goes when its containers have.
   * @param options.graceSeconds the pod's own when absent
   * @returns a line for the person who asked, when this source does not have the pod
   */
  remove(pod: { readonly namespace: string; readonly name: string }, options: { readonly graceSeconds?: number }): Promise<Result<AppliedPod['uid'], string>>;
}

class AdminPodsSource implements AdminPods {
  readonly #deps: AdminPodsDeps;
  readonly #pods = new Map<PodUid, DesiredPod>();
  readonly #listening: Listening;
  /** One change after the other: two requests must not cross on disk. */
  #busy: Promise<unknown>;
  #loaded = false;
  #timer: unknown;
  #stopped = false;

  constructor(deps: AdminPodsDeps) {
    this.#deps = deps;
    this.#listening = deps.bus.on('pod.terminated', ({ payload }) => void this.#queue(() => this.#terminated(payload.pod.uid)));
    this.#busy = this.#load();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#listening.off();
    await this.#busy;
  }

  apply(manifest: Uint8Array, options: { readonly dryRun: boolean }): Promise<ApplyOutcome> {
    return this.#queue(async () => {
      const { pods, faults } = decodeManifest(manifest, { origin: 'admin', source: 'admin', nodeName: this.#deps.nodeName });
      const applied: AppliedPod[] = [];
      const found: InputFault[] = [...faults];
      for (const pod of pods) {
        const outcome = await this.#applyOne(pod, options);
        if (outcome.ok) applied.push(outcome.value);
        else found.push({ origin: podName(pod), message: outcome.fault, severity: 'error' });
      }
      return { applied, faults: found };
    });
  }

  remove(pod: { readonly namespace: string; readonly name: string }, options: { readonly graceSeconds?: number }): Promise<Result<PodUid, string>> {
    return this.#queue(async () => {
      const known = this.#byName(pod);
      if (known === undefined) return fail(`pod ${podName(pod)} was not applied here`);
      return this.#delete(known, options.graceSeconds);
    });
  }

  #queue<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#busy.then(run);
    // A failure belongs to whoever asked; the next one in the queue starts all the same.
    this.#busy = next.catch(() => undefined);
    return next;
  }

  async #load(): Promise<void> {
    const { bus, clock, log, directory } = this.#deps;
    const fault = await this.#readAll();
    if (this.#stopped) return;
    if (fault !== undefined) {
      log.error('admin-pods.unreadable', { directory, fault });
      this.#timer = clock.setTimeout(() => void this.#queue(() => this.#load()), loadRetryMs);
      return;
    }
    this.#loaded = true;
    bus.publish('source.updated', { kind: 'set', source: 'admin', pods: [...this.#pods.values()] });
  }

  /** @returns why not everything could be read */
  async #readAll(): Promise<string | undefined> {
    const { files, directory } = this.#deps;
    const made = await files.makeDirectory(directory, { mode: directoryMode });
    if (!made.ok) return made.fault.message;
    const listed = await files.list(directory);
    if (!listed.ok) return listed.fault.message;
    for (const { name, kind } of listed.value) {
      const fault = kind === 'file' && name.endsWith('.json') ? await this.#read(`${directory}/${name}`) : undefined;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** A record that is damaged is set aside, so that a person can look at it and the next start does not stumble again. */
  async #read(path: string): Promise<string | undefined> {
    const { files, bus, log, nodeName } = this.#deps;
    const content = await files.read(path, { bytesMax: recordBytesMax });
    if (!content.ok) return content.fault.kind === 'not-found' ? undefined : content.fault.message;
    const { pods, faults } = decodeManifest(content.value, { origin: 'admin', source: 'admin', nodeName });
    for (const pod of pods) this.#pods.set(pod.uid, pod);
    if (pods.length > 0) return undefined;
    const copied = await files.writeAtomic(`${path}.damaged`, content.value, { mode: recordMode });
    if (copied.ok) await files.removeFile(path);
    for (const fault of faults.length > 0 ? faults : [{ message: 'holds no pod', severity: 'error' as const }]) {
      const aside: InputFault = { ...fault, origin: path, message: `${fault.message} (set aside as ${path}.damaged)` };
      log.error('admin-pods.damaged', { path, fault: inputFaultLine(aside) });
      bus.publish('input.refused', { fault: aside });
    }
    return undefined;
  }

  async #applyOne(decoded: DesiredPod, { dryRun }: { readonly dryRun: boolean }): Promise<Result<AppliedPod, string>> {
    if (!this.#loaded) return fail(`the pods kept in ${this.#deps.directory} cannot be read; see the log`);
    const known = this.#byName(decoded);
    const refused = this.#refusal(decoded, known);
    if (refused !== undefined) return fail(refused);
    const pod = this.#identify(decoded, known);
    const { namespace, name, uid } = pod;
    if (known !== undefined && sameText(known, pod)) return ok({ namespace, name, uid, result: 'unchanged' });
    const result = known === undefined ? 'created' : 'configured';
    if (dryRun) return ok({ namespace, name, uid, result });
    const stored = await this.#store(pod);
    if (!stored.ok) return stored;
    this.#deps.log.info('admin-pods.applied', { podUid: uid, pod: podName(pod), result });
    this.#deps.bus.publish('source.updated', { kind: 'upsert', source: 'admin', pod });
    return ok({ namespace, name, uid, result });
  }

  #refusal(pod: DesiredPod, known: DesiredPod | undefined): string | undefined {
    if (known !== undefined) {
      if (known.pod.metadata.deletionTimestamp !== undefined) return 'is being deleted; apply it again when it is gone';
      return immutableChange(known.pod.spec, pod.pod.spec);
    }
    if ((pod.pod.spec.ephemeralContainers ?? []).length > 0) return `spec.ephemeralContainers: Forbidden: ${onCreate}`;
    const holder = this.#deps.holder(pod);
    if (holder !== undefined && holder.source !== 'admin') return `the name belongs to a pod from ${holder.origin}; choose another name`;
    return this.#pods.size >= adminPodsMax ? `there are ${adminPodsMax} applied pods already; delete some first` : undefined;
  }

  /** An applied pod keeps its UID through changes, and a new one gets a new one, whatever the manifest says. */
  #identify(pod: DesiredPod, known: DesiredPod | undefined): DesiredPod {
    // From RandomPort in the form of a UID, which is all a UID has to be.
    const uid = known?.uid ?? (this.#deps.random.uuid() as PodUid);
    const creationTimestamp = known?.pod.metadata.creationTimestamp ?? rfc3339Seconds(this.#deps.clock.nowMs());
    const { deletionTimestamp: _time, deletionGracePeriodSeconds: _grace, resourceVersion: _version, ...metadata } = pod.pod.metadata;
    return { ...pod, uid, pod: { ...pod.pod, metadata: { ...metadata, uid, creationTimestamp } } };
  }

  async #delete(known: DesiredPod, graceSeconds: number | undefined): Promise<Result<PodUid, string>> {
    const seconds = graceSeconds ?? known.pod.spec.terminationGracePeriodSeconds ?? 30;
    const { deletionTimestamp, deletionGracePeriodSeconds } = known.pod.metadata;
    // Asked twice: only a shorter grace period changes anything, as in the API.
    if (deletionTimestamp !== undefined && seconds >= (deletionGracePeriodSeconds ?? 0)) return ok(known.uid);
    const startedMs = deletionTimestamp === undefined ? this.#deps.clock.nowMs() : (parseRfc3339(deletionTimestamp) ?? 0) - (deletionGracePeriodSeconds ?? 0) * 1_000;
    const pod: DesiredPod = { ...known, pod: { ...known.pod, metadata: {
      ...known.pod.metadata, deletionTimestamp: rfc3339Seconds(startedMs + seconds * 1_000), deletionGracePeriodSeconds: seconds,
    } } };
    const stored = await this.#store(pod);
    if (!stored.ok) return stored;
    this.#deps.log.info('admin-pods.deleting', { podUid: pod.uid, pod: podName(pod), graceSeconds: seconds });
    this.#deps.bus.publish('source.updated', { kind: 'upsert', source: 'admin', pod });
    return ok(pod.uid);
  }

  /** On disk first: what is said to the merge must survive a restart. */
  async #store(pod: DesiredPod): Promise<Result<void, string>> {
    const { status: _status, ...record } = pod.pod;
    const written = await this.#deps.files.writeAtomic(this.#path(pod.uid), JSON.stringify(record), { mode: recordMode });
    if (!written.ok) return fail(`cannot be stored: ${written.fault.message}`);
    this.#pods.set(pod.uid, pod);
    return ok();
  }

  async #terminated(uid: PodUid): Promise<void> {
    const pod = this.#pods.get(uid);
    // A pod that ended by itself stays, as in the API, until somebody deletes it.
    if (this.#stopped || pod?.pod.metadata.deletionTimestamp === undefined) return;
    const removed = await this.#deps.files.removeFile(this.#path(uid));
    if (!removed.ok) this.#deps.log.error('admin-pods.not-removed', { podUid: uid, fault: removed.fault.message });
    this.#pods.delete(uid);
    this.#deps.bus.publish('source.updated', { kind: 'forget', source: 'admin', uid });
  }

  #byName(pod: { readonly namespace: string; readonly name: string }): DesiredPod | undefined {
    const fullName = podFullName(pod);
    for (const known of this.#pods.values()) if (podFullName(known) === fullName) return known;
    return undefined;
  }

  #path(uid: PodUid): string {
    return `${this.#deps.directory}/${uid}.json`;
  }
}

function sameText(a: DesiredPod, b: DesiredPod): boolean {
  const text = ({ pod: { spec, metadata: { labels, annotations } } }: DesiredPod): string => JSON.stringify([spec, labels ?? {}, annotations ?? {}]);
  return text(a) === text(b);
}

export function startAdminPods(deps: AdminPodsDeps): AdminPods {
  return new AdminPodsSource(deps);
}
