// Renews the leases of nodes that send none, for as long as something was heard of them (spec A8.3, A15.8). It keeps no other time.
import { isJsonObject } from '../bus/dialects/json-value.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { rfc3339Micros, rfc3339Seconds } from '../ports/rfc3339.ts';
import type { ApiCalls } from './cloud-store.ts';
import { type FairLanes, urgency } from './fair-lanes.ts';
import type { ObjectKey } from './memory-store.ts';

const renewPeriodMs = 10_000;
/** One and a half times the five minutes in which a released agent sends at least one message. */
export const silenceMsMax = 450_000;
const leaseDurationSeconds = 40;
/** On leases renewed here: when the node was heard last. It outlives this process. */
const heardAnnotation = 'mqlet.bridge/heard';

export class CloudLeases {
  readonly #calls: ApiCalls;
  readonly #lanes: FairLanes;
  readonly #clock: ClockPort;
  readonly #heardAtMs = new Map<string, number>();
  /** Nodes that renew their own. */
  readonly #own = new Set<string>();
  #timer: unknown;
  #paused = false;
  #stopped = false;

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
    const isNew = !this.#heardAtMs.has(nodeName);
    this.#heardAtMs.set(nodeName, this.#clock.monotonicMs());
    if (isNew && !this.#paused) this.#vouch(nodeName);
    this.#timer ??= this.#clock.setTimeout(() => this.#renew(), renewPeriodMs);
  }

  /** Its node object is there: before, the API would have taken no lease. */
  registered(nodeName: string): void {
    if (this.#heardAtMs.has(nodeName) && !this.#paused) this.#vouch(nodeName);
  }

  /** A node that an earlier life of ours heard: it is vouched for as long as that one would have. */
  async takeUp(nodeName: string): Promise<void> {
    const lease = await this.#lanes.run({ nodeName, urgency: urgency.write }, () => this.#calls.get(leaseOf(nodeName), { by: nodeName }));
    const annotations = lease?.ok === true ? lease.value.metadata.annotations : undefined;
    const heardMs = isJsonObject(annotations) ? Date.parse(String(annotations[heardAnnotation])) : Number.NaN;
    const silentMs = this.#clock.nowMs() - heardMs;
    if (!(silentMs >= 0 && silentMs <= silenceMsMax) || this.#heardAtMs.has(nodeName) || this.#own.has(nodeName) || this.#stopped) return;
    this.#heardAtMs.set(nodeName, this.#clock.monotonicMs() - silentMs);
    if (!this.#paused) this.#vouch(nodeName);
    this.#timer ??= this.#clock.setTimeout(() => this.#renew(), renewPeriodMs);
  }

  /** Whether leases are renewed for it here. */
  vouches(nodeName: string): boolean {
    return this.#heardAtMs.has(nodeName);
  }

  /** The node is known to be away: no lease is written for it until it is heard again. Whether it renews its own it shows anew. */
  lost(nodeName: string): void {
    this.#own.delete(nodeName);
    this.#heardAtMs.delete(nodeName);
  }

  /** The node's own renewal, where all of the lease but its time is known. */
  renew(nodeName: string, atMs: number): void {
    this.#write(nodeName, { renewTime: rfc3339Micros(atMs) });
  }

  /** Nobody can be heard: nobody is vouched for. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #renew(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [nodeName, heardAtMs] of [...this.#heardAtMs]) {
      if (nowMs - heardAtMs > silenceMsMax) this.#heardAtMs.delete(nodeName);
      else if (!this.#paused) this.#vouch(nodeName);
    }
    this.#timer = this.#heardAtMs.size > 0 ? this.#clock.setTimeout(() => this.#renew(), renewPeriodMs) : undefined;
  }

  #vouch(nodeName: string): void {
    const nowMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    const heardMs = nowMs - (monotonicMs - (this.#heardAtMs.get(nodeName) ?? monotonicMs));
    this.#write(nodeName, { renewTime: rfc3339Micros(nowMs), annotations: { [heardAnnotation]: rfc3339Seconds(heardMs) } });
  }

  #write(nodeName: string, said: Renewal): void {
    // Only the newest counts.
    void this.#lanes.run({ nodeName, urgency: urgency.lease, replaces: 'lease' }, () => this.#put(nodeName, said));
  }

  async #put(nodeName: string, { renewTime, annotations }: Renewal): Promise<void> {
    const spec = { holderIdentity: nodeName, leaseDurationSeconds, renewTime };
    const metadata = annotations === undefined ? {} : { annotations };
    const patched = await this.#calls.patch(leaseOf(nodeName), { metadata, spec }, { by: nodeName });
    if (!patched.ok && patched.fault.reason === 'NotFound') await this.#calls.create(leaseOf(nodeName), { metadata, spec }, { by: nodeName });
  }
}

interface Renewal {
  readonly renewTime: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function leaseOf(nodeName: string): ObjectKey {
  return { kind: 'Lease', namespace: 'kube-node-lease', name: nodeName };
}
