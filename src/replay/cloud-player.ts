// The broker and the cloud behind it as a recording has them: an MqttPort that hands down what came down then, and gives to each request
// the answer that the same request got. It makes no answers of its own.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { MqttHandlers, MqttPacket, MqttPort, MqttSession } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { RecordedAnswer, Step, Transcript } from './transcript.ts';
import { isStart, type UpFacts, type Wire } from './wire/wire.ts';

/** To the broker and back: what is published is never answered in the same moment. */
const brokerMs = 1;
/** An attempt to connect while the recording has no connection. */
const connectMsMax = 10_000;
/** The header of a message has all it needs on 3.1.1, and nothing is cut into fragments. */
const session: MqttSession = { protocol: 'MQTT 3.1.1', sessionPresent: false, receiveMaximum: 65_535, packetBytesMax: 8 * 1024 * 1024 };

export interface CloudPlayerDeps {
  readonly clock: ClockPort;
  readonly wire: Wire;
  readonly transcript: Transcript;
  /** The object's status as the node has told it by now. */
  statusOf(object: string): JsonObject | undefined;
  /** Called with each packet the agent publishes. */
  heard(facts: UpFacts): void;
}

type Waiting = (result: Result<MqttSession, MqttFault>) => void;

export class CloudPlayer implements MqttPort {
  readonly #deps: CloudPlayerDeps;
  /** Answers not yet given, by request. */
  readonly #answers: Map<string, RecordedAnswer[]>;
  /** The answer given last, by request: who asks oftener than then hears it again. */
  readonly #last = new Map<string, RecordedAnswer>();
  /** Given under an identity and request: a repetition is no new request. */
  readonly #given = new Map<string, RecordedAnswer>();
  readonly #unanswered = new Map<string, number>();
  #handlers: MqttHandlers | undefined;
  #connecting: { readonly handlers: MqttHandlers; readonly settle: Waiting; readonly timer: unknown } | undefined;
  #linkUp: boolean;
  #subscribed = false;
  /** Came down while the agent was not there to hear. */
  #held: { readonly packet: MqttPacket; readonly request: string }[] = [];
  #pushedMs = Number.NEGATIVE_INFINITY;
  /** When those come that have not come yet. */
  readonly #pushes: number[];
  readonly #startedMs: number;

  constructor(deps: CloudPlayerDeps) {
    this.#deps = deps;
    this.#answers = new Map([...deps.transcript.answers].map(([request, answers]) => [request, [...answers]]));
    this.#startedMs = deps.clock.monotonicMs();
    this.#pushes = deps.transcript.steps.flatMap(({ kind, sinceMs }) => (kind === 'pushed' ? [sinceMs] : []));
    // Where the recording tells nothing of the link, or tells it only later, it was up.
    this.#linkUp = deps.transcript.steps.find(({ kind }) => kind === 'link')?.seq !== 1;
  }

  /** Requests the recording has no answer to, and how often they were made. */
  get unanswered(): ReadonlyMap<string, number> {
    return this.#unanswered;
  }

  /** What the recording says happened next. */
  enter(step: Step): void {
    if (step.kind === 'pushed') {
      this.#pushedMs = step.sinceMs;
      this.#pushes.shift();
      this.#handDown(step.packet, '');
    }
    if (step.kind === 'link') this.#linkChanged(step.state === 'up', step.reason);
  }

  connect(handlers: MqttHandlers): Promise<Result<MqttSession, MqttFault>> {
    if (this.#handlers !== undefined) return Promise.resolve(ok(session));
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => this.#refuse('the recording has no connection at this time'), this.#linkUp ? brokerMs : connectMsMax);
      this.#connecting = { handlers, settle: resolve, timer };
      if (!this.#linkUp) return;
      clock.clearTimeout(timer);
      this.#connecting = { handlers, settle: resolve, timer: clock.setTimeout(() => this.#accept(), brokerMs) };
    });
  }

  async subscribe(): Promise<Result<void, MqttFault>> {
    await this.#pause();
    if (this.#handlers === undefined) return fail(notConnected);
    // The link is up when all topics are granted; what waited comes after that.
    this.#deps.clock.setTimeout(() => this.#heard(), brokerMs);
    return ok();
  }

  async publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    if (this.#handlers === undefined) return fail(notConnected);
    const facts = this.#deps.wire.readUp(packet);
    if (facts !== undefined) {
      this.#deps.heard(facts);
      this.#answer(facts);
    }
    await this.#pause();
    return ok();
  }

  disconnect(): Promise<void> {
    this.#handlers = undefined;
    this.#subscribed = false;
    this.#refuse('disconnected');
    return Promise.resolve();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#deps.clock.setTimeout(resolve, brokerMs));
  }

  #accept(): void {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    if (connecting === undefined) return;
    this.#handlers = connecting.handlers;
    connecting.settle(ok(session));
  }

  #refuse(message: string): void {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    if (connecting === undefined) return;
    this.#deps.clock.clearTimeout(connecting.timer);
    connecting.settle(fail({ kind: 'unreachable', message }));
  }

  #linkChanged(up: boolean, reason: string): void {
    this.#linkUp = up;
    if (up && this.#connecting !== undefined) {
      this.#deps.clock.clearTimeout(this.#connecting.timer);
      this.#accept();
    }
    if (up || this.#handlers === undefined) return;
    const { closed } = this.#handlers;
    this.#handlers = undefined;
    this.#subscribed = false;
    closed({ kind: 'unreachable', message: reason === '' ? 'the recorded connection ended' : reason });
  }

  #heard(): void {
    if (this.#handlers === undefined) return;
    this.#subscribed = true;
    const held = this.#held;
    this.#held = [];
    for (const { packet, request } of held) this.#handDown(packet, request);
  }

  /** @param request what it answers; empty for a push */
  #handDown(packet: MqttPacket, request: string): void {
    const { wire } = this.#deps;
    if (this.#handlers !== undefined && this.#subscribed) this.#handlers.message(wire.handDown?.(packet, request) ?? packet);
    else this.#held.push({ packet, request });
  }

  #answer({ identity, request }: UpFacts): void {
    if (identity === '' || request === '') return;
    const { clock, wire, statusOf } = this.#deps;
    const nowMs = clock.monotonicMs() - this.#startedMs;
    const key = `${identity} ${request}`;
    const answer = this.#given.get(key) ?? (isStart(request) ? this.#listFor(request) : this.#nextFor(request));
    if (answer === undefined) {
      this.#unanswered.set(request, (this.#unanswered.get(request) ?? 0) + 1);
      return;
    }
    const known = this.#given.has(key);
    this.#given.set(key, answer);
    // A list says what was true at its time: before it, it would tell of things to come.
    const waitMs = isStart(request) ? Math.max(answer.sinceMs - nowMs, known ? brokerMs : answer.afterMs) : answer.afterMs;
    clock.setTimeout(() => this.#handDown(wire.answerTo(answer.packet, { identity, statusOf }), request), Math.max(brokerMs, waitMs));
  }

  /** An answer to a patch from after a push that has not come yet would make that push an old one: the last answer is given again. */
  #nextFor(request: string): RecordedAnswer | undefined {
    const answers = this.#answers.get(request) ?? [];
    const last = this.#last.get(request);
    const isEarly = last !== undefined && request.startsWith('patch') && (answers[0]?.sinceMs ?? 0) > (this.#pushes[0] ?? Number.POSITIVE_INFINITY);
    const next = isEarly ? last : (answers.shift() ?? last);
    if (next !== undefined) this.#last.set(request, next);
    return next;
  }

  /** A list from before the newest push would take back what that one brought. */
  #listFor(request: string): RecordedAnswer | undefined {
    const answers = this.#answers.get(request) ?? [];
    while ((answers[0]?.sinceMs ?? Number.POSITIVE_INFINITY) < this.#pushedMs) answers.shift();
    return answers.shift();
  }
}

const notConnected: MqttFault = { kind: 'not-connected', message: 'the recording has no connection at this time' };
