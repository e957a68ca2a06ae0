// A gRPC server that has only containerd's event service and CRI's Version, to try the event stream without a containerd.
import type { ServerWritableStream, UntypedServiceImplementation, sendUnaryData } from '@grpc/grpc-js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadServices } from '../../src/adapters/cri/cri-methods.ts';

export interface SentEvent {
  readonly topic: string;
  readonly typeUrl: string;
  readonly value: Buffer;
}

export interface EventServer {
  /** Filters of every subscription. */
  readonly filters: readonly string[][];
  /** How often we published to ourselves. */
  readonly echoes: () => number;
  send(event: SentEvent): void;
  /** Ends all streams in order, as a containerd that shuts down. */
  end(): void;
  stop(): void;
}

/**
 * @param options.deliverAfter echoes that come back only from this one on; Infinity for a server that delivers none
 * @param options.withEvents false for a runtime that has no event service at all
 */
export async function startEventServer(endpoint: string, options: { readonly deliverAfter: number; readonly withEvents: boolean }): Promise<EventServer> {
  const services = loadServices();
  const server = new Server();
  const streams = new Set<ServerWritableStream<{ filters: string[] }, object>>();
  const filters: string[][] = [];
  let echoes = 0;
  const send = ({ topic, typeUrl, value }: SentEvent): void => {
    for (const stream of streams) stream.write({ topic, namespace: 'k8s.io', event: { type_url: typeUrl, value } });
  };
  const runtime: UntypedServiceImplementation = {
    Version: (_call: unknown, callback: sendUnaryData<object>) => callback(null, { runtimeName: 'containerd' }),
  };
  const events: UntypedServiceImplementation = {
    Publish: (call: { readonly request: { readonly topic: string } }, callback: sendUnaryData<object>) => {
      if (++echoes >= options.deliverAfter) send({ topic: call.request.topic, typeUrl: 'google.protobuf.Empty', value: Buffer.alloc(0) });
      callback(null, {});
    },
    Subscribe: (call: ServerWritableStream<{ filters: string[] }, object>) => {
      filters.push(call.request.filters);
      streams.add(call);
      call.on('close', () => streams.delete(call));
    },
  };
  server.addService({ Version: services.runtime['Version'] } as typeof services.runtime, runtime); // A service may have fewer methods.
  if (options.withEvents) server.addService(services.events, events);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
  });
  return {
    filters, send,
    echoes: () => echoes,
    end: () => { for (const stream of streams) stream.end(); },
    stop: () => server.forceShutdown(),
  };
}
