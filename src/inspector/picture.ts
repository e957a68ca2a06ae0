// The node at one moment, folded from messages and steps: pods, actors, and the node itself. Pure but for its own maps; it renders nothing.
import type { Messages } from '../bus/messages.ts';
import type { PodContext } from '../machines/pod-types.ts';
import { eventName } from '../machines/transition-names.ts';
import type { MachineStep } from '../ports/machine-watch.ts';
import type { DesiredPod, PodStatus } from '../ports/pod-types.ts';
import { type ActorPicture, ActorPictures } from './actor-pictures.ts';
import { type Gone, noteGone } from './gone.ts';
import type { Kept, KeptMessage } from './kept.ts';
import { copiedNode, foldNode, type NodePicture, noNode } from './node-picture.ts';
import { visitsMax } from './protocol.ts';
import type { EntryNumber, Visit } from './shown.ts';
import { newsOf, noNews, whyNews, type WhyNews } from './why-news.ts';

export interface ProbeNews {
  readonly container: string;
  readonly probe: 'startup' | 'readiness' | 'liveness';
  readonly result: 'success' | 'failure';
  readonly message: string;
  readonly atMs: number;
}

/** One pod. A change makes a new record: older pictures keep theirs. */
export interface PodPicture {
  readonly changedN: EntryNumber;
  readonly desired: DesiredPod;
  readonly status: PodStatus | undefined;
  readonly state: string;
  readonly visits: readonly Visit[];
  readonly plan: { readonly atMs: number; readonly steps: readonly string[] } | undefined;
  /** What the machine remembers; undefined before its first step. */
  readonly context: PodContext | undefined;
  readonly lastStep: EntryNumber;
  readonly firstSeenMs: number;
  /** Of the last event that was noted of it. */
  readonly reason: string;
  /** The newest of each container and probe. */
  readonly probes: readonly ProbeNews[];
  /** Of its pulls, the runs of its probes, and its writes. */
  readonly news: WhyNews;
}

/** A picture as plain data. */
export interface PictureData {
  readonly n: EntryNumber;
  readonly atMs: number;
  readonly pods: ReadonlyMap<string, PodPicture>;
  readonly actors: readonly ActorPicture[];
  readonly node: NodePicture;
}

export class Picture {
  n: EntryNumber = 0;
  atMs = 0;
  readonly pods: Map<string, PodPicture>;
  readonly actors: ActorPictures;
  node: NodePicture;
  nodeChangedN: EntryNumber = 0;
  readonly gonePods: Gone[];

  constructor(from?: PictureData | Picture) {
    this.pods = new Map(from?.pods);
    this.actors = new ActorPictures(from?.actors);
    this.node = copiedNode(from?.node ?? noNode);
    this.gonePods = from instanceof Picture ? [...from.gonePods] : [];
    if (from === undefined) return;
    this.n = from.n;
    this.atMs = from.atMs;
    this.nodeChangedN = from instanceof Picture ? from.nodeChangedN : from.n;
  }

  data(): PictureData {
    const { n, atMs, pods, node } = this;
    return { n, atMs, pods, actors: [...this.actors.all()], node };
  }

  /** Those of one part, from one index up to and without another. */
  applyAll(items: readonly Kept[], from: number, to: number): void {
    for (let index = from; index < to; index += 1) {
      const one = items[index];
      if (one !== undefined) this.apply(one);
    }
  }

  /** Entries that leave nothing behind. */
  pass(count: number, atMs: number): void {
    this.n += count;
    this.atMs = atMs;
  }

  apply(one: Kept): void {
    this.n += 1;
    this.atMs = one.at;
    if ('k' in one) return this.#step(one);
    this.actors.message(one, this.n);
    const node = foldNode(this.node, one);
    if (node !== this.node) {
      this.node = node;
      this.nodeChangedN = this.n;
    }
    this.#message(one);
  }

  #message(one: KeptMessage): void {
    const about = this.pods.get(newsOf(one) ?? '');
    if (about !== undefined) this.#change(about.desired.uid, { news: whyNews(about.news, one) });
    switch (one.topic) {
      case 'pods.changed': return this.#operate(one.payload, one.at);
      case 'pod.status': return this.#change(one.payload.pod.uid, { status: one.payload.status });
      case 'pod.planned': return this.#change(one.payload.pod.uid, { plan: { atMs: one.at, steps: one.payload.steps } });
      case 'pod.forgotten': return this.#forget(one.payload.pod);
      case 'probe.changed': return this.#probed(one.payload, one.at);
      case 'event.noted': {
        const { subject, reason } = one.payload;
        if (subject.kind === 'Pod') this.#change(subject.pod.uid, { reason });
        return;
      }
      default:
    }
  }

  #operate({ op, pods }: Messages['pods.changed'], at: number): void {
    // What is removed is shown until it is forgotten: it is still stopping.
    if (op === 'REMOVE') return;
    for (const desired of pods) {
      if (this.pods.has(desired.uid)) this.#change(desired.uid, { desired });
      else if (op === 'ADD') {
        this.pods.set(desired.uid, {
          changedN: this.n, desired, status: undefined, state: '', visits: [], plan: undefined, context: undefined, lastStep: 0, firstSeenMs: at, reason: '', probes: [], news: noNews,
        });
      }
    }
  }

  #step(step: MachineStep): void {
    this.actors.step(step, this.n);
    const pod = step.pod === '' ? undefined : this.pods.get(step.pod);
    if (pod === undefined) return;
    const moved = step.to !== pod.state;
    const visit: Visit = { n: this.n, state: step.to, enteredAtMs: step.at, on: eventName(step.event.type) };
    this.#change(step.pod, {
      lastStep: this.n,
      // Steps that name a pod are its machine's, whose context this is.
      context: step.context as PodContext | undefined ?? pod.context,
      ...(moved ? { state: step.to, visits: withVisit(pod.visits, visit) } : {}),
    });
  }

  #probed({ pod: { uid }, container, probe, result, message }: Messages['probe.changed'], atMs: number): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) return;
    const others = pod.probes.filter((each) => each.container !== container || each.probe !== probe);
    this.#change(uid, { probes: [...others, { container, probe, result, message, atMs }] });
  }

  #forget({ uid, namespace, name }: Messages['pod.forgotten']['pod']): void {
    if (!this.pods.delete(uid)) return;
    noteGone(this.gonePods, { n: this.n, id: uid });
    // Its successor of the same name has the same actor's name.
    for (const { desired } of this.pods.values()) if (desired.name === name && desired.namespace === namespace) return;
    this.actors.forget(`pod ${namespace}/${name}`, this.n);
  }

  #change(uid: string, change: Partial<PodPicture>): void {
    const pod = this.pods.get(uid);
    if (pod !== undefined) this.pods.set(uid, { ...pod, ...change, changedN: this.n });
  }
}

function withVisit(visits: readonly Visit[], visit: Visit): readonly Visit[] {
  const last = visits.at(-1);
  const before = last === undefined ? [] : [...visits.slice(visits.length < visitsMax ? 0 : 1, -1), { ...last, leftAtMs: visit.enteredAtMs }];
  return [...before, visit];
}
