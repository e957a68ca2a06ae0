// Gathers what the node's status is made of, and computes it. Knows nothing of the API: the node actor sends what comes out.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import { certificateConditionType } from '../machines/decide/certificate-health.ts';
import { prefetchConditionType } from '../machines/decide/prefetch.ts';
import { conditionEvents, type FoundCondition, nodeConditions, type ReadinessNow } from '../machines/decide/node-conditions.ts';
import { type NodeCondition, type NodeFactsNow, type NodeIdentity, nodeObject, nodeStatus } from '../machines/decide/node-object.ts';
import { storageCondition } from '../machines/decide/storage-condition.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { HostFacts, HostPort } from '../ports/host-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Node } from '../ports/pod-types.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import type { RuntimeHandlerFacts } from '../ports/runtime-handlers.ts';
import type { ImageFacts, ImagesPort, RuntimePort, RuntimeVersion } from '../ports/runtime-port.ts';
import { startStorageWatch, type StorageWatch } from './storage-watch.ts';

/** A listing of the runtime may fail this long before the node is not ready. */
const relistSilenceMsMax = 180_000;

export type NodeStatus = NonNullable<Node['status']>;

export interface NodeStatusDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly host: HostPort;
  readonly runtime: Pick<RuntimePort, 'version' | 'handlers'>;
  readonly images: Pick<ImagesPort, 'list'>;
  readonly identity: NodeIdentity;
}

export class NodeStatusKeeper {
  readonly #deps: NodeStatusDeps;
  readonly #changed: () => void;
  readonly #listenings: Listening[];
  readonly #storage: StorageWatch;
  #stopped = false;
  #host: HostFacts | undefined;
  #version: RuntimeVersion | undefined;
  #handlers: readonly RuntimeHandlerFacts[] = [];
  #images: readonly ImageFacts[] = [];
  /** One was pulled or removed since they were listed. */
  #imagesAreStale = false;
  #readiness: ReadinessNow = { runtimeReady: false, networkReady: false, message: 'container runtime status check may not have completed yet' };
  #relistFailingSinceMs: number | undefined;
  #shuttingDown = false;
  #pressures: Messages['node.pressure']['pressures'] = [];
  #conditions: readonly NodeCondition[] = [];
  /** By type, in the order in which they were heard of: a certificate, images wanted ahead of pods. */
  readonly #found = new Map<string, FoundCondition>();

  /** @param changed called when something was heard that may change the status */
  constructor(deps: NodeStatusDeps, changed: () => void) {
    this.#deps = deps;
    this.#changed = changed;
    const { bus, clock } = deps;
    this.#storage = startStorageWatch({ bus, log: deps.log, changed });
    this.#listenings = [
      bus.on('runtime.health', ({ payload }) => void this.#healthChanged(payload)),
      bus.on('mqtt.certificate', ({ payload: { status, reason, message } }) => {
        this.#found.set(certificateConditionType, { type: certificateConditionType, status, reason, message });
        this.#changed();
      }),
      bus.on('images.prefetch', ({ payload: { status, reason, message } }) => {
        this.#found.set(prefetchConditionType, { type: prefetchConditionType, status, reason, message });
        this.#imagesAreStale = true;
        this.#changed();
      }),
      bus.on('runtime.relisted', () => { this.#relistFailingSinceMs = undefined; }),
      bus.on('image.resolved', ({ payload: { outcome } }) => {
        if (outcome.kind === 'present' && !this.#images.some(({ id }) => id === outcome.imageRef)) this.#imagesAreStale = true;
      }),
      bus.on('garbage.removed', ({ payload }) => { if (payload.kind === 'image') this.#imagesAreStale = true; }),
      bus.on('node.pressure', ({ payload }) => {
        this.#pressures = payload.pressures;
        this.#changed();
      }),
      bus.on('node.shutdown', ({ payload }) => {
        this.#shuttingDown = payload.goesDown;
        this.#changed();
      }),
      bus.on('runtime.relist-failed', () => { this.#relistFailingSinceMs ??= clock.monotonicMs(); }),
    ];
  }

  stop(): void {
    this.#stopped = true;
    for (const listening of this.#listenings) listening.off();
    void this.#storage.stop();
  }

  host(): HostFacts | undefined {
    return this.#host;
  }

  /** Reads host facts and images again: at the start, and for each report. */
  async refresh(): Promise<void> {
    this.#host = await this.#deps.host.facts();
    await this.#readImages();
  }

  /** Lists images again if that is known to tell something new. */
  async renewImages(): Promise<void> {
    if (this.#imagesAreStale) await this.#readImages();
  }

  /** The status as of now; undefined before the first `refresh`. Notes changed conditions as events. */
  compute(): NodeStatus | undefined {
    if (this.#host === undefined) return undefined;
    const nowMs = this.#deps.clock.nowMs();
    const previous = this.#conditions;
    const options = { now: rfc3339Seconds(nowMs) };
    const storage = storageCondition(previous, this.#storage.troubles(), options);
    const found = [...this.#found.values()];
    const others = nodeConditions(previous, this.#readinessNow(), this.#pressures, { ...options, found });
    this.#conditions = storage === undefined ? others : [storage, ...others];
    this.#noteChanges(previous);
    return nodeStatus(this.#facts(this.#host));
  }

  /** The whole object around a status that `compute` gave. */
  object(status: NodeStatus): Node {
    if (this.#host === undefined) return { metadata: { name: this.#deps.identity.name }, status };
    return { ...nodeObject(this.#facts(this.#host)), status };
  }

  #facts(host: HostFacts): NodeFactsNow {
    return { identity: this.#deps.identity, host, runtime: this.#version, handlers: this.#handlers, images: this.#images, conditions: this.#conditions };
  }

  async #healthChanged({ runtimeReady, networkReady, message }: Messages['runtime.health']): Promise<void> {
    const appeared = runtimeReady && !this.#readiness.runtimeReady;
    this.#readiness = { runtimeReady, networkReady, message };
    if (appeared) {
      const version = await this.#deps.runtime.version();
      if (version.ok) this.#version = version.value;
      const handlers = await this.#deps.runtime.handlers();
      if (handlers.ok) this.#handlers = handlers.value;
      await this.#readImages();
    }
    if (!this.#stopped) this.#changed();
  }

  async #readImages(): Promise<void> {
    this.#imagesAreStale = false;
    const images = await this.#deps.images.list();
    if (images.ok) this.#images = images.value;
  }

  #readinessNow(): ReadinessNow {
    if (this.#shuttingDown) return { ...this.#readiness, message: this.#readiness.message || 'node is shutting down' };
    const sinceMs = this.#relistFailingSinceMs;
    const silentMs = sinceMs === undefined ? 0 : this.#deps.clock.monotonicMs() - sinceMs;
    if (silentMs < relistSilenceMsMax || this.#readiness.message !== '') return this.#readiness;
    return { ...this.#readiness, message: `PLEG is not healthy: the runtime could not be listed for ${Math.floor(relistSilenceMsMax / 60_000)}m` };
  }

  #noteChanges(previous: readonly NodeCondition[]): void {
    const { bus, identity, log } = this.#deps;
    for (const condition of this.#conditions) {
      const before = previous.find(({ type }) => type === condition.type)?.status ?? 'False';
      const [whenTrue, whenFalse] = conditionEvents[condition.type] ?? [];
      if (before === condition.status || whenTrue === undefined || whenFalse === undefined) continue;
      const reason = condition.status === 'True' ? whenTrue : whenFalse;
      log.info('node.condition', { type: condition.type, status: condition.status, reason: condition.reason, message: condition.message ?? '' });
      bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason, message: `Node ${identity.name} status is now: ${reason}` });
    }
  }
}
