// All streams of one side with one node: who may send next, how much at once, what to do when nothing is heard. Every stream has its
// turn; control messages go first; what is under way is bounded for all of them together.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { StreamFault, StreamRequest } from '../../ports/node-streams-port.ts';
import type { Result } from '../../ports/result.ts';
import { MuxStream, streamLost } from './mux-stream.ts';
import { SendBudget } from './send-budget.ts';
import { type CreditFrame, encodeStreamFrame, type SequencedFrame, sequencedHeaderBytes, type StreamFrame } from './stream-frames.ts';

export interface StreamMuxDeps {
  readonly clock: ClockPort;
  /** Writes one frame to the other side; with QoS 0, settled when it is written. */
  send(session: string, frame: Uint8Array): Promise<Result<void, MqttFault>>;
  /** A control message waits: no data may be written now. `changed` is called when that is over. */
  controlWaits(): boolean;
  /** The last stream is gone. */
  idle?(): void;
  /** Asks after silence whether the other side is still there; one of the two does. */
  readonly asks: boolean;
  readonly streamIdleMs: number;
}

/** How long an acknowledgement of little waits for more. */
const creditDelayMs = 50;
/** How often silence is looked for, while there are streams. */
const lookPeriodMs = 1_000;
/** Unacknowledged for so long, something is sent again; each time twice as long. */
const probeMsMin = 2_000;
const probeMsMax = 15_000;
const asksAfterMs = 20_000;
/** So long without a word of the other side ends its streams. */
export const silenceMsMax = 90_000;
/** Beside data: credits and resets that wait to be written. */
const answersMax = 256;

export class StreamMux {
  readonly #deps: StreamMuxDeps;
  readonly #budget = new SendBudget();
  readonly #streams = new Map<string, MuxStream>();
  /** When each session was last heard. */
  readonly #heardAtMs = new Map<string, number>();
  /** In order of their turns. */
  #turns: MuxStream[] = [];
  readonly #answers: { readonly session: string; readonly frame: Uint8Array }[] = [];
  readonly #owing = new Set<MuxStream>();
  #linkUp = false;
  #chunkBytesMax = Number.POSITIVE_INFINITY;
  #writing = false;
  #creditTimer: unknown;
  #lookTimer: unknown;

  constructor(deps: StreamMuxDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#streams.size;
  }

  get budgetBytes(): number {
    return this.#budget.bytes;
  }

  find(session: string, number: number): MuxStream | undefined {
    return this.#streams.get(keyOf(session, number));
  }

  /** @param windowBytes what the other side said with its request that it takes; absent where we ask, and say it with ours */
  add(session: string, number: number, request: StreamRequest, windowBytes?: number): MuxStream {
    const nowMs = this.#now();
    const stream = new MuxStream({
      session, number, request, nowMs,
      owner: { changed: (changed) => this.#changed(changed), over: (ended, reset) => this.#over(ended, reset) },
    });
    this.#streams.set(keyOf(session, number), stream);
    this.#turns.push(stream);
    if (!this.#heardAtMs.has(session)) this.#heardAtMs.set(session, nowMs);
    if (windowBytes === undefined) stream.inflow.credit();
    else {
      stream.outflow.credited({ received: 0, limit: windowBytes });
      stream.owes = 'credit';
    }
    this.#changed(stream);
    this.#lookTimer ??= this.#deps.clock.setTimeout(() => this.#look(), lookPeriodMs);
    return stream;
  }

  /** @param packetBytesMax the broker's, without topic and header */
  connected(packetBytesMax: number): void {
    this.#linkUp = true;
    this.#chunkBytesMax = Math.max(1, packetBytesMax - sequencedHeaderBytes);
    this.#budget.reset();
    for (const stream of this.#turns) {
      stream.outflow.rewind();
      stream.sample = undefined;
      stream.owes = 'again';
      stream.progressAtMs = this.#now();
      this.#owing.add(stream);
    }
    this.#pump();
  }

  disconnected(): void {
    this.#linkUp = false;
  }

  /** A control message has been written, or there is another reason to go on. */
  changed(): void {
    this.#pump();
  }

  received(session: string, frame: StreamFrame): void {
    if (this.#heardAtMs.has(session)) this.#heardAtMs.set(session, this.#now());
    const stream = this.find(session, frame.stream);
    if (stream === undefined) this.#unknown(session, frame);
    else if (frame.kind === 'reset') stream.fail({ code: 500, reason: 'Reset', message: frame.message === '' ? 'the other side ended the stream' : frame.message }, { tell: false });
    else if (frame.kind === 'credit') this.#credited(stream, frame);
    else this.#sequenced(stream, frame);
  }

  /** What is asked of a stream that is gone is answered, so that the other side lets go of it too. */
  #unknown(session: string, frame: StreamFrame): void {
    if (frame.kind === 'reset' || (frame.kind === 'credit' && !frame.again)) return;
    this.#answer(session, encodeStreamFrame({ kind: 'reset', stream: frame.stream, message: 'there is no such stream' }));
  }

  #sequenced(stream: MuxStream, frame: SequencedFrame): void {
    stream.movedAtMs = this.#now();
    if (!stream.took(frame)) stream.fail(broken('the other side sent more than there was room for'), { tell: true });
    if (stream.owes !== 'nothing') this.#changed(stream);
  }

  #credited(stream: MuxStream, frame: CreditFrame): void {
    const before = stream.outflow.bytesKept;
    const nowMs = this.#now();
    if (!stream.credited(frame)) {
      stream.fail(broken('the other side acknowledged what was never sent'), { tell: true });
      return;
    }
    if (stream.outflow.bytesKept < before) {
      stream.progressAtMs = nowMs;
      stream.probes = 0;
    }
    const { sample } = stream;
    if (sample !== undefined && frame.received >= sample.end) {
      stream.sample = undefined;
      this.#budget.acknowledged({ sentAtMs: sample.atMs, nowMs });
    }
    this.#changed(stream);
  }

  #changed(stream: MuxStream): void {
    if (stream.owes !== 'nothing') this.#owing.add(stream);
    else if (stream.inflow.creditDue() === 'soon') this.#creditTimer ??= this.#deps.clock.setTimeout(() => this.#creditAll(), creditDelayMs);
    this.#pump();
  }

  #creditAll(): void {
    this.#creditTimer = undefined;
    for (const stream of this.#turns) {
      if (stream.inflow.creditDue() === 'no') continue;
      if (stream.owes === 'nothing') stream.owes = 'credit';
      this.#owing.add(stream);
    }
    this.#pump();
  }

  #over(stream: MuxStream, reset: StreamFault | undefined): void {
    // Its end is acknowledged by this; later repeats are answered as unknown.
    if (stream.owes !== 'nothing') this.#answer(stream.session, stream.creditFrame());
    if (reset !== undefined) this.#answer(stream.session, encodeStreamFrame({ kind: 'reset', stream: stream.number, message: reset.message }));
    this.#owing.delete(stream);
    this.#streams.delete(keyOf(stream.session, stream.number));
    this.#turns = this.#turns.filter((each) => each !== stream);
    if (!this.#turns.some(({ session }) => session === stream.session)) this.#heardAtMs.delete(stream.session);
    if (this.#streams.size === 0) this.#rest();
    else this.#pump();
  }

  #rest(): void {
    this.#deps.clock.clearTimeout(this.#lookTimer);
    this.#deps.clock.clearTimeout(this.#creditTimer);
    this.#lookTimer = undefined;
    this.#creditTimer = undefined;
    this.#deps.idle?.();
  }

  #answer(session: string, frame: Uint8Array): void {
    if (this.#answers.length < answersMax) this.#answers.push({ session, frame });
    this.#pump();
  }

  /** One frame is written at a time: what comes meanwhile on the api topic goes before the next one. */
  #pump(): void {
    if (this.#writing || !this.#linkUp) return;
    const next = this.#nextAnswer() ?? this.#nextData();
    if (next === undefined) return;
    this.#writing = true;
    void this.#deps.send(next.session, next.frame).then((sent) => {
      this.#writing = false;
      if (!sent.ok && sent.fault.kind === 'refused') this.#chunkBytesMax = Math.max(1_024, Math.floor(Math.min(this.#chunkBytesMax, this.#budget.chunkBytes) / 2));
      this.#pump();
    });
  }

  #nextAnswer(): { readonly session: string; readonly frame: Uint8Array } | undefined {
    const answer = this.#answers.shift();
    if (answer !== undefined) return answer;
    const [stream] = this.#owing;
    if (stream === undefined) return undefined;
    this.#owing.delete(stream);
    return { session: stream.session, frame: stream.creditFrame() };
  }

  #nextData(): { readonly session: string; readonly frame: Uint8Array } | undefined {
    if (this.#deps.controlWaits()) return undefined;
    const inFlight = this.#turns.reduce((sum, { outflow }) => sum + outflow.bytesInFlight, 0);
    const chunkBytes = Math.min(this.#budget.chunkBytes, this.#chunkBytesMax);
    if (inFlight > 0 && inFlight + chunkBytes > this.#budget.bytes) return undefined;
    const stream = this.#turns.find(({ outflow }) => outflow.hasNext);
    if (stream === undefined) return undefined;
    const fresh = stream.outflow.bytesInFlight === 0;
    const piece = stream.outflow.next(chunkBytes);
    if (piece === undefined) return undefined;
    this.#turns = [...this.#turns.filter((each) => each !== stream), stream];
    // Nothing more may be sent until some of it has come: whoever has it says so.
    const prompt = inFlight + piece.body.length + chunkBytes > this.#budget.bytes;
    this.#sent(stream, { fresh, prompt });
    return { session: stream.session, frame: encodeStreamFrame({ ...piece, stream: stream.number, prompt }) };
  }

  #sent(stream: MuxStream, { fresh, prompt }: { readonly fresh: boolean; readonly prompt: boolean }): void {
    const nowMs = this.#now();
    stream.movedAtMs = nowMs;
    if (fresh) stream.progressAtMs = nowMs;
    // What is acknowledged with a delay says nothing of the link.
    if (prompt) stream.sample ??= { end: stream.outflow.sentTo, atMs: nowMs };
  }

  /** Looks for what has stood still. */
  #look(): void {
    this.#lookTimer = this.#deps.clock.setTimeout(() => this.#look(), lookPeriodMs);
    const nowMs = this.#now();
    for (const stream of [...this.#turns]) {
      const silentMs = nowMs - (this.#heardAtMs.get(stream.session) ?? nowMs);
      if (silentMs > silenceMsMax) stream.fail(streamLost, { tell: this.#linkUp });
      else if (nowMs - stream.movedAtMs > this.#deps.streamIdleMs) stream.fail({ code: 504, reason: 'Timeout', message: 'nothing was said for too long' }, { tell: true });
      else this.#lookAt(stream, nowMs, silentMs);
    }
    this.#pump();
  }

  #lookAt(stream: MuxStream, nowMs: number, silentMs: number): void {
    const patienceMs = Math.min(probeMsMax, Math.max(probeMsMin, 4 * this.#budget.latestMs) * 2 ** stream.probes);
    if (stream.outflow.bytesKept > 0 && nowMs - stream.progressAtMs > patienceMs) {
      stream.probes += 1;
      stream.progressAtMs = nowMs;
      stream.sample = undefined;
      if (stream.outflow.bytesInFlight > 0) {
        stream.outflow.probe();
        this.#budget.lost();
      } else if (!stream.outflow.hasNext) {
        // What said that there is room may be lost.
        stream.owes = 'again';
        this.#owing.add(stream);
      }
    }
    if (this.#deps.asks && silentMs > asksAfterMs && Math.floor(silentMs / 1_000) % 5 === 0) {
      stream.owes = 'again';
      this.#owing.add(stream);
    }
  }

  /** Every stream ends here; the other side is told where that is possible. */
  stop(fault: StreamFault): void {
    for (const stream of [...this.#turns]) stream.fail(fault, { tell: true });
    this.#rest();
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}

function keyOf(session: string, number: number): string {
  return `${session}/${number}`;
}

function broken(message: string): StreamFault {
  return { code: 502, reason: 'BadGateway', message };
}
