// Keeps a mirror pod in the API for each static pod, so that users see it there. The static pod runs with or without one.
import type { ApiOutcome, ApiWrite } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import type { PodReference } from '../bus/messages.ts';
import type { PodOperation } from '../bus/source-update.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { type DesiredPod, type Node, type Pod, podFullName, type PodUid } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { LinkRetry } from './link-retry.ts';
import { mirrorObject, MirrorState } from './mirror-state.ts';

/** Before a write that failed is tried again. The timer runs only while there is such a write. */
export const retryPeriodMs = 10_000;

export interface MirrorPodsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  /** Whether a node object will come to be known; mirrors wait for it, because it owns them. */
  readonly nodeRegisters: boolean;
}

interface Mirror {
  readonly fullName: string;
  readonly state: MirrorState;
  /** As last told to the status reporter: `static UID/API UID`. */
  told: string;
  /** So that the same trouble is logged once. */
  trouble: string;
}

class MirrorPods implements Stoppable {
  readonly #deps: MirrorPodsDeps;
  readonly #listenings: Listening[];
  readonly #retry: LinkRetry;
  /** By full name: static pods, and mirrors in the API. */
  readonly #mirrors = new Map<string, Mirror>();
  #node: Node | undefined;
  #sourcesReady = false;

  constructor(deps: MirrorPodsDeps) {
    this.#deps = deps;
    const { bus, clock } = deps;
    this.#retry = new LinkRetry({ bus, clock, periodMs: retryPeriodMs, again: () => this.#all() });
    this.#listenings = [
      bus.on('pods.changed', ({ payload }) => this.#operated(payload)),
      bus.on('pod.terminated', ({ payload }) => this.#ended(payload.pod)),
      bus.on('pod.forgotten', ({ payload }) => this.#ended(payload.pod)),
      bus.on('mirror.received', ({ payload }) => this.#received(payload.fullName, payload.pod)),
      bus.on('node.registered', ({ payload }) => {
        this.#node = payload.node;
        this.#all();
      }),
      bus.on('sources.ready', () => {
        this.#sourcesReady = true;
        this.#all();
      }),
      bus.on('api.settled', ({ payload }) => this.#settled(payload.write, payload.outcome), 'mirror-pods'),
      bus.on('api.settled', ({ payload }) => this.#statusSettled(payload.write, payload.outcome), 'status-reporter'),
    ];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    this.#retry.stop();
    this.#mirrors.clear();
  }

  #operated({ op, source, pods }: PodOperation): void {
    if (source !== 'file') return;
    for (const pod of pods) {
      if (op === 'ADD' || op === 'UPDATE') this.#want(pod);
      else if (op === 'REMOVE') this.#mirrors.get(podFullName(pod))?.state.unwant(pod.uid);
    }
  }

  #want(pod: DesiredPod): void {
    const mirror = this.#mirrorOf(podFullName(pod));
    mirror.state.want(pod);
    this.#act(mirror);
  }

  #mirrorOf(fullName: string): Mirror {
    const known = this.#mirrors.get(fullName);
    if (known !== undefined) return known;
    const made: Mirror = { fullName, state: new MirrorState(), told: '', trouble: '' };
    this.#mirrors.set(fullName, made);
    return made;
  }

  #ended(pod: PodReference): void {
    const mirror = this.#mirrors.get(podFullName(pod));
    if (mirror?.state.ended(pod.uid) !== true) return;
    // Whoever kept something by this UID has dropped it: should it begin anew, all is told again.
    if (mirror.state.current?.uid === pod.uid) mirror.told = '';
    this.#act(mirror);
  }

  #received(fullName: string, pod: Pod | undefined): void {
    const mirror = this.#mirrorOf(fullName);
    mirror.state.see(pod);
    this.#act(mirror);
  }

  #all(): void {
    for (const mirror of [...this.#mirrors.values()]) this.#act(mirror);
  }

  #act(mirror: Mirror): void {
    this.#tell(mirror);
    if (mirror.state.empty) {
      this.#mirrors.delete(mirror.fullName);
      return;
    }
    if (mirror.state.foreign) this.#complain(mirror, 'a pod that is no mirror pod has its name');
    if (!this.#retry.up || (this.#deps.nodeRegisters && this.#node === undefined)) return;
    const step = mirror.state.step({ orphans: this.#sourcesReady });
    if (step === undefined) return;
    const { bus, random } = this.#deps;
    const id = mirror.state.begin(step, () => random.uuid());
    const [name = '', namespace = ''] = mirror.fullName.split('_');
    const common = { id, writer: 'mirror-pods', lane: this.#laneOf(mirror), kind: 'Pod', namespace, name } as const;
    switch (step.verb) {
      case 'create':
        bus.publish('api.write', { ...common, verb: 'create', object: mirrorObject(step.static, this.#node) });
        return;
      case 'get':
        bus.publish('api.write', { ...common, verb: 'get' });
        return;
      case 'delete':
        bus.publish('api.write', { ...common, verb: 'delete', uid: step.uid, gracePeriodSeconds: 0 });
        return;
      default:
        step satisfies never;
    }
  }

  /** The one in which the status reporter writes too, so that a status never overtakes the object it belongs to. */
  #laneOf({ fullName, state }: Mirror): string {
    return state.current === undefined ? `mirror/${fullName}` : `pod/${state.current.uid}`;
  }

  /** Tells the status reporter under which UID the API has the static pod, when that changed. */
  #tell(mirror: Mirror): void {
    const { current, known } = mirror.state;
    const told = current === undefined || known === undefined ? '' : `${current.uid}/${known.uid}`;
    if (told === mirror.told) return;
    const [staticUid] = (told || mirror.told).split('/');
    mirror.told = told;
    const payload = { fullName: mirror.fullName, staticUid: staticUid as PodUid, apiUid: known?.uid, status: known?.status }; // It was put there above.
    this.#deps.bus.publish('mirror.known', payload);
  }

  #settled(write: ApiWrite, outcome: ApiOutcome): void {
    if (write.kind !== 'Pod') return;
    const mirror = this.#mirrors.get(podFullName(write));
    if (mirror === undefined) return;
    const failed = mirror.state.settle(write.id, outcome);
    if (failed === undefined) {
      mirror.trouble = mirror.state.foreign ? mirror.trouble : '';
      this.#act(mirror);
      return;
    }
    this.#complain(mirror, failed);
    this.#retry.later();
  }

  /** A copy from before the write would be a wrong base for the next one. */
  #statusSettled(write: ApiWrite, outcome: ApiOutcome): void {
    if (write.kind !== 'Pod' || write.verb !== 'patchStatus' || outcome.kind !== 'accepted') return;
    // The answer to a write of kind Pod is a Pod.
    this.#mirrors.get(podFullName(write))?.state.statusWritten((outcome.object as Pod | undefined)?.status);
  }

  #complain(mirror: Mirror, fault: string): void {
    if (mirror.trouble === fault) return;
    mirror.trouble = fault;
    this.#deps.log.warn('mirror-pods.failed', { pod: mirror.fullName, fault });
  }
}

/**
 * Listens to `pods.changed`, `pod.terminated`, `pod.forgotten`, `mirror.received`, `node.registered`, `sources.ready`, `mqtt.link`
 * and `api.settled`; publishes `api.write` and `mirror.known`.
 */
export function startMirrorPods(deps: MirrorPodsDeps): Stoppable {
  return new MirrorPods(deps);
}
