// Which mirror pods the cloud has, as pushes, lists and the outcomes of writes tell it; each change is told once. It judges no mirror.
import type { Pod } from '../../ports/pod-types.ts';
import type { BusPort } from '../bus.ts';
import { mqttPodsMax } from './mqtt-pod-state.ts';

/** As many as there may be pods; further ones are not told. */
export class MqttMirrors {
  readonly #bus: BusPort;
  /** UID and version by full name. */
  readonly #known = new Map<string, string>();
  /** Names pushed since the start was sent: newer than its answer. */
  readonly #pushed = new Set<string>();

  constructor(bus: BusPort) {
    this.#bus = bus;
  }

  has(fullName: string): boolean {
    return this.#known.has(fullName);
  }

  /** A start is about to be sent. */
  beginStart(): void {
    this.#pushed.clear();
  }

  push(fullName: string, pod: Pod): void {
    this.#pushed.add(fullName);
    this.#received(fullName, pod);
  }

  /** @param options.complete whether what is not among them is gone */
  list(mirrors: ReadonlyMap<string, Pod>, { complete }: { readonly complete: boolean }): void {
    for (const [fullName, pod] of mirrors) if (!this.#pushed.has(fullName)) this.#received(fullName, pod);
    if (!complete) return;
    for (const fullName of [...this.#known.keys()]) if (!mirrors.has(fullName) && !this.#pushed.has(fullName)) this.gone(fullName);
  }

  gone(fullName: string): void {
    if (this.#known.delete(fullName)) this.#bus.publish('mirror.received', { fullName, pod: undefined });
  }

  /** Known from the answer, for the push may be lost, and the next list must be able to say that it is gone. */
  created(fullName: string): void {
    if (this.#known.size >= mqttPodsMax || this.#known.has(fullName)) return;
    this.#known.set(fullName, '');
    this.#pushed.add(fullName);
  }

  #received(fullName: string, pod: Pod): void {
    const { uid = '', resourceVersion = '' } = pod.metadata ?? {};
    const version = `${uid} ${resourceVersion}`;
    if (this.#known.get(fullName) === version && resourceVersion !== '') return;
    if (this.#known.size >= mqttPodsMax && !this.#known.has(fullName)) return;
    this.#known.set(fullName, version);
    this.#bus.publish('mirror.received', { fullName, pod });
  }
}
