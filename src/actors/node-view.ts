// The picture of the node and its pods for people, built from bus messages. Everything in it is bounded; nothing is decided from it.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { LinkStatus, Messages } from '../bus/messages.ts';
import type { PodOperation } from '../bus/source-update.ts';
import type { Transition } from '../ports/admin-answers.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { InputFault } from '../ports/faults.ts';
import type { DesiredPod, Event, Node, PodStatus, PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';

/** Events kept, the one heard of longest ago leaves first. */
export const eventsMax = 200;
/** Refusals kept, oldest leave first. */
export const refusalsMax = 100;
/** Moves of one pod's machine kept, oldest leave first. */
export const transitionsMax = 30;
/** Requests that may wait for a change at once. Further ones are answered at once. */
const waitersMax = 32;

export interface PodView {
  readonly desired: DesiredPod;
  readonly status: PodStatus | undefined;
  readonly state: string;
  readonly transitions: readonly Transition[];
  readonly lastPlan: { readonly atMs: number; readonly steps: readonly string[] } | undefined;
  readonly firstSeenMs: number;
}

export interface RefusalView {
  readonly atMs: number;
  readonly fault: InputFault;
}

export interface NodeView extends Stoppable {
  /** Grows with every change. */
  revision(): number;
  /** Resolves when the revision is beyond `after`, or when the time is over. */
  changedAfter(after: number, timeoutMs: number): Promise<void>;
  /** In order of namespace and name; of one name the newest first. */
  pods(): readonly PodView[];
  /** Newest first: a pod may still be ending while its successor of the same name waits. */
  podsOf(namespace: string, name: string): readonly PodView[];
  /** Oldest first. */
  events(): readonly Event[];
  refusals(): readonly RefusalView[];
  node(): { readonly node: Node | undefined; readonly registered: boolean; readonly link: LinkStatus | undefined; readonly runtime: Messages['runtime.health'] | undefined };
  /** Since when, wall milliseconds, the link is up or is not and the runtime is as it is; 0 before the first word of them. */
  since(): Readonly<Since>;
}

interface Since {
  linkMs: number;
  linkEverUp: boolean;
  runtimeMs: number;
  goesDown: boolean;
}

interface MutablePodView {
  desired: DesiredPod;
  status: PodStatus | undefined;
  state: string;
  readonly transitions: Transition[];
  lastPlan: PodView['lastPlan'];
  readonly firstSeenMs: number;
}

class View implements NodeView {
  readonly #clock: ClockPort;
  readonly #listenings: Listening[];
  readonly #pods = new Map<PodUid, MutablePodView>();
  /** By lane, which is one event's name; newest last. */
  readonly #events = new Map<string, Event>();
  readonly #refusals: RefusalView[] = [];
  readonly #waiters = new Set<() => void>();
  #revision = 1;
  #node: Node | undefined;
  #registered = false;
  #link: LinkStatus | undefined;
  #runtime: Messages['runtime.health'] | undefined;
  readonly #since: Since = { linkMs: 0, linkEverUp: false, runtimeMs: 0, goesDown: false };

  constructor({ bus, clock }: { readonly bus: BusPort; readonly clock: ClockPort }) {
    this.#clock = clock;
    this.#listenings = [
      bus.on('pods.changed', ({ payload, at }) => this.#operate(payload, at)),
      bus.on('pod.status', ({ payload }) => this.#change(payload.pod.uid, (pod) => { pod.status = payload.status; })),
      bus.on('pod.transitioned', ({ payload: { pod: { uid }, from, to, on }, at }) => this.#change(uid, (pod) => {
        pod.state = to;
        push(pod.transitions, { atMs: at, from, to, on }, transitionsMax);
      })),
      bus.on('pod.planned', ({ payload: { pod: { uid }, steps }, at }) => this.#change(uid, (pod) => { pod.lastPlan = { atMs: at, steps }; })),
      bus.on('pod.forgotten', ({ payload }) => {
        this.#pods.delete(payload.pod.uid);
        this.#changed();
      }),
      bus.on('api.write', ({ payload }) => { if (payload.kind === 'Event' && 'object' in payload) this.#eventWritten(payload.lane, payload.object); }),
      bus.on('input.refused', ({ payload, at }) => push(this.#refusals, { atMs: at, fault: payload.fault }, refusalsMax)),
      bus.on('node.status', ({ payload }) => this.#set(() => { this.#node = payload.node; })),
      bus.on('node.registered', () => this.#set(() => { this.#registered = true; })),
      bus.on('mqtt.link', ({ payload, at }) => this.#set(() => this.#linkIs(payload, at))),
      bus.on('runtime.health', ({ payload, at }) => this.#set(() => this.#runtimeIs(payload, at))),
      bus.on('node.shutdown', ({ payload }) => this.#set(() => { this.#since.goesDown = payload.goesDown; })),
    ];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    for (const wake of this.#waiters) wake();
  }

  revision(): number {
    return this.#revision;
  }

  changedAfter(after: number, timeoutMs: number): Promise<void> {
    if (this.#revision > after || this.#waiters.size >= waitersMax) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#clock.clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = this.#clock.setTimeout(wake, timeoutMs);
      this.#waiters.add(wake);
    });
  }

  pods(): readonly PodView[] {
    return [...this.#pods.values()].reverse().sort((a, b) => compare(a.desired.namespace, b.desired.namespace) || compare(a.desired.name, b.desired.name));
  }

  podsOf(namespace: string, name: string): readonly PodView[] {
    return [...this.#pods.values()].filter(({ desired }) => desired.namespace === namespace && desired.name === name).reverse();
  }

  events(): readonly Event[] {
    return [...this.#events.values()];
  }

  refusals(): readonly RefusalView[] {
    return this.#refusals;
  }

  node() {
    return { node: this.#node, registered: this.#registered, link: this.#link, runtime: this.#runtime };
  }

  since(): Readonly<Since> {
    return this.#since;
  }

  #linkIs(link: LinkStatus, at: number): void {
    const isUp = link.state === 'up';
    if (this.#link === undefined || isUp !== (this.#link.state === 'up')) this.#since.linkMs = at;
    if (isUp) this.#since.linkEverUp = true;
    this.#link = link;
  }

  #runtimeIs(health: Messages['runtime.health'], at: number): void {
    const before = this.#runtime;
    if (before === undefined || before.runtimeReady !== health.runtimeReady || before.networkReady !== health.networkReady) this.#since.runtimeMs = at;
    this.#runtime = health;
  }

  #operate({ op, pods }: PodOperation, at: number): void {
    // A removed pod stays in the picture until it is forgotten: it is still stopping.
    if (op === 'REMOVE') return;
    for (const desired of pods) {
      const known = this.#pods.get(desired.uid);
      if (known !== undefined) known.desired = desired;
      else if (op === 'ADD') this.#pods.set(desired.uid, { desired, status: undefined, state: '', transitions: [], lastPlan: undefined, firstSeenMs: at });
    }
    this.#changed();
  }

  #change(uid: PodUid, apply: (pod: MutablePodView) => void): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    apply(pod);
    this.#changed();
  }

  #set(apply: () => void): void {
    apply();
    this.#changed();
  }

  #eventWritten(lane: string, event: Event): void {
    this.#events.delete(lane);
    this.#events.set(lane, event);
    if (this.#events.size > eventsMax) {
      const [oldest] = this.#events.keys();
      if (oldest !== undefined) this.#events.delete(oldest);
    }
    this.#changed();
  }

  #changed(): void {
    this.#revision += 1;
    for (const wake of this.#waiters) wake();
  }
}

function push<T>(list: T[], item: T, lengthMax: number): void {
  list.push(item);
  if (list.length > lengthMax) list.shift();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function startNodeView(deps: { readonly bus: BusPort; readonly clock: ClockPort }): NodeView {
  return new View(deps);
}
