// Renews the leases of nodes that send none, for as long as something was heard of them (spec A8.3, A15.8). It keeps no other time.
import type { ClockPort } from '../ports/clock-port.ts';
import { rfc3339Micros } from '../ports/rfc3339.ts';
import type { ApiCalls } from './cloud-store.ts';
import { type FairLanes, urgency } from './fair-lanes.ts';
import type { ObjectKey } from './memory-store.ts';

const renewPeriodMs = 10_000;
/** One and a half times the five minutes in which a released agent sends at least one message. */
export const silenceMsMax = 450_000;
const leaseDurationSeconds = 40;

export class CloudLeases {
  readonly #calls: ApiCalls;
  readonly #lanes: FairLanes;
  readonly #clock: ClockPort;
  readonly #heardAtMs = new Map<string, number>();
  /** Nodes that renew their own. */
  readonly #own = new Set<string>();
  #timer: unknown;
  #paused = false;

  constructor(deps: { readonly calls: ApiCalls; readonly lanes: FairLanes; readonly clock: ClockPort }) {
    this.#calls = deps.calls;
    this.#lanes = deps.lanes;
    this.#clock = deps.clock;
  }

  heard(nodeName: string, options: { readonly lease: boolean }): void {
    if (options.lease) this.#own.add(nodeName);
    if (this.#own.has(nodeName)) {
      this.#heardAtMs.delete(nodeName);
      return;
    }
    // One that comes back must not wait: its lease may be about to run out.
    if (!this.#heardAtMs.has(nodeName) && !this.#paused) this.#write(nodeName, this.#clock.nowMs());
    this.#heardAtMs.set(nodeName, this.#clock.monotonicMs());
    this.#timer ??= this.#clock.setTimeout(() => this.#renew(), renewPeriodMs);
  }

  /** The node is known to be away: no lease is written for it until it is heard again. */
  lost(nodeName: string): void {
    this.#heardAtMs.delete(nodeName);
  }

  /** The node's own renewal, where all of the lease but its time is known. */
  renew(nodeName: string, atMs: number): void {
    this.#write(nodeName, atMs);
  }

  /** Nobody can be heard: nobody is vouched for. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #renew(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [nodeName, heardAtMs] of [...this.#heardAtMs]) {
      if (nowMs - heardAtMs > silenceMsMax) this.#heardAtMs.delete(nodeName);
      else if (!this.#paused) this.#write(nodeName, this.#clock.nowMs());
    }
    this.#timer = this.#heardAtMs.size > 0 ? this.#clock.setTimeout(() => this.#renew(), renewPeriodMs) : undefined;
  }

  #write(nodeName: string, atMs: number): void {
    // Only the newest counts.
    void this.#lanes.run({ nodeName, urgency: urgency.lease, replaces: 'lease' }, () => this.#put(nodeName, atMs));
  }

  async #put(nodeName: string, atMs: number): Promise<void> {
    const key: ObjectKey = { kind: 'Lease', namespace: 'kube-node-lease', name: nodeName };
    const spec = { holderIdentity: nodeName, leaseDurationSeconds, renewTime: rfc3339Micros(atMs) };
    const patched = await this.#calls.patch(key, { spec }, { by: nodeName });
    if (!patched.ok && patched.fault.reason === 'NotFound') await this.#calls.create(key, { metadata: {}, spec }, { by: nodeName });
  }
}
