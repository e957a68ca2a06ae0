// The node towards the API: registers it, and keeps its status true there.
// One write is under way at most; what counts as known to the API is only what it acknowledged.
import type { ApiOutcome, ApiWrite } from '../bus/api-write.ts';
import type { Listening } from '../bus/bus.ts';
import type { LinkStatus } from '../bus/messages.ts';
import { conditionsLost, conditionsOverruled, nodeStatusPatch, statusChanged } from '../machines/decide/node-patch.ts';
import type { Node } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { type NodeStatus, type NodeStatusDeps, NodeStatusKeeper } from './node-status-keeper.ts';

/** Pause after a registration that failed, doubling. */
const registerPauseMsMin = 100;
const registerPauseMsMax = 7_000;
const tickJitter = 0.04;

export interface NodeActorDeps extends NodeStatusDeps {
  readonly random: RandomPort;
  /** False: the node tells nobody; its status is computed for the admin API alone. */
  readonly register: boolean;
  /** How often the status is computed. */
  readonly updatePeriodMs: number;
  /** How often it is sent although nothing changed; host facts and images are read again as often. */
  readonly reportPeriodMs: number;
  /** What is wrong with the host's resolver, said once; undefined: nothing. */
  readonly resolverNote?: string | undefined;
}

interface PendingWrite {
  readonly id: string;
  readonly status: NodeStatus;
  readonly withMetadata: boolean;
}

class NodeActor implements Stoppable {
  readonly #deps: NodeActorDeps;
  readonly #keeper: NodeStatusKeeper;
  readonly #listenings: Listening[];
  #stopped = false;
  #tickTimer: unknown;
  #registerTimer: unknown;
  #shown: NodeStatus | undefined;
  #registered = false;
  #registerPauseMs = registerPauseMsMin;
  /** As the API last accepted it; undefined when nobody knows what it has. */
  #accepted: NodeStatus | undefined;
  /** Labels and annotations are said once to a node that existed before. */
  #metadataDue = false;
  #reportDueMs = 0;
  #refreshDueMs = 0;
  #linkUp = false;
  #pending: PendingWrite | undefined;
  #cloudNode: Node | undefined;
  #announcedUid: string | undefined;
  /** The cloud has listed all it has, and its node comes next. */
  #listed = false;
  /** As the API's node was told of last: somebody has cordoned it. */
  #unschedulable = false;

  constructor(deps: NodeActorDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#keeper = new NodeStatusKeeper(deps, () => this.#update());
    this.#listenings = [
      bus.on('mqtt.link', ({ payload }) => this.#linkChanged(payload)),
      bus.on('node.received', ({ payload }) => this.#nodeReceived(payload.node)),
      bus.on('cloud.listed', () => { this.#listed = true; }),
      bus.on('api.settled', ({ payload }) => this.#settled(payload.write, payload.outcome), 'node'),
    ];
    void this.#begin();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#tickTimer);
    this.#deps.clock.clearTimeout(this.#registerTimer);
    this.#keeper.stop();
    for (const listening of this.#listenings) listening.off();
  }

  async #begin(): Promise<void> {
    const { bus, clock, random, reportPeriodMs, resolverNote } = this.#deps;
    // Those who write it to the API are started after this actor, in the same turn: the bus has no memory.
    await Promise.resolve();
    if (this.#stopped) return;
    bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' });
    if (resolverNote !== undefined) bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: 'CheckLimitsForResolvConf', message: resolverNote });
    // The first report is spread, so that a fleet that starts together does not report together.
    this.#reportDueMs = clock.monotonicMs() + reportPeriodMs * (0.5 + random.fraction());
    await this.#tick();
    this.#register();
  }

  async #tick(): Promise<void> {
    const { clock, random, updatePeriodMs, reportPeriodMs } = this.#deps;
    if (clock.monotonicMs() >= this.#refreshDueMs) {
      await this.#keeper.refresh();
      this.#refreshDueMs = clock.monotonicMs() + reportPeriodMs;
    }
    await this.#keeper.renewImages();
    if (this.#stopped) return;
    this.#update();
    this.#tickTimer = clock.setTimeout(() => void this.#tick(), updatePeriodMs * (1 + tickJitter * random.fraction()));
  }

  /** Computes the status, shows it when it changed, sends it when that or the time says so. */
  #update(): void {
    const status = this.#keeper.compute();
    if (status === undefined) return;
    if (statusChanged(this.#shown, status)) {
      this.#shown = status;
      this.#deps.bus.publish('node.status', { node: this.#keeper.object(status) });
    }
    if (!this.#registered || !this.#linkUp || this.#pending !== undefined) return;
    const due = this.#deps.clock.monotonicMs() >= this.#reportDueMs;
    if (due || this.#metadataDue || statusChanged(this.#accepted, status)) this.#sendPatch(status);
  }

  #linkChanged({ state }: LinkStatus): void {
    const up = state === 'up';
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    this.#deps.clock.clearTimeout(this.#registerTimer);
    if (!up) return;
    this.#registerPauseMs = registerPauseMsMin;
    if (this.#registered) this.#update();
    else this.#register();
  }

  #register(): void {
    const { bus, random, identity, register } = this.#deps;
    if (!register || this.#stopped || this.#registered || !this.#linkUp || this.#pending !== undefined) return;
    const status = this.#keeper.compute();
    if (status === undefined) return;
    this.#pending = { id: random.uuid(), status, withMetadata: true };
    const object = this.#keeper.object(status);
    bus.publish('api.write', { id: this.#pending.id, writer: 'node', lane: 'node', verb: 'create', kind: 'Node', name: identity.name, object });
  }

  #sendPatch(status: NodeStatus): void {
    const { bus, random, identity } = this.#deps;
    const { labels, annotations } = this.#keeper.object(status).metadata ?? {};
    const metadata = this.#metadataDue ? { metadata: { labels, annotations } } : {};
    this.#pending = { id: random.uuid(), status, withMetadata: this.#metadataDue };
    const patch = { ...metadata, ...nodeStatusPatch(this.#accepted, status) };
    bus.publish('api.write', { id: this.#pending.id, writer: 'node', lane: 'node', verb: 'patchStatus', kind: 'Node', name: identity.name, patch });
  }

  #settled(write: ApiWrite, outcome: ApiOutcome): void {
    const pending = this.#pending;
    if (this.#stopped || pending === undefined || pending.id !== write.id) return;
    this.#pending = undefined;
    // The answer to a write of kind Node is a Node.
    if (outcome.kind === 'accepted') this.#acknowledged(pending, outcome.object as Node | undefined);
    else if (outcome.kind === 'refused' && outcome.status.reason === 'AlreadyExists' && write.verb === 'create') this.#alreadyExists();
    else this.#failed(write, outcome);
  }

  #acknowledged({ status, withMetadata }: PendingWrite, object: Node | undefined): void {
    const { clock, reportPeriodMs } = this.#deps;
    this.#registered = true;
    this.#accepted = status;
    if (withMetadata) this.#metadataDue = false;
    this.#reportDueMs = clock.monotonicMs() + reportPeriodMs;
    this.#announce(object?.metadata?.name === undefined ? (this.#cloudNode ?? this.#keeper.object(status)) : object);
    // What changed while the write was under way.
    this.#update();
  }

  #alreadyExists(): void {
    const { bus, identity } = this.#deps;
    this.#registered = true;
    this.#accepted = undefined;
    this.#metadataDue = true;
    const before = this.#cloudNode?.status?.nodeInfo?.bootID ?? '';
    const now = this.#keeper.host()?.bootId ?? '';
    if (before !== '' && now !== '' && before !== now) {
      bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: 'Rebooted', message: `Node ${identity.name} has been rebooted, boot id: ${now}` });
    }
    this.#update();
  }

  #failed(write: ApiWrite, outcome: ApiOutcome): void {
    const { clock, log } = this.#deps;
    log.warn('node.write-failed', { verb: write.verb, fault: faultText(outcome) });
    // The node is gone from the API: it is made anew, as at the start.
    if (outcome.kind === 'refused' && outcome.status.reason === 'NotFound') this.#registered = false;
    // A status patch is tried again with the next tick.
    if (this.#registered) return;
    clock.clearTimeout(this.#registerTimer);
    this.#registerTimer = clock.setTimeout(() => this.#register(), this.#registerPauseMs);
    this.#registerPauseMs = Math.min(this.#registerPauseMs * 2, registerPauseMsMax);
  }

  #nodeReceived(node: Node): void {
    this.#cloudNode = node;
    if (!this.#registered) return;
    this.#announce(node);
    // What comes with a list is the cloud's whole word, not an echo: where it lost what it accepted, all is said again. So it is where a
    // controller took the node for dead.
    const lost = conditionsOverruled(node.status) || (this.#listed && conditionsLost(this.#accepted, node.status));
    if (lost && this.#pending === undefined) {
      this.#accepted = undefined;
      this.#update();
    }
    this.#listed = false;
    this.#tellSchedulable(node.spec?.unschedulable === true);
  }

  #tellSchedulable(unschedulable: boolean): void {
    if (unschedulable === this.#unschedulable) return;
    this.#unschedulable = unschedulable;
    const reason = unschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable';
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason, message: `Node ${this.#deps.identity.name} status is now: ${reason}` });
  }

  /** Once, and again when the API's node is another one. */
  #announce(node: Node): void {
    const uid = node.metadata?.uid ?? '';
    if (this.#announcedUid !== undefined && (uid === '' || uid === this.#announcedUid)) return;
    this.#announcedUid = uid;
    this.#deps.log.info('node.registered', { node: this.#deps.identity.name, uid });
    this.#deps.bus.publish('node.registered', { node });
  }
}

function faultText(outcome: ApiOutcome): string {
  if (outcome.kind === 'refused') return outcome.status.message ?? outcome.status.reason ?? 'refused';
  return outcome.kind === 'unanswered' ? outcome.message : outcome.kind;
}

export function startNodeActor(deps: NodeActorDeps): Stoppable {
  return new NodeActor(deps);
}
