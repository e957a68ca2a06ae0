// Several bridges in front of one API share its nodes: each holds a lease, and every node belongs to one of those whose lease is fresh.
// Which one, each computes alike from the names. It moves no node itself; who serves nodes listens to it.
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { KubeApiPort } from '../ports/kube-api-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { rfc3339Micros } from '../ports/rfc3339.ts';
import { metadataOf, specOf } from './memory-store.ts';
import { bridgeLabel } from './node-rights.ts';

/** Which nodes are served here, now. */
export interface Share {
  mine(nodeName: string): boolean;
  onChange(listener: () => void): void;
}

/** Of a bridge that is alone. */
export const allNodes: Share = { mine: () => true, onChange: () => undefined };

export interface MembersDeps {
  readonly api: KubeApiPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** Of the bridges that share nodes. */
  readonly bridge: string;
  /** Its own among them; it names the lease. */
  readonly id: string;
  readonly namespace: string;
}

/** Names of nodes that are kept in mind. Of further ones, those without a Node object are not heard. */
export const nodesMax = 10_000;

const renewPeriodMs = 4_000;
/** A lease that was not renewed for so long is nobody's; by the clock of who looks, so that clocks need not agree. */
export const memberLeaseMs = 15_000;

interface Seen {
  readonly renewTime: string;
  readonly atMs: number;
}

export class Members implements Share, Stoppable {
  readonly #deps: MembersDeps;
  readonly #path: string;
  readonly #seen = new Map<string, Seen>();
  /** Sorted; empty while this one is no member. */
  #live: readonly string[] = [];
  readonly #owners = new Map<string, string>();
  readonly #listeners: (() => void)[] = [];
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #timer: unknown;
  #stopped = false;

  constructor(deps: MembersDeps) {
    this.#deps = deps;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(deps.namespace)}/leases`;
    void this.#round();
  }

  /** Names of those who share, this one among them; none while the API does not know of it. */
  get live(): readonly string[] {
    return this.#live;
  }

  mine(nodeName: string): boolean {
    if (this.#live.length === 0) return false;
    // Who could not renew does not know what the others have taken since.
    if (this.#deps.clock.monotonicMs() - this.#renewedAtMs > memberLeaseMs) return false;
    const owner = this.#owners.get(nodeName) ?? ownerOf(nodeName, this.#live);
    if (this.#owners.size < nodesMax) this.#owners.set(nodeName, owner);
    return owner === this.#deps.id;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The others need not wait for the lease to run out. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#write({ holderIdentity: '' });
  }

  async #round(): Promise<void> {
    const { clock, log, id } = this.#deps;
    const askedAtMs = clock.monotonicMs();
    const renewed = await this.#write({ holderIdentity: id, leaseDurationSeconds: memberLeaseMs / 1_000, renewTime: rfc3339Micros(clock.nowMs()) });
    if (renewed) this.#renewedAtMs = askedAtMs;
    const listed = this.#stopped ? undefined : await this.#deps.api.call({ method: 'GET', path: this.#path, query: { labelSelector: `${bridgeLabel}=${this.#deps.bridge}` } });
    if (this.#stopped) return;
    if (listed?.ok === true && Array.isArray(listed.value.items)) this.#look(listed.value.items.filter(isJsonObject));
    else log.warn('bridge.members-unknown', { path: this.#path });
    if (clock.monotonicMs() - this.#renewedAtMs > memberLeaseMs) this.#become([]);
    this.#timer = clock.setTimeout(() => void this.#round(), renewPeriodMs);
  }

  #look(leases: readonly JsonObject[]): void {
    const { clock, id } = this.#deps;
    const nowMs = clock.monotonicMs();
    const live: string[] = [];
    for (const lease of leases) {
      const { holderIdentity, renewTime } = specOf(lease);
      if (typeof holderIdentity !== 'string' || holderIdentity === '') continue;
      const seen = this.#seen.get(holderIdentity);
      const known: Seen = seen?.renewTime === renewTime && seen !== undefined ? seen : { renewTime: String(renewTime), atMs: nowMs };
      this.#seen.set(holderIdentity, known);
      if (nowMs - known.atMs <= memberLeaseMs) live.push(holderIdentity);
    }
    this.#become(live.includes(id) ? live.sort() : []);
  }

  #become(live: readonly string[]): void {
    if (live.join('\n') === this.#live.join('\n')) return;
    this.#live = live;
    this.#owners.clear();
    this.#deps.log.info('bridge.members', { live });
    for (const listener of this.#listeners) listener();
  }

  async #write(spec: JsonObject): Promise<boolean> {
    const { api, bridge, id } = this.#deps;
    const name = `mqlet-bridge.${bridge}.${id}`.toLowerCase();
    const metadata = { labels: { [bridgeLabel]: bridge } };
    const patched = await api.call({ method: 'PATCH', path: `${this.#path}/${encodeURIComponent(name)}`, contentType: 'application/strategic-merge-patch+json', body: { metadata, spec } });
    if (patched.ok || patched.fault.kind !== 'refused' || patched.fault.status.reason !== 'NotFound' || this.#stopped) return patched.ok;
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...metadataOf({ metadata }), name }, spec };
    return (await api.call({ method: 'POST', path: this.#path, body: lease })).ok;
  }
}

/**
 * The highest of the hashes of member and node: when a member goes, only its nodes move.
 * @param members at least one
 */
export function ownerOf(nodeName: string, members: readonly string[]): string {
  let best = '';
  let bestHash = '';
  for (const member of members) {
    const hash = createHash('sha256').update(`${member}\n${nodeName}`).digest('hex');
    if (hash <= bestHash) continue;
    best = member;
    bestHash = hash;
  }
  return best;
}
