// When an agent is sent its pods and its node: at once what people change, together what the agent itself changed, and again where
// a released agent might have missed it (spec A15.3 to A15.5, A15.11). It decides when; the caller packs and publishes.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { type StoreChange, type StoredObject, specOf } from './memory-store.ts';

/** Changes made by the agent itself are echoed together, this long after the first of them. */
export const coalesceMsDefault = 50;
/** A fresh released agent watches its node's file only some seconds after it started. */
const nodeAgainMs = 5_000;
/** A pod that is new within this time of a start's answer is pushed once more, because answers and pushes may overtake each other. */
const startWindowMs = 2_000;

export interface CloudPushesDeps {
  readonly clock: ClockPort;
  readonly coalesceMs: number;
  /** `echo`: the agent's own change comes back; what the pod uses is the same as before. */
  pushPod(nodeName: string, pod: JsonObject, options: { readonly echo: boolean }): void;
  pushNode(nodeName: string, node: JsonObject): void;
}

export class CloudPushes {
  readonly #deps: CloudPushesDeps;
  /** The newest state of what is to be echoed, by UID. */
  readonly #echoes = new Map<string, StoreChange>();
  #echoTimer: unknown;
  readonly #againTimers = new Set<unknown>();
  readonly #startAnsweredAtMs = new Map<string, number>();

  constructor(deps: CloudPushesDeps) {
    this.#deps = deps;
  }

  changed(change: StoreChange): void {
    const byAgent = change.by !== undefined;
    if (change.kind !== 'Pod' && change.kind !== 'Node') return;
    if (change.type === 'deleted') {
      this.#echoes.delete(change.object.metadata.uid);
      // The agent asked for it itself; to everybody else's deletion only a push can tell it.
      if (!byAgent && change.kind === 'Pod') this.#push({ ...change, object: this.#deletedNow(change.object) });
      return;
    }
    if (byAgent) {
      this.#echoes.set(change.object.metadata.uid, change);
      this.#echoTimer ??= this.#deps.clock.setTimeout(() => this.#flush(), this.#deps.coalesceMs);
    } else {
      this.#echoes.delete(change.object.metadata.uid);
      this.#push(change);
    }
    if (change.kind === 'Node' && change.type === 'added') this.#again(nodeAgainMs, change);
    else if (change.type === 'added') this.#againAfterStart(change);
  }

  startAnswered(nodeName: string): void {
    this.#startAnsweredAtMs.set(nodeName, this.#deps.clock.monotonicMs());
  }

  stop(): void {
    this.#deps.clock.clearTimeout(this.#echoTimer);
    for (const timer of this.#againTimers) this.#deps.clock.clearTimeout(timer);
    this.#againTimers.clear();
    this.#echoes.clear();
  }

  #flush(): void {
    this.#echoTimer = undefined;
    const echoes = [...this.#echoes.values()];
    this.#echoes.clear();
    for (const change of echoes) this.#push(change, { echo: true });
  }

  #push({ kind, object }: StoreChange, options = { echo: false }): void {
    if (kind === 'Node') this.#deps.pushNode(object.metadata.name, object);
    const nodeName = specOf(object).nodeName;
    if (kind === 'Pod' && typeof nodeName === 'string') this.#deps.pushPod(nodeName, object, options);
  }

  #againAfterStart(change: StoreChange): void {
    const nodeName = specOf(change.object).nodeName;
    const answeredAtMs = typeof nodeName === 'string' ? this.#startAnsweredAtMs.get(nodeName) : undefined;
    if (answeredAtMs !== undefined && this.#deps.clock.monotonicMs() - answeredAtMs < startWindowMs) this.#again(startWindowMs, change);
  }

  /** An older state does no harm: the agent compares versions, and a newer push follows each change. */
  #again(delayMs: number, change: StoreChange): void {
    const timer = this.#deps.clock.setTimeout(() => {
      this.#againTimers.delete(timer);
      this.#push(change);
    }, delayMs);
    this.#againTimers.add(timer);
  }

  #deletedNow(pod: StoredObject): StoredObject {
    const deletion = { deletionTimestamp: rfc3339Seconds(this.#deps.clock.nowMs() - 1_000), deletionGracePeriodSeconds: 0 };
    // The last version was pushed already: this one must count as newer.
    const resourceVersion = String(Number(pod.metadata.resourceVersion) + 1);
    return { ...pod, metadata: { ...pod.metadata, ...deletion, resourceVersion } };
  }
}
