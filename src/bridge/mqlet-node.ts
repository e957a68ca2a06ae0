// One node as the cloud side knows it: whether it is there, what it asked already, and how it is kept in step (docs/wire.md).
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { dictionaryNames, noDictionary } from '../bus/dialects/mqlet/body.ts';
import { expandEvent } from '../bus/dialects/mqlet/compact-event.ts';
import type { Frame } from '../bus/dialects/mqlet/header.ts';
import { heldMax } from '../bus/dialects/mqlet/holdings.ts';
import { rootBytes } from '../bus/dialects/mqlet/tokens.ts';
import { bad, type WireFault } from '../bus/dialects/mqlet/wire-fault.ts';
import { readWrite, type UpWrite } from '../bus/dialects/mqlet/write-body.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { tooManyRequests } from './api-status.ts';
import { isKnown } from './cloud-answers.ts';
import type { CloudWireDeps } from './cloud-wire.ts';
import type { Kind, StoredObject } from './memory-store.ts';
import { urgency } from './fair-lanes.ts';
import { heldIn } from './held-entries.ts';
import { answerWrite } from './mqlet-answers.ts';
import { writeDeviations } from './mqlet-strict.ts';
import { type Difference, NodeSync, type Wanted } from './node-sync.ts';

export interface MqletNodeDeps extends CloudWireDeps {
  readonly name: string;
  wanted(): ReadonlyMap<string, Wanted>;
  wantedOf(kind: Kind, object: StoredObject): Wanted;
  send(frame: Omit<Frame, 'body' | 'dictionary'>, body: JsonObject | undefined): void;
  nextCorrelation(): Uint8Array;
  refuse(fault: WireFault): void;
}

/** Answers remembered, so that a repeat is answered the same and done once. */
const answersMax = 256;
const lookPeriodMs = 10_000;
const lifetimes = { answer: 60, push: 300 } as const;

export class MqletNode {
  readonly name: string;
  readonly sync: NodeSync;
  readonly #deps: MqletNodeDeps;
  /** Bodies by correlation; undefined for what is not answered. */
  readonly #answers = new Map<string, JsonObject | undefined>();
  /** Correlations of requests that are being done: their repeats get the same answer. */
  readonly #doing = new Set<string>();
  #online: boolean | undefined;
  #served: boolean;
  #since = 0;
  #dictionary = noDictionary;
  /** Ours was named to it, so that it may be used. */
  #named = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: MqletNodeDeps) {
    this.#deps = deps;
    this.name = deps.name;
    this.#served = deps.share.mine(deps.name);
    this.sync = new NodeSync({
      clock: deps.clock,
      coalesceMs: deps.coalesceMs,
      wanted: () => deps.wanted(),
      version: () => deps.store.version,
      look: () => this.#look(),
      push: (difference) => this.#push(difference),
    });
  }

  get online(): boolean | undefined {
    return this.#online;
  }

  get named(): boolean {
    return this.#named;
  }

  get dictionary(): number {
    return this.#dictionary;
  }

  announced({ since, dictionary, retained }: { readonly since: number; readonly dictionary: number; readonly retained: boolean }): void {
    if (since < this.#since) return;
    // The first word of a node we have just begun to hear may come after its digest.
    if (since > this.#since && this.#since > 0) this.left(since);
    this.#since = since;
    this.#online = true;
    this.#dictionary = dictionary;
    if (!this.#deps.share.mine(this.name)) return;
    this.#deps.leases.heard(this.name, { lease: false });
    // A node that has just come sends a digest of its own accord.
    if (retained && !this.sync.known) this.#look();
  }

  /** It is served here from now on, or no more: what it holds only it can tell. */
  shareChanged(): void {
    const mine = this.#deps.share.mine(this.name);
    if (mine === this.#served) return;
    this.#served = mine;
    this.sync.lost();
    if (!mine) this.#deps.leases.lost(this.name);
    else if (this.#online === true) {
      this.#deps.leases.heard(this.name, { lease: false });
      this.#look();
    }
  }

  /** The will of an earlier connection does not speak for this one. */
  left(since: number): void {
    if (since < this.#since) return;
    this.#online = false;
    this.#dictionary = noDictionary;
    this.sync.lost();
    this.#deps.leases.lost(this.name);
  }

  /** Our own link was away: what was published meanwhile, in either direction, is lost. */
  cloudReturned(): void {
    if (this.#online !== true || !this.#served) return;
    this.sync.lost();
    this.#look();
  }

  stop(): void {
    this.sync.lost();
  }

  take(frame: Frame, body: JsonObject): void {
    this.#online = true;
    this.#deps.leases.heard(this.name, { lease: frame.type === 'renewal' });
    switch (frame.type) {
      case 'digest': this.#digest(frame); break;
      case 'holdings': this.#holdings(frame, body); break;
      case 'write': this.#write(frame, body); break;
      case 'event': this.#event(frame, body); break;
      case 'heartbeat': this.#heartbeat(frame); break;
      case 'renewal': this.#renewal(frame); break;
      case 'received':
        if (frame.correlation !== undefined) this.sync.received(hex(frame.correlation));
        break;
      default:
        this.#deps.refuse({ ...bad(`a message of type "${frame.type}" is not for the cloud side`), reason: 'UnknownMessage', ...correlated(frame) });
        return;
    }
    if (!this.sync.known && frame.type !== 'digest' && frame.type !== 'holdings') this.#look();
  }

  #answer({ correlation }: Frame, body: JsonObject): void {
    if (correlation === undefined) this.#deps.refuse(bad('a request has no correlation'));
    else this.#deps.send({ type: 'answer', correlation, lifetimeSeconds: lifetimes.answer }, body);
  }

  #digest(frame: Frame): void {
    if (frame.body.length < rootBytes) {
      this.#deps.refuse({ ...bad(`a digest has ${rootBytes} bytes`), ...correlated(frame) });
      return;
    }
    this.#named = true;
    void this.#whenKnown(() => {
      const same = this.sync.digest(frame.body.subarray(0, rootBytes));
      this.#answer(frame, { ...(same ? { same } : { tell: true }), dictionaries: dictionaryNames });
    });
  }

  #holdings(frame: Frame, body: JsonObject): void {
    const held = heldIn(body);
    if (held === undefined) {
      this.#deps.refuse({ ...bad(`must be a list of at most ${heldMax} entries [key, token, status token]`, 'held'), ...correlated(frame) });
      return;
    }
    void this.#whenKnown(() => {
      const { put, gone, more } = this.sync.holds(held);
      this.#answer(frame, { put, gone, ...(more ? { more } : {}) });
    });
  }

  /** As long as it is not known what the node shall hold, it is not answered: it would take pods for gone that are not. It asks again. */
  async #whenKnown(then: () => void): Promise<void> {
    if (await isKnown(this.#deps, this.name)) then();
  }

  #write(frame: Frame, body: JsonObject): void {
    const repeated = this.#repeated(frame);
    if (repeated !== undefined) {
      if (repeated.body !== undefined) this.#answer(frame, repeated.body);
      return;
    }
    const write = readWrite(body);
    if (!write.ok) {
      this.#deps.refuse({ ...write.fault, ...correlated(frame) });
      return;
    }
    const { strict, deviate } = this.#deps;
    if (strict) deviate(writeDeviations(write.value, body).map((line) => `${this.name} ${write.value.verb} ${write.value.kind}: ${line}`));
    void this.#do(frame, write.value);
  }

  async #do(frame: Frame, write: UpWrite): Promise<void> {
    const key = frame.correlation === undefined ? undefined : hex(frame.correlation);
    if (key !== undefined) this.#doing.add(key);
    const isEvent = write.kind === 'Event';
    const answer = await this.#deps.lanes.run({ nodeName: this.name, urgency: isEvent ? urgency.event : urgency.write }, () => answerWrite(this.#answering(), write));
    if (key !== undefined) this.#doing.delete(key);
    if (answer !== undefined && isJsonObject(answer.accepted)) this.#tellSync(write);
    if (answer !== undefined) this.#remember(frame, isEvent ? undefined : answer);
    // What was not done is not remembered: asked again, it may be done.
    if (!isEvent) this.#answer(frame, answer ?? { refused: tooManyRequests() });
  }

  #answering(): Parameters<typeof answerWrite>[0] {
    const { store, calls, denials, wantedOf } = this.#deps;
    return { store, calls, denials, nodeName: this.name, tokensOf: wantedOf };
  }

  /** The node learns the tokens with the answer: it need not be told again. */
  #tellSync({ kind, verb, namespace, name, uid, patch }: UpWrite): void {
    const { store, wantedOf } = this.#deps;
    if (kind === 'Node' && verb === 'patchStatus') {
      const node = store.get({ kind: 'Node', namespace: '', name });
      if (node.ok) this.sync.told('Node', wantedOf('Node', node.value));
    }
    if (kind !== 'Pod') return;
    if (verb === 'delete') {
      if (uid !== undefined) this.sync.told(uid, undefined);
      return;
    }
    const pod = store.get({ kind: 'Pod', namespace, name });
    // A patch tells a status; the rest of a pod may have changed since it was pushed.
    if (pod.ok && verb === 'create') this.sync.told(pod.value.metadata.uid, wantedOf('Pod', pod.value));
    else if (pod.ok && patch !== undefined) this.sync.toldStatus(pod.value.metadata.uid, wantedOf('Pod', pod.value));
  }

  #event(frame: Frame, body: JsonObject): void {
    if (this.#repeated(frame) !== undefined) return;
    this.#remember(frame, undefined);
    const event = expandEvent(body, this.name);
    if (!event.ok) {
      this.#deps.refuse(event.fault);
      return;
    }
    const { namespace, name, object, patch } = event.value;
    const write = { verb: patch === undefined ? 'create' : 'patch', kind: 'Event', namespace, name, object, patch, base: undefined, whole: false, uid: undefined, gracePeriodSeconds: undefined };
    void this.#deps.lanes.run({ nodeName: this.name, urgency: urgency.event }, () => answerWrite(this.#answering(), write));
  }

  #heartbeat({ body }: Frame): void {
    if (body.length < 4 + rootBytes) {
      this.#deps.refuse(bad(`a heartbeat has ${4 + rootBytes} bytes`));
      return;
    }
    const { name } = this;
    const { store } = this.#deps;
    const seconds = Buffer.from(body).readUInt32BE(0);
    const node = store.get({ kind: 'Node', namespace: '', name });
    const conditions = node.ok && isJsonObject(node.value.status) && Array.isArray(node.value.status.conditions) ? node.value.status.conditions.filter(isJsonObject) : [];
    const last = conditions.find(({ type }) => type === 'Ready')?.lastHeartbeatTime;
    const beaten = conditions.filter(({ lastHeartbeatTime }) => lastHeartbeatTime === last).map(({ type }) => ({ type, lastHeartbeatTime: rfc3339Seconds(seconds * 1_000) }));
    const { lanes, calls } = this.#deps;
    const beat = () => calls.patch({ kind: 'Node', namespace: '', name }, { status: { conditions: beaten } }, { by: name, subResource: 'status' });
    if (beaten.length > 0) void lanes.run({ nodeName: name, urgency: urgency.lease, replaces: 'heartbeat' }, beat);
    if (!this.sync.sameRoot(body.subarray(4, 4 + rootBytes))) this.#look();
  }

  #renewal({ body }: Frame): void {
    const atMs = body.length < 8 ? 0n : Buffer.from(body).readBigUInt64BE(0);
    if (atMs === 0n || atMs > 8_640_000_000_000_000n) this.#deps.refuse(bad('a renewal has eight bytes: milliseconds since 1970'));
    else this.#deps.leases.renew(this.name, Number(atMs));
  }

  #push({ put, gone }: Difference): string {
    const correlation = this.#deps.nextCorrelation();
    this.#deps.send({ type: 'objects', correlation, lifetimeSeconds: lifetimes.push }, { put, gone });
    return hex(correlation);
  }

  #look(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#lookedAtMs < lookPeriodMs) return;
    this.#lookedAtMs = nowMs;
    this.#deps.send({ type: 'look', lifetimeSeconds: lifetimes.push }, undefined);
  }

  #repeated({ correlation }: Frame): { readonly body: JsonObject | undefined } | undefined {
    const key = correlation === undefined ? undefined : hex(correlation);
    if (key === undefined) return undefined;
    return this.#doing.has(key) ? { body: undefined } : this.#answers.has(key) ? { body: this.#answers.get(key) } : undefined;
  }

  #remember({ correlation }: Frame, body: JsonObject | undefined): void {
    if (correlation === undefined) return;
    this.#answers.set(hex(correlation), body);
    const [oldest] = this.#answers.size > answersMax ? this.#answers.keys() : [];
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function correlated({ correlation }: Frame): { readonly correlation?: Uint8Array } {
  return correlation === undefined ? {} : { correlation };
}
