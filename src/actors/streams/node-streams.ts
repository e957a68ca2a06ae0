// The node's side of streams: opens what the cloud side asks for, joins it with who serves it, and ends it. Loaded with the first stream.
import { decodeOpening, type StreamOpening } from '../../bus/streams/open-request.ts';
import type { MuxStream } from '../../bus/streams/mux-stream.ts';
import { decodeStreamFrame } from '../../bus/streams/stream-frames.ts';
import type { StreamGate } from '../../bus/streams/stream-gate.ts';
import { StreamMux } from '../../bus/streams/stream-mux.ts';
import { nodeStreamFilter, upTopic } from '../../bus/streams/stream-topics.ts';
import type { MqttSession } from '../../ports/mqtt-port.ts';
import type { StreamFault, StreamRequest, StreamSettings } from '../../ports/node-streams-port.ts';
import type { Stoppable } from '../../ports/result.ts';
import type { ServeDeps } from './serve-deps.ts';
import { serveFacts } from './serve-facts.ts';
import { serveLogs } from './serve-logs.ts';
import { servePipe } from './serve-pipe.ts';

/** Streams of one node at once; further ones are refused. */
export const nodeStreamsMax = 32;
/** Where the broker names no limit: some stop at 128 KiB without a word. */
const packetBytesUnknown = 96 * 1024;
/** Topic and headers of a PUBLISH, beside its payload. */
const publishBytesMax = 400;

export interface NodeStreamsDeps extends ServeDeps {
  readonly gate: StreamGate;
  readonly rootTopic: string;
  readonly nodeName: string;
  readonly limits: StreamSettings;
}

export interface NodeStreams extends Stoppable {
  /** A frame `open` of the api topic. */
  opening(payload: Uint8Array): void;
  /** A packet of a stream's topic. */
  received(session: string, payload: Uint8Array): void;
  connected(session: MqttSession): void;
  disconnected(): void;
  controlWritten(): void;
}

export function startNodeStreams(deps: NodeStreamsDeps): NodeStreams {
  return new Streams(deps);
}

class Streams implements NodeStreams {
  readonly #deps: NodeStreamsDeps;
  readonly #mux: StreamMux;
  /** Of the connection of now: streams may speak. */
  #subscribed: Promise<boolean> | undefined;

  constructor(deps: NodeStreamsDeps) {
    const { gate, clock, rootTopic, nodeName, limits } = deps;
    this.#deps = deps;
    this.#mux = new StreamMux({
      clock, asks: false, streamIdleMs: limits.idleMs, controlWaits: () => gate.controlWaits(),
      send: (session, frame) => gate.send(upTopic(rootTopic, { nodeName, session }), frame),
    });
  }

  opening(payload: Uint8Array): void {
    const opening = decodeOpening(payload);
    if (opening === undefined) return;
    if (!opening.ok) this.#deps.log.warn('stream.refused', { reason: opening.fault });
    // A packet that came twice opens nothing twice.
    else if (this.#mux.find(opening.value.session, opening.value.stream) === undefined) void this.#open(opening.value);
  }

  async #open({ session, stream: number, windowBytes, request }: StreamOpening): Promise<void> {
    const refusal = this.#refusal(request);
    const stream = this.#mux.add(session, number, request, windowBytes);
    if (refusal !== undefined) {
      stream.end({ fault: refusal });
      return;
    }
    this.#deps.log.info('stream.opened', named(request, number));
    await this.#serve(stream, request).catch((error: unknown) => {
      // A mistake of ours in one stream is the end of that one alone.
      this.#deps.log.error('stream.failed', { ...named(request, number), error: String(error) });
      stream.end({ fault: { code: 500, reason: 'InternalError', message: 'the node failed while serving the stream' } });
    });
    this.#deps.log.debug('stream.served', named(request, number));
  }

  #refusal(request: StreamRequest): StreamFault | undefined {
    if (request.kind !== 'facts' && !this.#deps.limits.looksInside) return { code: 405, reason: 'MethodNotAllowed', message: 'Debug endpoints are disabled.' };
    if (this.#mux.size < nodeStreamsMax) return undefined;
    return { code: 429, reason: 'TooManyRequests', message: `the node serves ${nodeStreamsMax} streams at once and no more` };
  }

  #serve(stream: MuxStream, request: StreamRequest): Promise<void> {
    switch (request.kind) {
      case 'logs': return serveLogs(this.#deps, stream, request);
      case 'exec':
      case 'attach':
      case 'portForward': return servePipe(this.#deps, stream, request);
      case 'facts': return serveFacts(this.#deps, stream, request);
      default: return request satisfies never;
    }
  }

  received(session: string, payload: Uint8Array): void {
    const frame = decodeStreamFrame(payload);
    if (frame.ok) this.#mux.received(session, frame.value);
    else this.#deps.log.debug('stream.undecodable', { reason: frame.fault });
  }

  connected({ packetBytesMax }: MqttSession): void {
    const { gate, rootTopic, nodeName, log } = this.#deps;
    const subscribed = gate.subscribe(nodeStreamFilter(rootTopic, nodeName), 0).then((granted) => {
      if (this.#subscribed !== subscribed) return false;
      if (!granted.ok) log.warn('stream.not-subscribed', { reason: granted.fault.message });
      this.#mux.connected(Math.min(packetBytesMax, packetBytesUnknown) - publishBytesMax);
      return granted.ok;
    });
    this.#subscribed = subscribed;
  }

  disconnected(): void {
    this.#subscribed = undefined;
    this.#mux.disconnected();
  }

  controlWritten(): void {
    this.#mux.changed();
  }

  async stop(): Promise<void> {
    const stopped: StreamFault = { code: 503, reason: 'ServiceUnavailable', message: 'the node agent stops' };
    this.#mux.stop(stopped);
    await Promise.resolve();
  }
}

/** What a log may hold of a request: commands may carry secrets. */
function named(request: StreamRequest, stream: number): Readonly<Record<string, unknown>> {
  if (request.kind === 'facts') return { stream, kind: request.kind, what: request.what };
  const { kind, namespace, pod } = request;
  return { stream, kind, pod: `${namespace}/${pod}`, ...('container' in request ? { container: request.container } : { port: request.port }) };
}
