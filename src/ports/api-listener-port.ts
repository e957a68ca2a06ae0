// HTTPS as an API server needs it: client certificates, answers that go on for as long as a watch lives, and requests handed on to a node.
// No HTTP library types.
import type { Result, Stoppable } from './result.ts';
import type { ListenFault } from './listener-port.ts';

/** Of a certificate that the server's client authority has signed. */
export interface ClientSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

export interface ApiRequest {
  readonly method: string;
  /** Decoded, always starting with a slash. Segments with a slash inside are refused before. */
  readonly path: string;
  /** The first value of each name. */
  readonly query: ReadonlyMap<string, string>;
  /** As it came, without the question mark; for requests that are handed on. */
  readonly rawQuery: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly client: ClientSubject | undefined;
  /** Whether it asks for another protocol on its connection. */
  readonly upgrade: boolean;
}

/** What a long answer is written to. */
export interface ApiSink {
  /** @returns bytes that wait for a slow reader, these among them */
  write(text: string): number;
  end(): void;
}

/** Where a request is handed on to, and how that place knows us and we know it. */
export interface ApiUpstream {
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string; readonly serverName?: string };
}

type Head = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

export type ApiAnswer =
  | (Head & { readonly kind: 'whole'; readonly body: string | Uint8Array })
  /** `begin` is called when the head is on its way; what it returns is stopped when the reader is gone. */
  | (Head & { readonly kind: 'stream'; begin(sink: ApiSink): Stoppable })
  | { readonly kind: 'upstream'; readonly to: ApiUpstream };

export interface ApiTls {
  /** PEM texts. */
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
}

export interface ApiListenerPort {
  /**
   * @param handle must not reject; it is told of every request, upgrades too
   * @param options.bodyBytesMax larger requests are answered by `tooLarge`
   * @returns the running server, with the port that was bound where 0 was asked for
   */
  listen(
    address: { readonly host: string; readonly port: number },
    tls: ApiTls,
    handle: (request: ApiRequest) => Promise<ApiAnswer>,
    options: { readonly bodyBytesMax: number; tooLarge(): ApiAnswer },
  ): Promise<Result<Stoppable & { readonly port: number }, ListenFault>>;
}
