// Questions that probes and hooks ask over the network. Each is one attempt on one connection; who asks decides what an answer means.
import type { Result } from './result.ts';

/** Bytes of a body that are read; what follows is left. Kubelet's. */
export const probeBodyBytesMax = 10 * 1_024;
/** Redirects followed before the question is given up. Kubelet's. */
export const probeRedirectsMax = 10;

export interface HttpQuestion {
  readonly scheme: 'http' | 'https';
  /** Name or address, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** With its query, as the user wrote it. */
  readonly path: string;
  /** In order; names may repeat. `Host` names the virtual host, an empty value leaves a default header out. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly userAgent: string;
  readonly timeoutMs: number;
}

export interface HttpReply {
  readonly status: number;
  /** The first `probeBodyBytesMax` bytes. */
  readonly body: string;
  /** The server sent the question to another host, which was not asked: `status` is that of the redirect. */
  readonly leftHost: boolean;
}

export interface TcpQuestion {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

export interface GrpcQuestion extends TcpQuestion {
  /** As the health service knows it; empty for the server as a whole. */
  readonly service: string;
  readonly userAgent: string;
}

export type GrpcHealth = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** `message` says what happened in one line, without the address. */
export type ProbeFault =
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'timeout'; readonly message: string; readonly afterMs: number }
  /** The server answered HTTPS with plain HTTP. */
  | { readonly kind: 'not-https'; readonly message: string }
  /** The gRPC server has no health service. */
  | { readonly kind: 'unimplemented'; readonly message: string }
  /** The question itself cannot be put, such as a header with a line break. */
  | { readonly kind: 'invalid'; readonly message: string };

type Answer<T> = Promise<Result<T, ProbeFault>>;

export interface ProbePort {
  /** GET over HTTP/1.1. Certificates are not checked; no proxy and no kept connection is used. */
  http(question: HttpQuestion): Answer<HttpReply>;
  /** Connects and closes. */
  tcp(question: TcpQuestion): Answer<void>;
  /** grpc.health.v1.Health/Check without TLS. */
  grpc(question: GrpcQuestion): Answer<GrpcHealth>;
}
