// kubelet's API of all nodes of a cloud side in the real world: TLS on a port of this machine, with a certificate of the API's own
// authority, so that its API server trusts it and is trusted. It composes; `mqlet bridge` and the demo call it.
import { Certificates } from '../adapters/certificates.ts';
import { KubeletListener } from '../adapters/kubelet-listener.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { startKubeletApi } from '../bridge/kubelet-api/kubelet-api.ts';
import type { AccessReviewPort } from '../ports/access-review-port.ts';
import type { CertificatePair } from '../ports/certificates-port.ts';
import type { ListenFault } from '../ports/listener-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { NodeStreamsPort } from '../ports/node-streams-port.ts';
import type { Result, Stoppable } from '../ports/result.ts';

export interface KubeletEndpointOptions {
  readonly streams: NodeStreamsPort;
  /** Signs the endpoint's certificate, and those of whom it lets in where nothing else is said. */
  readonly authority: CertificatePair;
  /** PEM: of those who may come in with a certificate. */
  readonly clientCa?: string;
  /** The endpoint's own; made where it is absent. */
  readonly pair?: CertificatePair;
  /** Port 0: whichever is free. */
  readonly address: { readonly host: string; readonly port: number };
  /** Further names and addresses under which API servers reach it. */
  readonly hosts?: readonly string[];
  readonly log: LogPort;
  /** Absent: whoever has a certificate of the authority may do everything. */
  readonly reviews?: AccessReviewPort;
  /** Names of nodes; a Host is one of them, or one with more behind a dot. */
  isNode(name: string): boolean;
  nodeOfPod(pod: { readonly namespace: string; readonly pod: string }): string | undefined;
}

const dayMs = 86_400_000;
/** Made anew at each start. */
const certificateMs = 365 * dayMs;

export function startKubeletEndpoint(options: KubeletEndpointOptions): Promise<Result<Stoppable & { readonly port: number }, ListenFault>> {
  const { streams, authority, clientCa = authority.cert, address, hosts = [], log, reviews, isNode, nodeOfPod } = options;
  const clock = new SystemClock();
  const nowMs = clock.nowMs();
  const pair = options.pair ?? new Certificates().issue(authority, {
    use: 'server', commonName: 'mqlet-kubelet-endpoint', organizations: [], hosts: [...new Set(['localhost', '127.0.0.1', address.host, ...hosts])], notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + certificateMs,
  });
  return startKubeletApi({
    listener: new KubeletListener(), streams, clock, log, ...address, tls: { ...pair, clientCa }, ...(reviews === undefined ? {} : { reviews }), nodeOfPod,
    nodeOfHost: (host) => [host, host.slice(0, Math.max(0, host.indexOf('.')))].find((name) => name !== '' && isNode(name)),
  });
}
