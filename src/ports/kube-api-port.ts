// The Kubernetes API as the cloud side asks it: plain requests with JSON bodies, and watches. Credentials, TLS and HTTP are the adapter's.
import type { Status } from './pod-types.ts';
import type { Result } from './result.ts';

export type KubeObject = Readonly<Record<string, unknown>>;

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, segments encoded: `/api/v1/namespaces/shop/pods/web-0`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: KubeObject;
  /** `application/json` when absent. */
  readonly contentType?: string;
}

export type KubeFault =
  /** The API's own answer. */
  | { readonly kind: 'refused'; readonly status: Status }
  /** No answer: it may have happened. */
  | { readonly kind: 'unreachable'; readonly message: string };

export interface KubeWatchEvent {
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, `ERROR`. */
  readonly type: string;
  readonly object: KubeObject;
}

export interface KubeWatch {
  /** Resolves when nothing comes any more; a fault is why it did not begin, or how it broke. */
  readonly ended: Promise<Result<void, KubeFault>>;
  stop(): void;
}

export interface KubeApiPort {
  /** Bounded in time by the adapter. */
  call(request: KubeRequest): Promise<Result<KubeObject, KubeFault>>;
  watch(path: string, query: Readonly<Record<string, string>>, take: (event: KubeWatchEvent) => void): KubeWatch;
  /** Connections that are kept for the next request are closed. */
  close(): void;
}
