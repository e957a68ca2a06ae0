// What is done to a simulated world in its safety phase: by people, by the machine, by the network. Each operation draws its own
// details; one that finds nothing to act on does nothing.
import { stringify } from 'yaml';
import { packJson } from '../../src/bus/dialects/lite/payload.ts';
import type { Pod } from '../../src/ports/pod-types.ts';
import { isMirror } from './checkers.ts';
import type { OperationName } from './operation-names.ts';
import { wild } from './options.ts';
import { drawImage, drawPod, drawSpec, pick } from './pod-menu.ts';
import { manifestDirectory, nodeName, rootTopic, type World } from './world.ts';

export class Operations {
  readonly #world: World;
  /** Manifests as they are meant to be, by path. What is on the disk may be half of it, broken or elsewhere for now. */
  readonly #manifests = new Map<string, Pod>();
  /** What was last applied by hand under a name. */
  readonly #applied = new Map<string, Pod>();
  readonly #stranger;
  #versions = 0;

  constructor(world: World) {
    this.#world = world;
    this.#stranger = world.broker.port({ clientId: 'stranger' });
    void this.#stranger.connect({ message: () => undefined, closed: () => undefined });
  }

  /** One operation, drawn by the weights of the seed. */
  async next(): Promise<void> {
    const { random, options } = this.#world;
    const total = [...options.weights.values()].reduce((sum, weight) => sum + weight, 0);
    let drawn = random.fraction() * total;
    for (const [name, weight] of options.weights) {
      drawn -= weight;
      if (drawn >= 0) continue;
      this.#world.trace.note(`op ${name}`);
      return this.#table[name]();
    }
  }

  /** Everybody finishes what he has begun: no file is left half-written, broken or elsewhere. */
  finish(): void {
    const { files, trace } = this.#world;
    trace.note('op manifests are completed');
    for (const [path, pod] of this.#manifests) files.put(path, this.#text(pod));
    files.take(`${manifestDirectory}/broken.yaml`);
  }

  readonly #table: Readonly<Record<OperationName, () => void | Promise<void>>> = {
    applyPod: () => this.#applyPod(),
    updatePod: () => this.#updatePod(),
    deletePod: () => this.#withCloudPod((pod) => this.#delete(pod, this.#drawGrace())),
    forceDeletePod: () => this.#withCloudPod((pod) => this.#delete(pod, { graceMs: 0 })),
    replacePod: () => this.#withCloudPod((pod) => {
      this.#delete(pod, { graceMs: 0 });
      if (!isMirror(pod)) this.#apply(drawPod(this.#random, pod.metadata?.name ?? ''));
    }),
    writeManifest: () => this.#writeManifest(),
    changeManifest: () => this.#withManifest((path, pod) => this.#replace(path, this.#changed(pod))),
    removeManifest: () => this.#withManifest((path) => {
      this.#manifests.delete(path);
      this.#world.files.take(path);
    }),
    renameManifest: () => this.#withManifest((path, pod) => {
      const to = `${manifestDirectory}/renamed-${++this.#versions}.yaml`;
      this.#manifests.delete(path);
      this.#manifests.set(to, pod);
      this.#world.files.put(path, this.#text(pod));
      this.#world.files.move(path, to);
    }),
    halfManifest: () => this.#withManifest((path, pod) => {
      const text = this.#text(pod);
      // Half of a manifest may be a valid one. Under a UID of its own that would be an update of the same pod, with no way back for some.
      const whole = pod.metadata?.uid === undefined ? 1 : text.indexOf('spec:') / text.length;
      this.#world.files.put(path, text, { half: this.#random.fraction() * whole });
      this.#later(wild(this.#random, 5, 5_000), () => { if (this.#manifests.get(path) === pod) this.#world.files.put(path, text); });
    }),
    brokenManifest: () => this.#world.files.put(`${manifestDirectory}/broken.yaml`, pick(this.#random, ['', '{', 'kind: Pod\n', '\u0000\u0001', 'a: &a [*a]', 'kind: List\nitems: []\n'])),
    moveAway: () => this.#withManifest((path, pod) => {
      const text = this.#text(pod);
      this.#world.files.take(path);
      this.#later(wild(this.#random, 10, 20_000), () => { if (this.#manifests.get(path) === pod) this.#world.files.put(path, text); });
    }),
    strayFile: () => {
      this.#world.files.put(`${manifestDirectory}/.web.yaml.swp`, 'not a manifest');
      this.#world.files.put(`${manifestDirectory}/web.yaml~`, this.#text(drawPod(this.#random, 'stray')));
    },
    applyByHand: () => this.#applyByHand(),
    deleteByHand: () => this.#ask('DELETE', `/v1/pods/${pick(this.#random, ['default', 'shop'])}/${this.#adminName()}`, new Uint8Array()),
    killContainer: () => this.#withRunning((id) => this.#world.runtime.kill(id)),
    outOfMemory: () => this.#withRunning((id) => this.#world.runtime.killForMemory(id)),
    loseSandbox: () => this.#choose([...this.#world.runtime.sandboxes.values()], ({ id }) => this.#world.runtime.loseSandbox(id)),
    restartRuntime: () => this.#world.runtime.restart({ downMs: this.#downMs() }),
    rebootMachine: () => this.#world.rebootMachine({ downMs: 2_000 + this.#downMs() }),
    cutLink: () => this.#world.cutLink(),
    cutCloud: () => this.#world.cutCloud(),
    restartBroker: () => this.#world.restartBroker({ downMs: this.#downMs() }),
    restartDaemon: () => this.#world.stopDaemon({ downMs: this.#downMs() }),
    killDaemon: () => this.#world.killDaemon({ downMs: this.#downMs() }),
    jumpClock: () => this.#world.clock.jumpWall(Math.round(wild(this.#random, 10, 3_600_000)) * pick(this.#random, [1, -1])),
    diskTrouble: () => this.#troubleDisk(),
    badPacket: () => this.#sendBadPacket(),
  };

  // ---- pods of the cloud -----------------------------------------------------------------------------------------------

  #applyPod(): void {
    const { options, cloud } = this.#world;
    if (options.mqttNames === 0) return;
    const name = `m${this.#random.integer(0, options.mqttNames - 1)}`;
    if (!cloud.pods().some(({ metadata }) => metadata?.name === name)) this.#apply(drawPod(this.#random, name));
  }

  #apply(pod: Pod): void {
    const { cloud, trace } = this.#world;
    const applied = cloud.applyPod({ ...pod, spec: { containers: [], ...pod.spec, nodeName } });
    trace.note(`op applies ${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''} ${applied.ok ? (applied.value.metadata?.uid ?? '') : 'refused'}`);
  }

  /** The API lets nothing but images, labels and resources change, and nothing of a pod that ends. */
  #updatePod(): void {
    this.#withCloudPod((pod) => {
      if (pod.metadata?.deletionTimestamp !== undefined || pod.spec === undefined || isMirror(pod)) return;
      const resources = { requests: { cpu: `${10 * (1 + (this.#versions % 5))}m` } };
      const containers = pod.spec.containers.map((container) => ({ ...container, resources, image: this.#random.fraction() < 0.5 ? drawImage(this.#random) : container.image ?? '' }));
      const { name = '', namespace = '' } = pod.metadata ?? {};
      this.#apply({ metadata: { name, namespace, labels: { app: name, version: String(++this.#versions) } }, spec: { ...pod.spec, containers } });
    });
  }

  #delete(pod: Pod, options: { readonly graceMs?: number }): void {
    const world = this.#world;
    const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
    world.trace.note(`op deletes ${namespace}/${name} ${uid} ${options.graceMs ?? 'own'} ms`);
    world.userActs = true;
    world.cloud.deletePod(namespace, name, options);
    world.userActs = false;
  }

  #drawGrace(): { readonly graceMs?: number } {
    return this.#random.fraction() < 0.5 ? {} : { graceMs: this.#random.integer(1, 8) * 1_000 };
  }

  // ---- pods applied on the node ----------------------------------------------------------------------------------------

  /** A new pod, or another image for one that is there: the rest of it may not change. */
  #applyByHand(): void {
    if (this.#world.options.adminNames === 0) return;
    const name = this.#adminName();
    const known = this.#applied.get(name);
    const pod = known === undefined || this.#random.fraction() < 0.3 ? drawPod(this.#random, name) : this.#withOtherImages(known);
    this.#applied.set(name, pod);
    this.#ask('POST', '/v1/pods', new TextEncoder().encode(this.#text(pod)));
  }

  #withOtherImages(pod: Pod): Pod {
    if (pod.spec === undefined) return pod;
    return { ...pod, spec: { ...pod.spec, containers: pod.spec.containers.map((container) => ({ ...container, image: drawImage(this.#random) })) } };
  }

  #adminName(): string {
    return `a${this.#random.integer(0, Math.max(0, this.#world.options.adminNames - 1))}`;
  }

  /** Without waiting: the answer may take as long as the disk does, or never come. */
  #ask(method: string, path: string, body: Uint8Array): void {
    const { agent, trace } = this.#world;
    const [route = '', query = ''] = path.split('?');
    void agent?.admin.handle({ method, path: route, query: new Map(query === '' ? [] : [['graceSeconds', query]]), headers: {}, body })
      .then(({ status, body: text }) => trace.note(`admin ${method} ${path} ${status} ${text.trim().slice(0, 200)}`));
  }

  // ---- manifests -----------------------------------------------------------------------------------------------------

  #writeManifest(): void {
    const name = `f${this.#random.integer(0, this.#world.options.fileNames - 1)}`;
    if ([...this.#manifests.values()].some(({ metadata }) => metadata?.name === name)) return;
    const pod = drawPod(this.#random, name);
    const uid = this.#random.fraction() < 0.3 ? { uid: this.#random.uuid() } : {};
    this.#replace(`${manifestDirectory}/${name}.yaml`, { ...pod, metadata: { ...pod.metadata, ...uid } });
  }

  /** Some changes are of what runs, some of the object alone. Under a UID of its own a pod keeps all but its images, as in the API. */
  #changed(pod: Pod): Pod {
    const metadata = { ...pod.metadata, labels: { version: String(++this.#versions) } };
    if (pod.spec === undefined || this.#random.fraction() < 0.3) return { ...pod, metadata };
    if (metadata.uid === undefined) return { ...pod, metadata, spec: drawSpec(this.#random) };
    return { ...this.#withOtherImages(pod), metadata };
  }

  /** In place, or as careful programs do it, by renaming a finished file. */
  #replace(path: string, pod: Pod): void {
    const { files } = this.#world;
    this.#manifests.set(path, pod);
    if (this.#random.fraction() < 0.5) return files.put(path, this.#text(pod));
    files.put(`${manifestDirectory}/.new.tmp`, this.#text(pod));
    files.move(`${manifestDirectory}/.new.tmp`, path);
  }

  #text(pod: Pod): string {
    return stringify(pod);
  }

  // ---- the rest --------------------------------------------------------------------------------------------------------

  #troubleDisk(): void {
    const { faults } = this.#world.files;
    const heal = pick(this.#random, [
      () => { faults.noSpace = true; return () => { faults.noSpace = false; }; },
      () => { faults.readOnly = true; return () => { faults.readOnly = false; }; },
      () => { faults.noWatches = true; return () => { faults.noWatches = false; }; },
      () => { faults.forbidden.add(manifestDirectory); return () => { faults.forbidden.delete(manifestDirectory); }; },
    ])();
    this.#later(this.#downMs(), heal);
  }

  #sendBadPacket(): void {
    const payload = pick(this.#random, [
      new Uint8Array(), new TextEncoder().encode('not gzip'), packJson({}), packJson({ data_type: 'pod' }), packJson({ data_type: 'pod', pod_data: { metadata: { name: '../../x' } } }),
      packJson({ data_type: 'ack', ack_data: { identity: 'nobody', error_type: 2 } }), packJson({ data_type: 'node', node_data: { metadata: { name: 'another' } } }),
    ]);
    void this.#stranger.publish({ topic: `${rootTopic}/ctl/${nodeName}`, payload, qos: 1, retain: this.#random.fraction() < 0.2 });
  }

  get #random() {
    return this.#world.random;
  }

  #downMs(): number {
    return Math.round(wild(this.#random, 10, 20_000));
  }

  #later(afterMs: number, act: () => void): void {
    this.#world.clock.setTimeout(act, afterMs);
  }

  #withCloudPod(act: (pod: Pod) => void): void {
    this.#choose(this.#world.cloud.pods(), act);
  }

  #withManifest(act: (path: string, pod: Pod) => void): void {
    this.#choose([...this.#manifests], ([path, pod]) => act(path, pod));
  }

  #withRunning(act: (id: string) => void): void {
    this.#choose([...this.#world.runtime.containers.values()].filter(({ state }) => state === 'running'), ({ id }) => act(id));
  }

  #choose<T>(choices: readonly T[], act: (choice: T) => void): void {
    if (choices.length > 0) act(pick(this.#random, choices));
  }
}
