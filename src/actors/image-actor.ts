// Sees to it that images are there: one pull per image however many pods want it, a limited number at once, back-off per pod and image.
import type { BusPort } from '../bus/bus.ts';
import type { ImageOutcome, Messages } from '../bus/messages.ts';
import { type Backoff, backoffResetAfterMs, decideBackoff } from '../machines/decide/backoff.ts';
import { credentialsFor, pullSecretCredentials, type RegistryCredential } from '../machines/decide/registry-credentials.ts';
import { goDuration } from '../machines/decide/go-duration.ts';
import { imageWithTag } from '../machines/decide/image-name.ts';
import type { PullFacts } from '../machines/decide/why/facts.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { PodUid } from '../ports/pod-types.ts';
import type { Result, Stoppable } from '../ports/result.ts';
import type { ImageFacts, ImagesPort } from '../ports/runtime-port.ts';
import { objectKey, type FindObject } from '../ports/stored-object.ts';
import { PullQueue, type PullRights } from './pull-queue.ts';

type Request = Messages['image.requested'];

interface FailedPull {
  readonly pod: PodUid;
  readonly container: string;
  readonly image: string;
  readonly backoff: Backoff;
  readonly failedAtMs: number;
  readonly message: string;
}

export interface ImageActorDeps {
  readonly bus: BusPort;
  readonly images: ImagesPort;
  /** Holds the pull secrets. */
  readonly objects: FindObject;
  readonly clock: ClockPort;
  /** Pulls under way at once; what comes on top waits in order. */
  readonly pullsMax: number;
  /** A pull without progress for so long is ended. */
  readonly progressDeadlineMs: number;
}

interface Pending {
  readonly request: Request;
  readonly controller: AbortController;
  /** Set while it wants a pull. */
  pull?: { readonly image: string; readonly rights: PullRights; readonly sinceMs: number };
}

export interface ImageActorHandle extends Stoppable {
  /** The pod's images that are pulled, wait for their turn, or failed. Asking changes nothing. */
  pullsOf(uid: PodUid): readonly PullFacts[];
}

/** Failed pulls remembered; the oldest is forgotten first, which lets its next pull come sooner. */
const failedPullsMax = 1_000;

class ImageActor implements ImageActorHandle {
  readonly #deps: ImageActorDeps;
  readonly #pulls: PullQueue;
  readonly #failed = new Map<string, FailedPull>();
  /** Those not answered yet, by their ID. */
  readonly #requests = new Map<string, Pending>();
  #stopped = false;

  constructor(deps: ImageActorDeps) {
    this.#deps = deps;
    this.#pulls = new PullQueue(deps);
    deps.bus.on('image.unwanted', ({ payload }) => this.#requests.get(payload.requestId)?.controller.abort());
    deps.bus.on('image.requested', ({ payload, seq }) => void this.#serve(payload, seq));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pulls.stop();
  }

  pullsOf(uid: PodUid): readonly PullFacts[] {
    const { clock, pullsMax, progressDeadlineMs } = this.#deps;
    const toWallMs = clock.nowMs() - clock.monotonicMs();
    const common = { pullsMax, progressDeadlineMs, message: '', notBeforeMs: 0 };
    const facts: PullFacts[] = [];
    for (const { request: { pod, container, image }, pull } of this.#requests.values()) {
      if (pod.uid !== uid || pull === undefined) continue;
      const beganMs = this.#pulls.beganMs(pull.image, pull.rights);
      facts.push({ ...common, container, image, phase: beganMs === undefined ? 'waiting' : 'pulling', sinceMs: toWallMs + (beganMs ?? pull.sinceMs) });
    }
    for (const { pod, container, image, backoff, failedAtMs, message } of this.#failed.values()) {
      if (pod !== uid || facts.some((each) => each.container === container)) continue;
      facts.push({ ...common, container, image, phase: 'failed', sinceMs: failedAtMs, message, notBeforeMs: failedAtMs + backoff.delayMs });
    }
    return facts;
  }

  async #serve(request: Request, cause: number): Promise<void> {
    const controller = new AbortController();
    const pending: Pending = { request, controller };
    this.#requests.set(request.requestId, pending);
    const outcome = await this.#ensure(pending);
    this.#requests.delete(request.requestId);
    if (this.#stopped || controller.signal.aborted) return;
    if (outcome.kind === 'failed') this.#note(request, 'Warning', 'Failed', `Error: ${outcome.reason}`);
    this.#deps.bus.publish('image.resolved', { requestId: request.requestId, image: request.image, outcome }, { key: request.pod.uid, cause });
  }

  async #ensure(pending: Pending): Promise<ImageOutcome> {
    const { request } = pending;
    const image = imageWithTag(request.image);
    if (!image.ok) {
      this.#note(request, 'Warning', 'InspectFailed', `Failed to apply default image tag "${request.image}": ${image.fault}`);
      return { kind: 'failed', reason: 'InvalidImageName', message: `Failed to apply default image tag "${request.image}": ${image.fault}` };
    }
    if (request.policy !== 'Always') {
      const status = await this.#deps.images.status(image.value);
      if (!status.ok) {
        this.#note(request, 'Warning', 'InspectFailed', `Failed to inspect image "${request.image}": ${status.fault.message}`);
        return { kind: 'failed', reason: 'ImageInspectError', message: `Failed to inspect image "${request.image}": ${status.fault.message}` };
      }
      if (status.value !== undefined) {
        this.#note(request, 'Normal', 'Pulled', `Container image "${request.image}" already present on machine`);
        return present(status.value);
      }
      if (request.policy === 'Never') {
        const message = `Container image "${request.image}" is not present with pull policy of Never`;
        this.#note(request, 'Warning', 'ErrImageNeverPull', message);
        return { kind: 'failed', reason: 'ErrImageNeverPull', message };
      }
    }
    return this.#pull(pending, image.value);
  }

  async #pull(pending: Pending, image: string): Promise<ImageOutcome> {
    const { request, controller: { signal } } = pending;
    const { clock } = this.#deps;
    const key = `${request.pod.uid}/${request.image}`;
    const failed = this.#failed.get(key);
    const decision = failed && decideBackoff(failed.backoff, failed.failedAtMs, clock.nowMs());
    if (failed !== undefined && decision?.kind === 'wait') {
      this.#note(request, 'Normal', 'BackOff', `Back-off pulling image "${request.image}"`);
      return { kind: 'failed', reason: 'ImagePullBackOff', message: `Back-off pulling image "${request.image}": ErrImagePull: ${failed.message}` };
    }
    const startedAtMs = clock.monotonicMs();
    this.#note(request, 'Normal', 'Pulling', `Pulling image "${request.image}"`);
    const rights = this.#rights(request, image);
    pending.pull = { image, rights, sinceMs: startedAtMs };
    const { result: pulled, tookMs } = await this.#pulls.pull(image, rights, signal);
    // Whoever asked hears nothing any more, and the image is not to blame.
    if (!pulled.ok && signal.aborted) return { kind: 'failed', reason: 'ErrImagePull', message: pulled.fault.message };
    const ranBefore = pulled.ok ? undefined : await this.#asRunBefore(request, image, pulled.fault);
    if (ranBefore !== undefined) return ranBefore;
    if (!pulled.ok) {
      const backoff = decision?.kind === 'attempt' ? decision.next : firstBackoff(clock.nowMs());
      this.#remember(key, { pod: request.pod.uid, container: request.container, image: request.image, backoff, failedAtMs: clock.nowMs(), message: pulled.fault.message });
      this.#note(request, 'Warning', 'Failed', `Failed to pull image "${request.image}": ${pulled.fault.message}`);
      return { kind: 'failed', reason: pullReason(pulled.fault.message), message: pulled.fault.message };
    }
    this.#failed.delete(key);
    const facts = await this.#facts(image, pulled.value);
    const withWaitMs = clock.monotonicMs() - startedAtMs;
    const size = facts.ok && facts.value !== undefined ? ` Image size: ${facts.value.sizeBytes} bytes.` : '';
    this.#note(request, 'Normal', 'Pulled', `Successfully pulled image "${request.image}" in ${goDuration(tookMs)} (${goDuration(withWaitMs)} including waiting).${size}`);
    return facts.ok && facts.value !== undefined ? present(facts.value) : { kind: 'present', imageRef: pulled.value };
  }

  /** Where the registry cannot be reached, a container may run from the very image it ran from before. See decision 13. */
  async #asRunBefore(request: Request, image: string, fault: RuntimeFault): Promise<ImageOutcome | undefined> {
    if (request.ranFrom === '' || isRegistrysNo(fault)) return undefined;
    const local = await this.#deps.images.status(image);
    if (!local.ok || local.value === undefined) return undefined;
    const { id, repoDigests } = local.value;
    if (id !== request.ranFrom && !repoDigests.includes(request.ranFrom)) return undefined;
    this.#note(request, 'Warning', 'Pulled', `Container image "${request.image}" already present on machine; it was run before and cannot be pulled now: ${fault.message}`);
    return present(local.value);
  }

  /** The credentials of the pod's secrets that fit the image. A secret that is missing is told; the pull is tried all the same. */
  #rights(request: Request, image: string): PullRights {
    const missing: string[] = [];
    const used: string[] = [];
    const known: RegistryCredential[] = [];
    for (const name of request.pullSecrets) {
      const reference = { kind: 'Secret' as const, namespace: request.pod.namespace, name };
      const secret = this.#deps.objects(reference);
      const credentials = secret && pullSecretCredentials(secret.type, (key) => secret.data.get(key));
      if (secret === undefined || credentials === undefined) missing.push(name);
      else {
        used.push(`${objectKey(reference)} ${secret.uid} ${secret.version}`);
        known.push(...credentials);
      }
    }
    if (missing.length > 0) {
      const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
      this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: request.pod }, type: 'Warning', reason: 'FailedToRetrieveImagePullSecret', message });
    }
    const auths = credentialsFor(image, known);
    return { auths, origin: auths.length === 0 ? '' : used.join(', ') };
  }

  /** The user of the image is only in its status. */
  async #facts(image: string, reference: string): Promise<Result<ImageFacts | undefined, RuntimeFault>> {
    const byReference = await this.#deps.images.status(reference);
    return byReference.ok && byReference.value !== undefined ? byReference : this.#deps.images.status(image);
  }

  #remember(key: string, failed: FailedPull): void {
    this.#failed.delete(key);
    this.#failed.set(key, failed);
    const staleBeforeMs = failed.failedAtMs - backoffResetAfterMs;
    for (const [oldKey, old] of this.#failed) {
      if (this.#failed.size <= failedPullsMax && old.failedAtMs >= staleBeforeMs) break;
      this.#failed.delete(oldKey);
    }
  }

  #note(request: Request, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#stopped) return;
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: request.pod, fieldPath: request.fieldPath }, type, reason, message });
  }
}

function present(facts: ImageFacts): ImageOutcome {
  return {
    kind: 'present',
    imageRef: facts.id,
    ...(facts.uid === undefined ? {} : { uid: facts.uid }),
    ...(facts.username === undefined ? {} : { username: facts.username }),
  };
}

function firstBackoff(nowMs: number): Backoff {
  const first = decideBackoff(undefined, nowMs, nowMs);
  return first.kind === 'attempt' ? first.next : { delayMs: first.delayMs, attemptedAtMs: nowMs };
}

/** Runtimes announce two special failures by the first word of their text; CRI has no code for them. */
function pullReason(message: string): string {
  if (message.includes('RegistryUnavailable')) return 'RegistryUnavailable';
  if (message.includes('SignatureValidationFailed')) return 'SignatureValidationFailed';
  return 'ErrImagePull';
}

/** Whether the registry was reached and refused. Runtimes have no code for a refused login. */
function isRegistrysNo(fault: RuntimeFault): boolean {
  if (fault.kind === 'not-found') return true;
  return fault.kind === 'rejected' && (fault.grpcCode !== 2 || /authoriz|authenticat|access denied|forbidden/i.test(fault.message));
}

export function startImageActor(deps: ImageActorDeps): ImageActorHandle {
  return new ImageActor(deps);
}
