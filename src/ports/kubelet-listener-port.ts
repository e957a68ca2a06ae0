// HTTPS as kubelets serve it: answers, streams of bytes, and connections that become remote commands or forwarded ports. No HTTP library types.
import type { ListenFault } from './listener-port.ts';
import type { NodeStream, StreamFault } from './node-streams-port.ts';
import type { Result, Stoppable } from './result.ts';

export interface KubeletRequest {
  readonly method: string;
  /** Decoded, without query; no segment holds a slash. */
  readonly path: string;
  /** In order; a name may come more than once. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Of the Host header, lower case, without port. */
  readonly host: string;
  /** As in `Authorization: Bearer …`. A secret. */
  readonly bearerToken?: string;
  /** Of a certificate that the client authority signed. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] };
  /** As `Accept` says. */
  readonly wantsJson: boolean;
  /** It asks for another protocol on its connection. */
  readonly isUpgrade: boolean;
}

export type KubeletAnswer =
  | { readonly kind: 'whole'; readonly status: number; readonly contentType: string; readonly body: string }
  /** What comes in `stdout` and `stderr` is the body. */
  | { readonly kind: 'bytes'; readonly contentType: string; readonly stream: NodeStream }
  /** The connection becomes a remote command's: its lanes are those of the stream that were asked for. */
  | { readonly kind: 'command'; readonly stream: NodeStream; readonly lanes: CommandLanes }
  /** The connection carries any number of forwarded connections, each a stream of its own. */
  | { readonly kind: 'forward'; open(port: number): Promise<Result<NodeStream, StreamFault>> };

export interface CommandLanes {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface KubeletTls {
  /** PEM texts. */
  readonly cert: string;
  readonly key: string;
  /** Who signs clients' certificates; absent: none is asked for. */
  readonly clientCa?: string;
}

export interface KubeletListenerPort {
  /** @param handle does not reject. @returns the running server with the port that was bound */
  listen(
    options: { readonly host: string; readonly port: number; readonly tls: KubeletTls },
    handle: (request: KubeletRequest) => Promise<KubeletAnswer>,
  ): Promise<Result<Stoppable & { readonly port: number }, ListenFault>>;
}
