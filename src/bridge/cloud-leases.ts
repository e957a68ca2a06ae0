// Renews the leases of nodes that send none, for as long as something was heard of them (spec A8.3, A15.8). It keeps no other time.
import type { ClockPort } from '../ports/clock-port.ts';
import { rfc3339Micros } from '../ports/rfc3339.ts';
import type { MemoryStore, ObjectKey } from './memory-store.ts';

const renewPeriodMs = 10_000;
/** One and a half times the five minutes in which a released agent sends at least one message. */
export const silenceMsMax = 450_000;
const leaseDurationSeconds = 40;

export class CloudLeases {
  readonly #store: MemoryStore;
  readonly #clock: ClockPort;
  readonly #heardAtMs = new Map<string, number>();
  /** Nodes that renew their own. */
  readonly #own = new Set<string>();
  #timer: unknown;

  constructor(deps: { readonly store: MemoryStore; readonly clock: ClockPort }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  heard(nodeName: string, options: { readonly lease: boolean }): void {
    if (options.lease) this.#own.add(nodeName);
    if (this.#own.has(nodeName)) {
      this.#heardAtMs.delete(nodeName);
      return;
    }
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

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #renew(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [nodeName, heardAtMs] of [...this.#heardAtMs]) {
      if (nowMs - heardAtMs > silenceMsMax) this.#heardAtMs.delete(nodeName);
      else this.#write(nodeName, this.#clock.nowMs());
    }
    this.#timer = this.#heardAtMs.size > 0 ? this.#clock.setTimeout(() => this.#renew(), renewPeriodMs) : undefined;
  }

  #write(nodeName: string, atMs: number): void {
    const key: ObjectKey = { kind: 'Lease', namespace: 'kube-node-lease', name: nodeName };
    const lease = { metadata: {}, spec: { holderIdentity: nodeName, leaseDurationSeconds, renewTime: rfc3339Micros(atMs) } };
    if (!this.#store.update(key, lease).ok) this.#store.create(key, lease);
  }
}
