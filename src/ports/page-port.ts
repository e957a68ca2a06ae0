// A small server for browsers on loopback: files over HTTP, conversations over WebSocket. Without HTTP or WebSocket library types.
import type { HttpRequest, ListenFault } from './listener-port.ts';
import type { Result, Stoppable } from './result.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces are sent one after the other, as fast as they are taken. */
  readonly body: string | Uint8Array | Iterable<string>;
}

/** One open WebSocket. */
export interface PageSocket {
  /** Text frames; after the end nothing happens. */
  send(text: string): void;
  /** Bytes that have not left yet. */
  pendingBytes(): number;
  /** @param code 1000 to 4999, as RFC 6455 has them */
  close(code: number, reason: string): void;
}

export interface SocketListener {
  /** A text frame. Binary ones close the connection. */
  received(text: string): void;
  /** Called once, whoever ended it. */
  closed(): void;
}

export type SocketVerdict =
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | { readonly kind: 'taken'; readonly open: (socket: PageSocket) => SocketListener };

export interface PageRoutes {
  answer(request: HttpRequest): PageAnswer;
  /** Somebody asks for a WebSocket. */
  connect(request: HttpRequest): SocketVerdict;
}

export interface PageAddress {
  /** An address of this machine itself. */
  readonly host: string;
  readonly port: number;
}

export interface PagePort {
  /**
   * @param options.frameBytesMax a larger frame closes its connection with 1009
   * @returns the running server with the real port where 0 was asked for
   */
  listen(address: PageAddress, routes: PageRoutes, options: { readonly frameBytesMax: number }): Promise<Result<Stoppable & { readonly address: PageAddress }, ListenFault>>;
}
