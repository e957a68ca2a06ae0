// The fleet as its API shows it: nodes that are Ready, pods by phase, and how long each took from being asked for to Running.
import { SystemClock } from '../adapters/system-clock.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { Reflector } from '../bridge/kube/reflector.ts';
import type { KubeApiPort, KubeObject } from '../ports/kube-api-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Node, Pod } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import { fleetImage } from './fleet-node.ts';

const podsUrl = '/api/v1/namespaces/default/pods';

export class FleetApi implements Stoppable {
  readonly #api: KubeApiPort;
  readonly #watches: readonly Reflector[];
  readonly #ready = new Set<string>();
  /** Phases by name. */
  readonly #pods = new Map<string, string>();
  /** When pods were asked for that do not run yet. */
  readonly #askedAtMs = new Map<string, number>();
  readonly #tookMs: number[] = [];
  #refused = 0;

  constructor(api: KubeApiPort, log: LogPort) {
    this.#api = api;
    const watch = (path: string, put: (object: KubeObject) => void, remove: (name: string) => void, clear: () => void): Reflector => new Reflector({
      api, clock: new SystemClock(), random: new SystemRandom(), log, path, query: {}, listing: clear, seen: put, listed: () => undefined, bookmark: () => undefined,
      changed: (type, object) => (type === 'deleted' ? remove(nameOf(object)) : put(object)),
    });
    this.#watches = [
      watch('/api/v1/nodes', (object) => this.#node(object as unknown as Node), // The API gives nodes as nodes.
        (name) => this.#ready.delete(name), () => this.#ready.clear()),
      watch(podsUrl, (object) => this.#pod(object as unknown as Pod), // And pods as pods.
        (name) => this.#pods.delete(name), () => this.#pods.clear()),
    ];
    for (const each of this.#watches) each.start();
  }

  get readyNodes(): number {
    return this.#ready.size;
  }

  get runningPods(): number {
    let running = 0;
    for (const phase of this.#pods.values()) if (phase === 'Running') running += 1;
    return running;
  }

  get knownPods(): number {
    return this.#pods.size;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Milliseconds from asking to Running, of pods that came to it since the last call. */
  takeTimes(): readonly number[] {
    return this.#tookMs.splice(0);
  }

  /** Asked for, and not Running yet. */
  get waiting(): number {
    return this.#askedAtMs.size;
  }

  async create(name: string, nodeName: string): Promise<void> {
    this.#askedAtMs.set(name, performance.now());
    const spec = { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: fleetImage }] };
    const made = await this.#api.call({ method: 'POST', path: podsUrl, body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec } });
    if (made.ok) return;
    this.#refused += 1;
    this.#askedAtMs.delete(name);
  }

  async remove(name: string): Promise<void> {
    this.#askedAtMs.delete(name);
    const gone = await this.#api.call({ method: 'DELETE', path: `${podsUrl}/${name}` });
    if (!gone.ok) this.#refused += 1;
  }

  async stop(): Promise<void> {
    for (const each of this.#watches) each.stop();
    await Promise.resolve();
    this.#api.close();
  }

  #node({ metadata, status }: Node): void {
    const name = metadata?.name ?? '';
    if (status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true) this.#ready.add(name);
    else this.#ready.delete(name);
  }

  #pod({ metadata, status }: Pod): void {
    const name = metadata?.name ?? '';
    this.#pods.set(name, status?.phase ?? '');
    const askedAtMs = this.#askedAtMs.get(name);
    if (status?.phase !== 'Running' || askedAtMs === undefined) return;
    this.#askedAtMs.delete(name);
    this.#tookMs.push(performance.now() - askedAtMs);
  }
}

function nameOf({ metadata }: KubeObject): string {
  return (metadata as { readonly name: string }).name; // Every object of the API has one.
}
