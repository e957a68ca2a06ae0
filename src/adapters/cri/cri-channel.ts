// One gRPC channel to the runtime's socket: unary calls with deadlines, and server streams. Knows no CRI meaning.
import type { ClientReadableStream } from '@grpc/grpc-js';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { Result } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import { toRuntimeFault } from './cri-faults.ts';
import type { WireMethod } from './cri-methods.ts';

/** Largest message in either direction, as kubelet and containerd have it. Beyond it the call is rejected. */
const messageBytesMax = 16 * 1024 * 1024;
/** A restarted runtime is found again within this time; a failed connect to a unix socket costs next to nothing. */
const reconnectBackoffMsMax = 1_000;
const reconnectBackoffMsFirst = 100;

/** No deadline: the call ends with its answer or with the connection. */
export const unlimited = Number.POSITIVE_INFINITY;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly lease?: string | undefined;
}

export interface CriChannel {
  /**
   * @param options.signal ends the call with `unavailable`
   * @param options.lease of containerd: holds what the call brings into its store
   * @param timeoutMs `unlimited`, or milliseconds after which the answer is a `timeout` fault
   * @returns the decoded answer. `Answer` is the caller's claim about the method's answer message.
   */
  unary<Answer>(method: WireMethod, request: object, timeoutMs: number, options?: CallOptions): Promise<Result<Answer, RuntimeFault>>;
  stream(method: WireMethod, request: object): ClientReadableStream<object>;
  /** Calls and streams in flight end with `unavailable`. */
  close(): void;
}

/** @param endpoint `unix:///path`. Connects on the first call, and again by itself when the connection is lost. */
export function openChannel(endpoint: string, clock: ClockPort): CriChannel {
  const client = new Client(endpoint, credentials.createInsecure(), {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.initial_reconnect_backoff_ms': reconnectBackoffMsFirst,
    'grpc.max_reconnect_backoff_ms': reconnectBackoffMsMax,
    // A repeat must be decided by who looks at the runtime first; and statistics nobody reads cost memory.
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.service_config_disable_resolution': 1,
  });
  // containerd's own services ask for a namespace; CRI ignores the header.
  const metadata = new Metadata();
  metadata.set('containerd-namespace', 'k8s.io');
  // Closing a grpc-js client leaves what is in flight to itself, and a stream would keep the process alive.
  const inFlight = new Set<{ cancel(): void }>();
  return {
    unary: <Answer>(method: WireMethod, request: object, timeoutMs: number, { signal, lease }: CallOptions = {}) =>
      new Promise<Result<Answer, RuntimeFault>>((resolve) => {
        const options = timeoutMs === unlimited ? {} : { deadline: clock.nowMs() + timeoutMs };
        const call = client.makeUnaryRequest(method.path, method.serialize, method.deserialize, request, lease === undefined ? metadata : leased(metadata, lease), options, (error, answer) => {
          inFlight.delete(call);
          signal?.removeEventListener('abort', cancel);
          // The decoder built the answer from the method's own message, which is what `Answer` names.
          resolve(error === null ? ok(answer as Answer) : fail(toRuntimeFault(error, timeoutMs)));
        });
        const cancel = (): void => call.cancel();
        inFlight.add(call);
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted === true) cancel();
      }),
    stream: (method, request) => {
      const stream = client.makeServerStreamRequest(method.path, method.serialize, method.deserialize, request, metadata, {});
      inFlight.add(stream);
      stream.once('close', () => inFlight.delete(stream));
      return stream;
    },
    close: () => {
      for (const call of inFlight) call.cancel();
      client.close();
    },
  };
}

/** @see containerd leases/grpc.go */
function leased(metadata: Metadata, lease: string): Metadata {
  const own = metadata.clone();
  own.set('containerd-lease', lease);
  return own;
}
