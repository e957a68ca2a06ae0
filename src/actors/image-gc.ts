// Removes images that nobody uses when their file system fills up, when they have been unused for too long, or when somebody asks.
// Looks at its own slow pace; decides nothing itself (decide/image-gc.ts), and never touches an image that a pod may need.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import type { PodOperation } from '../bus/source-update.ts';
import {
  type ImageGcPolicy, type ImageRecord, type ImageRecords, imagesInUse, isNamed, judgeImageSpace, outdatedImages, removableImages, seenImages,
  unusedImages,
} from '../machines/decide/image-gc.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { DiskPort, DiskSpace } from '../ports/disk-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';
import { type GarbagePass, GarbageRounds } from './garbage-rounds.ts';

/** Between two looks, and so between two passes. */
export const imageGcPeriodMs = 300_000;

export interface ImageGcDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly runtime: Pick<RuntimePort, 'listContainers'>;
  readonly images: Pick<ImagesPort, 'list' | 'remove' | 'fsInfo'>;
  readonly disk: DiskPort;
  readonly policy: ImageGcPolicy;
}

type Why = Messages['garbage.removed']['why'];

class ImageGc implements Stoppable {
  readonly #deps: ImageGcDeps;
  readonly #listenings: Listening[];
  /** Images of pods that are wanted, as their specifications write them. */
  readonly #ofPods = new Map<PodUid, readonly string[]>();
  /** Of the list of the cloud side, whatever pods there are. */
  #wanted: readonly string[] = [];
  readonly #startedMs: number;
  readonly #rounds: GarbageRounds;
  #records: ImageRecords = new Map();
  /** Passes that failed in a row: the first may be the runtime's first moments. */
  #failures = 0;

  constructor(deps: ImageGcDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.monotonicMs();
    this.#listenings = [
      deps.bus.on('pods.changed', ({ payload }) => this.#podsChanged(payload)),
      deps.bus.on('images.prefetch', ({ payload }) => { this.#wanted = payload.wanted; }),
      deps.bus.on('pod.forgotten', ({ payload }) => { this.#ofPods.delete(payload.pod.uid); }),
    ];
    this.#rounds = new GarbageRounds({
      bus: deps.bus, clock: deps.clock, what: 'images', periodMs: imageGcPeriodMs,
      pass: (pass) => this.#pass(pass), over: (_, trouble) => this.#over(trouble),
    });
  }

  async stop(): Promise<void> {
    this.#rounds.stop();
    for (const listening of this.#listenings) listening.off();
  }

  #podsChanged({ op, pods }: PodOperation): void {
    // One that is removed may still be running: it is forgotten when it is over.
    if (op === 'REMOVE') return;
    for (const { uid, pod: { spec } } of pods) {
      const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
      this.#ofPods.set(uid, containers.flatMap(({ image }) => (image === undefined ? [] : [image])));
    }
  }

  async #pass(pass: GarbagePass): Promise<void> {
    const { clock, policy } = this.#deps;
    const looked = await this.#look();
    if (!looked.ok) return void pass.troubles.push(looked.fault);
    const nowMs = clock.monotonicMs();
    if (pass.isAsked) return this.#remove(pass, removableImages(looked.value, nowMs, policy), 'request', Infinity);
    const outdated = outdatedImages(looked.value, nowMs, nowMs - this.#startedMs, policy);
    await this.#remove(pass, outdated, 'age', Infinity);
    if (policy.highPercent >= 100) return;
    const left = looked.value.filter((image) => !outdated.includes(image));
    await this.#makeRoom(pass, left, nowMs);
  }

  async #makeRoom(pass: GarbagePass, unused: readonly ImageRecord[], nowMs: number): Promise<void> {
    const { log, policy } = this.#deps;
    const space = await this.#space();
    if (!space.ok) return void pass.troubles.push(space.fault);
    const verdict = judgeImageSpace(space.value, policy);
    if (verdict.kind === 'unknown') {
      const text = 'invalid capacity 0 on image filesystem';
      this.#note('InvalidDiskCapacity', text);
      pass.troubles.push(text);
    }
    if (verdict.kind !== 'short') return;
    log.info('image-gc.short', { usedPercent: verdict.usedPercent, wantedBytes: verdict.wantedBytes });
    const before = pass.freedBytes;
    await this.#remove(pass, removableImages(unused, nowMs, policy), 'space', verdict.wantedBytes);
    const freedBytes = pass.freedBytes - before;
    if (freedBytes >= verdict.wantedBytes) return;
    const text = `Failed to garbage collect required amount of images. Attempted to free ${verdict.wantedBytes} bytes, but only found ${freedBytes} bytes eligible to free.`;
    this.#note('FreeDiskSpaceFailed', text);
    pass.troubles.push(text);
  }

  /** Renews what is known of images. @returns those nobody uses, in the order they may go, or why that cannot be told */
  async #look(): Promise<Result<readonly ImageRecord[], string>> {
    const { runtime, images, clock, policy } = this.#deps;
    const [listed, containers] = await Promise.all([images.list(), runtime.listContainers()]);
    if (!listed.ok) return fail(`images cannot be listed: ${listed.fault.message}`);
    if (!containers.ok) return fail(`containers cannot be listed: ${containers.fault.message}`);
    const inUse = imagesInUse(listed.value, {
      ofContainers: containers.value.flatMap(({ image, imageRef }) => [image, imageRef]),
      ofPods: this.#podImages(),
    });
    this.#records = seenImages(this.#records, listed.value, { inUse, nowMs: clock.monotonicMs(), sandboxImage: policy.sandboxImage });
    return ok(unusedImages(this.#records, inUse));
  }

  #podImages(): readonly string[] {
    return [...[...this.#ofPods.values()].flat(), ...this.#wanted];
  }

  /** Of the file system the runtime keeps images on. */
  async #space(): Promise<Result<DiskSpace, string>> {
    const usage = await this.#deps.images.fsInfo();
    if (!usage.ok) return fail(`the image file system is not known: ${usage.fault.message}`);
    const place = usage.value[0]?.mountpoint;
    if (place === undefined) return fail('the runtime names no image file system');
    const space = await this.#deps.disk.space(place);
    return space.ok ? space : fail(`the image file system cannot be measured: ${space.fault.message}`);
  }

  /** One after another: removing images keeps a disk busy. What fails is told, and the next one is taken. */
  async #remove(pass: GarbagePass, images: readonly ImageRecord[], why: Why, wantedBytes: number): Promise<void> {
    let freedBytes = 0;
    for (const image of images) {
      const { id, name, sizeBytes } = image;
      if (freedBytes >= wantedBytes || this.#rounds.stopped) return;
      // A pod may have come to want it since the look.
      if (isNamed(image, this.#podImages())) continue;
      const removed = await this.#deps.images.remove(id);
      if (this.#rounds.stopped) return;
      if (!removed.ok) {
        pass.troubles.push(`${name} cannot be removed: ${removed.fault.message}`);
        continue;
      }
      freedBytes += sizeBytes;
      pass.removed += 1;
      pass.freedBytes += sizeBytes;
      this.#deps.bus.publish('garbage.removed', { kind: 'image', id, name, why, freedBytes: sizeBytes });
    }
  }

  #over(trouble: string): void {
    this.#failures = trouble === '' ? 0 : this.#failures + 1;
    if (trouble !== '') this.#deps.log.warn('image-gc.failed', { fault: trouble });
    if (this.#failures > 1) this.#note('ImageGCFailed', trouble);
  }

  #note(reason: string, message: string): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason, message });
  }
}

export function startImageGc(deps: ImageGcDeps): Stoppable {
  return new ImageGc(deps);
}
