// The runtime's event stream as RuntimePort.watch has it: CRI's own where the runtime serves it, else containerd's.
// It opens once and tells when it broke; reconnecting is the caller's decision.
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import type { RuntimeEvent, RuntimeListener } from '../../ports/runtime-port.ts';
import type { CriChannel } from './cri-channel.ts';
import { toRuntimeFault } from './cri-faults.ts';
import type { WireMethods } from './cri-methods.ts';
import { fromContainerEvent, fromTaskEvent } from './cri-translate.ts';
import type { WireContainerEvent, WireEnvelope, WirePayload } from './cri-wire.ts';

/** Time a stream has to prove that it is open. Beyond it: `timeout`. */
const openMsMax = 5_000;
/** A refusal of GetContainerEvents may overtake or follow the answer to a call made after it; this long we wait for it. */
const refusalMs = 20;
/** Pause after the first echo while the subscription is not yet seen to work; it doubles with each further one. */
const echoIntervalMsFirst = 2;
/** Event we send ourselves through containerd: when it comes back, all later ones will come too. */
const echoTopic = '/mqlet/echo';
const echoType = 'google.protobuf.Empty';
const topics = ['/tasks/start', '/tasks/exit', '/tasks/oom', '/containers/delete'];

export interface EventSourceDeps {
  readonly channel: CriChannel;
  readonly methods: WireMethods;
  readonly clock: ClockPort;
  readonly log: LogPort;
}

/** What a stream in the making reports to whoever opens it. */
interface Opening {
  /** Resolves to the fault when the stream breaks before `opened`; afterwards `lost` is told instead. */
  readonly broken: Promise<RuntimeFault>;
  opened(): void;
  stop(): void;
}

export class CriEventSource {
  readonly #deps: EventSourceDeps;
  /** The runtime refused GetContainerEvents only after the stream had been taken for open. */
  #criEventsRefused = false;

  constructor(deps: EventSourceDeps) {
    this.#deps = deps;
  }

  async watch(listener: RuntimeListener): Promise<Result<Stoppable, RuntimeFault>> {
    if (!this.#criEventsRefused) {
      const answer = await this.#watchCri(listener);
      if (answer.ok || answer.fault.kind !== 'unimplemented') return answer;
    }
    return this.#watchContainerd(listener);
  }

  /** CRI, GetContainerEvents. Servers send no header before the first event, so an answer to a later call stands for it. */
  async #watchCri(listener: RuntimeListener): Promise<Result<Stoppable, RuntimeFault>> {
    const { channel, methods, clock, log } = this.#deps;
    const stream = channel.stream(methods.runtime('GetContainerEvents'), {});
    const opening = follow(stream, (message) => {
      // The decoder of GetContainerEvents yields ContainerEventResponse.
      const event = fromContainerEvent(message as WireContainerEvent);
      if (event !== undefined) listener.event(event);
    }, (fault) => {
      if (fault.kind === 'unimplemented') this.#criEventsRefused = true;
      listener.lost(fault);
    });
    const reached = channel.unary<object>(methods.runtime('Version'), {}, openMsMax);
    const outcome = await Promise.race([opening.broken, reached]);
    if ('kind' in outcome) return fail(outcome);
    if (!outcome.ok) {
      opening.stop();
      return fail(outcome.fault);
    }
    const refusal = await within(clock, refusalMs, opening.broken);
    if (refusal !== undefined) return fail(refusal);
    opening.opened();
    log.debug('runtime.watching', { stream: 'cri' });
    return ok({ stop: async () => opening.stop() });
  }

  /** containerd, Events.Subscribe; works on every release. */
  async #watchContainerd(listener: RuntimeListener): Promise<Result<Stoppable, RuntimeFault>> {
    const { channel, methods, log } = this.#deps;
    const filters = [...topics.map((topic) => `namespace==k8s.io,topic=="${topic}"`), `topic=="${echoTopic}"`];
    const stream = channel.stream(methods.events('Subscribe'), { filters });
    let echoed = (): void => undefined;
    const echo = new Promise<'echo'>((resolve) => { echoed = () => resolve('echo'); });
    const opening = follow(stream, (message) => {
      // The decoder of Subscribe yields Envelope.
      const envelope = message as WireEnvelope;
      if (envelope.topic === echoTopic) return echoed();
      const event = this.#decode(envelope);
      if (event !== undefined) listener.event(event);
    }, (fault) => listener.lost(fault));
    const outcome = await this.#sendEchoes(Promise.race([echo, opening.broken]));
    if (outcome !== 'echo') {
      opening.stop();
      return fail(outcome);
    }
    opening.opened();
    log.debug('runtime.watching', { stream: 'containerd' });
    return ok({ stop: async () => opening.stop() });
  }

  /** Publishes echoes until one has come back or the stream has broken; a fault too when none may be sent or none comes in time. */
  async #sendEchoes(decided: Promise<'echo' | RuntimeFault>): Promise<'echo' | RuntimeFault> {
    const { channel, methods, clock } = this.#deps;
    const request = { topic: echoTopic, event: { type_url: echoType, value: Buffer.alloc(0) } };
    let intervalMs = echoIntervalMsFirst;
    for (let waitedMs = 0; waitedMs < openMsMax; waitedMs += intervalMs, intervalMs *= 2) {
      const sent = await channel.unary<object>(methods.events('Publish'), request, openMsMax);
      if (!sent.ok) return sent.fault;
      const outcome = await within(clock, intervalMs, decided);
      if (outcome !== undefined) return outcome;
    }
    return { kind: 'timeout', message: 'containerd does not deliver events', afterMs: openMsMax };
  }

  #decode(envelope: WireEnvelope): RuntimeEvent | undefined {
    if (envelope.event === null) return undefined;
    // containerd writes the bare name, others may put a host and a slash before it.
    const typeName = envelope.event.type_url.slice(envelope.event.type_url.lastIndexOf('/') + 1);
    const decode = this.#deps.methods.payload(typeName);
    if (decode === undefined) return undefined;
    try {
      // The payload types of proto/containerd/tasks.proto all fit WirePayload.
      return fromTaskEvent(typeName, decode(envelope.event.value) as WirePayload);
    } catch (error) {
      this.#deps.log.warn('runtime.event.undecodable', { typeName, error: String(error) });
      return undefined;
    }
  }
}

/** Listens to a stream: each message goes to `message`, its end, once, to `broken` or to `lost`. */
function follow(
  stream: ClientReadableStream<object>, message: (message: object) => void, lost: (fault: RuntimeFault) => void,
): Opening {
  let state: 'opening' | 'open' | 'over' = 'opening';
  let reportBroken = (_fault: RuntimeFault): void => undefined;
  const broken = new Promise<RuntimeFault>((resolve) => { reportBroken = resolve; });
  const end = (fault: RuntimeFault): void => {
    const former = state;
    state = 'over';
    if (former === 'opening') reportBroken(fault);
    if (former === 'open') lost(fault);
  };
  stream.on('data', (data: object) => { if (state !== 'over') message(data); });
  stream.on('error', (error) => end(toRuntimeFault(error, 0)));
  stream.on('end', () => end({ kind: 'unavailable', message: 'the runtime ended the event stream' }));
  return {
    broken,
    opened: () => { if (state === 'opening') state = 'open'; },
    stop: () => {
      state = 'over';
      stream.cancel();
    },
  };
}

/** What the promise resolves to, or undefined when the time is over first. */
async function within<T>(clock: ClockPort, delayMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: unknown;
  const over = new Promise<undefined>((resolve) => { timer = clock.setTimeout(() => resolve(undefined), delayMs); });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clock.clearTimeout(timer);
  }
}
