// Keeps the node lease alive: gives the lease machine its calls. Writes nothing while the link is down, and at once when it is back.
import { createActor, fromPromise, type Actor } from 'xstate';
import type { ApiOutcome, ApiWrite } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import { type LeaseAnswer, type LeaseCall, leaseMachine } from '../machines/lease-machine.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MachineWatch } from '../ports/machine-watch.ts';
import type { Lease, Node } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { rfc3339Micros } from '../ports/rfc3339.ts';
import { stepsOf } from './watch-machine.ts';

const leaseNamespace = 'kube-node-lease';
/** Part of the lease's life after which it is renewed. */
const renewFraction = 0.25;
const renewJitter = 0.04;

export interface LeaseActorDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly nodeName: string;
  readonly leaseDurationSeconds: number;
  /** Absent: nobody watches the machine. */
  readonly watch?: MachineWatch | undefined;
}

interface Waiting {
  readonly id: string;
  readonly resolve: (answer: LeaseAnswer) => void;
}

class LeaseActor implements Stoppable {
  readonly #deps: LeaseActorDeps;
  readonly #actor: Actor<ReturnType<typeof leaseMachine.provide>>;
  readonly #listenings: Listening[];
  #waiting: Waiting | undefined;
  #owner: Node | undefined;
  #linkUp = false;
  #state = '';

  constructor(deps: LeaseActorDeps) {
    this.#deps = deps;
    const { bus, clock, watch } = deps;
    this.#listenings = [
      bus.on('mqtt.link', ({ payload }) => this.#linkChanged(payload.state === 'up')),
      bus.on('node.registered', ({ payload }) => { this.#owner = payload.node; }),
      bus.on('api.settled', ({ payload }) => this.#settled(payload.write, payload.outcome), 'lease'),
    ];
    this.#actor = createActor(this.#logic(), {
      ...(watch === undefined ? {} : { inspect: stepsOf({ watch, machine: 'lease', actor: 'lease', clock, cause: () => bus.cause() }) }),
      clock: { setTimeout: (run, delayMs) => clock.setTimeout(run, delayMs), clearTimeout: (handle) => clock.clearTimeout(handle) },
    });
    this.#actor.subscribe({
      next: ({ value }) => this.#moved(String(value)),
      error: (error: unknown) => bus.publish('actor.failed', { actor: 'lease', message: String(error), action: 'the lease is not renewed any more' }),
    });
    this.#actor.start();
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    this.#actor.stop();
  }

  #logic() {
    const { random, leaseDurationSeconds } = this.#deps;
    const intervalMs = leaseDurationSeconds * 1_000 * renewFraction;
    return leaseMachine.provide({
      actors: { call: fromPromise(({ input }: { input: LeaseCall }) => this.#call(input)) },
      delays: { interval: () => intervalMs * (1 + renewJitter * random.fraction()) },
    });
  }

  #linkChanged(up: boolean): void {
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    this.#actor.send({ type: up ? 'link.up' : 'link.down' });
  }

  #moved(state: string): void {
    if (state === 'stale' && this.#state !== 'stale') this.#deps.log.warn('lease.stale', { node: this.#deps.nodeName });
    this.#state = state;
  }

  #call({ verb, lease }: LeaseCall): Promise<LeaseAnswer> {
    const { bus, random, nodeName } = this.#deps;
    const common = { id: random.uuid(), writer: 'lease', lane: 'lease', kind: 'Lease', namespace: leaseNamespace, name: nodeName } as const;
    return new Promise((resolve) => {
      // A call that was left behind has no reader any more; its late answer finds nobody.
      this.#waiting = { id: common.id, resolve };
      bus.publish('api.write', verb === 'get' ? { ...common, verb } : { ...common, verb, object: this.#renewed(lease) });
    });
  }

  #renewed(lease: Lease | undefined): Lease {
    const { clock, nodeName, leaseDurationSeconds } = this.#deps;
    const uid = this.#owner?.metadata?.uid;
    const ownerReferences = lease?.metadata?.ownerReferences ?? (uid === undefined || uid === '' ? undefined : [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }]);
    return {
      ...lease,
      metadata: { ...lease?.metadata, name: nodeName, namespace: leaseNamespace, ...(ownerReferences === undefined ? {} : { ownerReferences }) },
      spec: { ...lease?.spec, holderIdentity: nodeName, leaseDurationSeconds, renewTime: rfc3339Micros(clock.nowMs()) },
    };
  }

  #settled(write: ApiWrite, outcome: ApiOutcome): void {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.id !== write.id) return;
    this.#waiting = undefined;
    waiting.resolve(answerOf(write, outcome));
  }
}

function answerOf(write: ApiWrite, outcome: ApiOutcome): LeaseAnswer {
  switch (outcome.kind) {
    case 'accepted': {
      // The answer to a write of kind Lease is a Lease; where none is given, what was written stands.
      const answered = outcome.object as Lease | undefined;
      return { kind: 'accepted', lease: answered ?? ('object' in write && write.kind === 'Lease' ? write.object : undefined) };
    }
    case 'refused':
      if (outcome.status.reason === 'NotFound') return { kind: 'not-found' };
      if (outcome.status.reason === 'AlreadyExists') return { kind: 'already-exists' };
      return outcome.status.reason === 'Conflict' ? { kind: 'conflict' } : { kind: 'failed' };
    case 'unanswered':
    case 'superseded':
      return { kind: 'failed' };
    default:
      return outcome satisfies never;
  }
}

export function startLeaseActor(deps: LeaseActorDeps): Stoppable {
  return new LeaseActor(deps);
}
