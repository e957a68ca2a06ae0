// HTTP servers on loopback or a unix socket, without HTTP library types.
import type { Result, Stoppable } from './result.ts';

export interface HttpRequest {
  readonly method: string;
  /** Decoded path without query, always starting with a slash. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export interface ListenFault {
  readonly kind: 'in-use' | 'not-permitted' | 'failed';
  readonly message: string;
}

export interface ListenerPort {
  /**
   * @param options.bodyBytesMax larger requests are answered 413 and closed
   * @returns the running server; `address` is the one bound, with the real port where 0 was asked for
   */
  listen(
    address: ListenAddress,
    handle: (request: HttpRequest) => Promise<HttpAnswer>,
    options: { readonly bodyBytesMax: number },
  ): Promise<Result<Stoppable & { readonly address: ListenAddress }, ListenFault>>;
}
