// Keeps what a pull has downloaded when it ends too early, so that the next one goes on from there: containerd collects it at once otherwise.
// A lease per image, which containerd lets go by itself. Runtimes without leases pull as they always did.
// @see containerd docs/garbage-collection.md, "containerd.io/gc.expire"
import { createHash } from 'node:crypto';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { Result } from '../../ports/result.ts';
import type { CriChannel } from './cri-channel.ts';
import type { WireMethods } from './cri-methods.ts';

/** From its beginning. Longer than a day, so that a pull that a nightly window ends goes on in the next night. */
export const leaseMs = 48 * 3_600_000;

export interface PullLeases {
  /** The lease to pull that image under; undefined where the runtime has none. */
  take(image: string): Promise<string | undefined>;
  /** After the pull: what it brought belongs to the image now, or takes room that is needed. */
  settle(lease: string, result: Result<unknown, RuntimeFault>): void;
}

export function pullLeases(channel: CriChannel, methods: WireMethods, options: { readonly clock: ClockPort; readonly timeoutMs: number }): PullLeases {
  const { clock, timeoutMs } = options;
  let supported = true;
  return {
    take: async (image) => {
      if (!supported) return undefined;
      const id = `mqlet-pull-${createHash('sha256').update(image).digest('hex').slice(0, 16)}`;
      const labels = { 'containerd.io/gc.expire': new Date(clock.nowMs() + leaseMs).toISOString() };
      const made = await channel.unary<object>(methods.leases('Create'), { id, labels }, timeoutMs);
      if (made.ok || made.fault.kind === 'already-exists') return id;
      if (made.fault.kind === 'unimplemented') supported = false;
      return undefined;
    },
    settle: (lease, result) => {
      if (!result.ok && !/no space left/i.test(result.fault.message)) return;
      void channel.unary<object>(methods.leases('Delete'), { id: lease }, timeoutMs);
    },
  };
}
