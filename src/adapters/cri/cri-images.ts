// ImagesPort over CRI's image service, on the channel of the runtime service.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { Result } from '../../ports/result.ts';
import { ok } from '../../ports/result.ts';
import type { ImagesPort } from '../../ports/runtime-port.ts';
import type { CallOptions, CriChannel } from './cri-channel.ts';
import { unlimited } from './cri-channel.ts';
import type { WireMethods } from './cri-methods.ts';
import { toFilesystemUsage, toImageFacts } from './cri-translate.ts';
import { pullLeases } from './pull-leases.ts';
import type { WireDownloads, WireFilesystemUsage, WireImage } from './cri-wire.ts';

/** @param timeoutMs deadline of every call but the pull, which lasts as long as it lasts */
export function criImages(channel: CriChannel, methods: WireMethods, timeoutMs: number, clock: ClockPort): ImagesPort {
  const leases = pullLeases(channel, methods, { clock, timeoutMs });
  const call = <T>(method: string, request: object, limitMs = timeoutMs, options: CallOptions = {}): Promise<Result<T, RuntimeFault>> =>
    channel.unary<T>(methods.images(method), request, limitMs, options);
  return {
    async list() {
      const answer = await call<{ readonly images: readonly WireImage[] }>('ListImages', {});
      return answer.ok ? ok(answer.value.images.map(toImageFacts)) : answer;
    },
    async status(image) {
      const answer = await call<{ readonly image: WireImage | null }>('ImageStatus', { image: { image } });
      if (!answer.ok) return answer.fault.kind === 'not-found' ? ok(undefined) : answer;
      return ok(answer.value.image === null ? undefined : toImageFacts(answer.value.image));
    },
    async pull(image, auth, sandboxConfig, options) {
      const request = { image: { image }, auth, sandboxConfig };
      const lease = await leases.take(image);
      const answer = await call<{ readonly imageRef: string }>('PullImage', request, unlimited, { signal: options?.signal, lease });
      if (lease !== undefined) leases.settle(lease, answer);
      return answer.ok ? ok(answer.value.imageRef) : answer;
    },
    async progress() {
      // Downloads are containerd's to tell of, unpacking shows in what images take up.
      const downloads = await channel.unary<WireDownloads>(methods.content('ListStatuses'), {}, timeoutMs);
      if (!downloads.ok) return downloads;
      const usage = await call<{ readonly imageFilesystems: readonly WireFilesystemUsage[] }>('ImageFsInfo', {});
      if (!usage.ok) return usage;
      const used = usage.value.imageFilesystems.map(({ usedBytes }) => usedBytes?.value ?? '');
      return ok([...downloads.value.statuses.map(({ ref, offset }) => `${ref} ${offset}`).sort(), ...used].join('\n'));
    },
    async remove(image) {
      const answer = await call<object>('RemoveImage', { image: { image } });
      return answer.ok || answer.fault.kind === 'not-found' ? ok() : answer;
    },
    async fsInfo() {
      const answer = await call<{ readonly imageFilesystems: readonly WireFilesystemUsage[] }>('ImageFsInfo', {});
      return answer.ok ? ok(answer.value.imageFilesystems.map(toFilesystemUsage)) : answer;
    },
  };
}
