// Keeps the view of an API server true: four reflectors, in an order that lets nothing be told before what belongs to it is there. A pod
// comes into the view together with the secrets and config maps it uses; a node's pods are looked up when it registers.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { KubeApiPort, KubeObject } from '../../ports/kube-api-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Stoppable } from '../../ports/result.ts';
import { objectKey, type ObjectReference } from '../../ports/stored-object.ts';
import { type Kind, metadataOf, referencesOf } from '../memory-store.ts';
import { bridgeLabel } from '../node-rights.ts';
import { collectionPath, compareVersions, objectPath } from './kube-paths.ts';
import type { KubeView } from './kube-view.ts';
import { Reflector, textOf } from './reflector.ts';

export interface KubeStoreDeps {
  readonly api: KubeApiPort;
  readonly view: KubeView;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  /** Value of the label of the nodes that are ours. */
  readonly bridge: string;
}

const retryMs = 2_000;
const pageSize = 500;

export class KubeStore implements Stoppable {
  readonly #deps: KubeStoreDeps;
  readonly #reflectors: Readonly<Record<'Node' | 'Pod' | 'Secret' | 'ConfigMap', Reflector>>;
  /** The newest of each pod that waits for what it uses, by UID. */
  readonly #waiting = new Map<string, JsonObject>();
  /** What pods use that came while the lists of these objects were under way, and may have missed. */
  readonly #unlisted = new Map<string, ObjectReference>();
  readonly #fetching = new Map<string, Promise<void>>();
  readonly #adopting = new Map<string, Promise<void>>();
  /** Nodes that came while pods were listed for the first time. */
  readonly #late = new Set<string>();
  readonly #timers = new Set<unknown>();
  readonly #synced: Promise<void>;
  #becomeSynced: () => void = () => undefined;
  #isSynced = false;
  #stopped = false;

  constructor(deps: KubeStoreDeps) {
    this.#deps = deps;
    this.#synced = new Promise((resolve) => {
      this.#becomeSynced = resolve;
    });
    this.#reflectors = {
      Node: this.#reflector('Node', { labelSelector: `${bridgeLabel}=${deps.bridge}` }, () => this.#reflectors.Pod.start()),
      Pod: this.#reflector('Pod', { fieldSelector: 'spec.nodeName!=' }, () => {
        for (const nodeName of this.#late) this.#adoptNow(nodeName);
        this.#late.clear();
        this.#reflectors.Secret.start();
        this.#reflectors.ConfigMap.start();
      }),
      Secret: this.#reflector('Secret', {}, () => void this.#objectsListed()),
      ConfigMap: this.#reflector('ConfigMap', {}, () => void this.#objectsListed()),
    };
    this.#reflectors.Node.start();
  }

  /** Whether everything was seen once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when everything was seen once. */
  get synced(): Promise<void> {
    return this.#synced;
  }

  /** Resolves when the pods of a node that is ours are in the view. */
  async adopted(nodeName: string): Promise<void> {
    await this.#adopting.get(nodeName);
  }

  /** A node that is about to register, and has pods already. */
  expect(nodeName: string): void {
    this.#deps.view.expect(nodeName);
    this.#adoptNow(nodeName);
  }

  /** What the API answered to a write of a node. */
  took(kind: Kind, object: JsonObject, by: string): void {
    if (kind === 'Pod') this.#pod(object, by);
    else if (kind === 'Node') this.#node(object, by);
    else this.#deps.view.apply(kind, object, by);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const reflector of Object.values(this.#reflectors)) reflector.stop();
    for (const timer of this.#timers) this.#deps.clock.clearTimeout(timer);
    await Promise.resolve();
  }

  #reflector(kind: 'Node' | 'Pod' | 'Secret' | 'ConfigMap', query: Readonly<Record<string, string>>, firstListed: () => void): Reflector {
    const { api, view, clock, random, log } = this.#deps;
    let uids = new Set<string>();
    let first = true;
    const take = (object: KubeObject): void => {
      if (kind === 'Pod') this.#pod(object);
      else if (kind === 'Node') this.#node(object);
      else view.apply(kind, object);
    };
    return new Reflector({
      api, clock, random, log, path: collectionPath(kind), query,
      listing: () => {
        uids = new Set();
      },
      seen: (object) => {
        uids.add(String(metadataOf(object).uid));
        take(object);
      },
      listed: (version) => {
        view.seenVersion(version);
        if (kind === 'Pod') this.#dropWaiting(uids, version);
        view.retain(kind, uids, version);
        uids = new Set();
        if (first) firstListed();
        first = false;
      },
      changed: (type, object) => {
        if (type === 'applied') return take(object);
        if (kind === 'Pod') this.#waiting.delete(String(metadataOf(object).uid));
        view.remove(kind, object);
      },
      bookmark: (version) => view.seenVersion(version),
    });
  }

  /** Those that a whole list did not name are gone, unless they are newer. */
  #dropWaiting(uids: ReadonlySet<string>, listVersion: string): void {
    for (const [uid, pod] of this.#waiting) {
      if (uids.has(uid) || compareVersions(String(metadataOf(pod).resourceVersion), listVersion) > 0) continue;
      this.#waiting.delete(uid);
      this.#deps.view.remove('Pod', pod);
    }
  }

  async #objectsListed(): Promise<void> {
    if (!Object.values(this.#reflectors).every(({ synced }) => synced)) return;
    // What the other pods use was kept from the lists; what is not there is nowhere.
    while (this.#unlisted.size > 0) {
      const missing = [...this.#unlisted.values()].filter((reference) => !this.#deps.view.get(reference).ok);
      this.#unlisted.clear();
      await Promise.all(missing.map((reference) => this.#fetch(reference)));
      if (this.#stopped) return;
    }
    this.#isSynced = true;
    const held = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const pod of held) this.#deps.view.apply('Pod', pod);
    this.#becomeSynced();
  }

  #node(node: JsonObject, by?: string): void {
    const { view } = this.#deps;
    const name = String(metadataOf(node).name);
    const before = view.isOurs(name);
    view.apply('Node', node, by);
    if (!before && view.isOurs(name)) this.#adoptNow(name);
  }

  #adoptNow(nodeName: string): void {
    // Of those that are in the first list of nodes nothing goes by; others may come while pods are listed.
    if (!this.#reflectors.Node.synced || this.#adopting.has(nodeName)) return;
    if (!this.#reflectors.Pod.synced) {
      this.#late.add(nodeName);
      return;
    }
    this.#adopting.set(nodeName, this.#adopt(nodeName).finally(() => this.#adopting.delete(nodeName)));
  }

  /** Its pods went by unnoticed while it was not ours. */
  async #adopt(nodeName: string): Promise<void> {
    const { api, log } = this.#deps;
    let next = '';
    do {
      const page = await api.call({ method: 'GET', path: collectionPath('Pod'), query: { fieldSelector: `spec.nodeName=${nodeName}`, limit: String(pageSize), ...(next === '' ? {} : { continue: next }) } });
      if (this.#stopped) return;
      if (!page.ok) {
        log.warn('bridge.api-fault', { path: collectionPath('Pod'), reason: textOf(page.fault) });
        next = '';
        await this.#pause();
        if (this.#stopped) return;
        return this.#adopt(nodeName);
      }
      const items: readonly unknown[] = Array.isArray(page.value.items) ? page.value.items : [];
      for (const item of items) if (isJsonObject(item)) this.#pod(item);
      const metadata = isJsonObject(page.value.metadata) ? page.value.metadata : {};
      next = typeof metadata.continue === 'string' ? metadata.continue : '';
    } while (next !== '');
  }

  #pod(pod: JsonObject, by?: string): void {
    const { view } = this.#deps;
    const fresh = view.reserve(pod);
    const uid = String(metadataOf(pod).uid);
    if (fresh === undefined) {
      view.apply('Pod', pod);
      return;
    }
    const waits = this.#waiting.has(uid);
    if (!this.#isSynced && this.#reflectors.Pod.synced) for (const reference of fresh) this.#unlisted.set(objectKey(reference), reference);
    const fetches = this.#isSynced && !waits ? this.#fetches(pod, fresh) : [];
    if (this.#isSynced && !waits && fetches.length === 0) {
      view.apply('Pod', pod, by);
      return;
    }
    this.#waiting.set(uid, pod);
    if (waits || !this.#isSynced) return;
    void Promise.all(fetches).then(() => {
      const newest = this.#waiting.get(uid);
      this.#waiting.delete(uid);
      if (newest !== undefined && !this.#stopped) view.apply('Pod', newest);
    });
  }

  /** Also those begun for other pods that came with it. */
  #fetches(pod: JsonObject, fresh: readonly ObjectReference[]): readonly Promise<void>[] {
    for (const reference of fresh) {
      const key = objectKey(reference);
      const under = this.#fetch(reference).finally(() => {
        if (this.#fetching.get(key) === under) this.#fetching.delete(key);
      });
      this.#fetching.set(key, under);
    }
    return referencesOf(pod).flatMap((reference) => this.#fetching.get(objectKey(reference)) ?? []);
  }

  /** Once it is in the view the watch keeps it new. */
  async #fetch(reference: ObjectReference): Promise<void> {
    const { api, view, log } = this.#deps;
    while (!this.#stopped && view.isUsed(reference)) {
      const found = await api.call({ method: 'GET', path: objectPath(reference) });
      if (found.ok) {
        view.apply(reference.kind, found.value);
        return;
      }
      if (found.fault.kind === 'refused') {
        // One that is not there comes with the watch when it is made.
        if (found.fault.status.reason !== 'NotFound') log.warn('bridge.api-fault', { path: objectKey(reference), reason: textOf(found.fault) });
        return;
      }
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, retryMs);
      this.#timers.add(timer);
    });
  }
}
