// A bridge in the real world: its API, found or of its own, kubelet's endpoint for all nodes, and the bridge between them and the broker.
// It composes; `mqlet bridge` and the demo call it.
import { Certificates } from '../adapters/certificates.ts';
import { kubernetesClient } from '../adapters/kubernetes-client.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { type Bridge, startBridge } from '../bridge/bridge.ts';
import type { ServedDialect } from '../bridge/cloud-side.ts';
import type { LanesLimits } from '../bridge/fair-lanes.ts';
import { accessReviews } from '../bridge/kube/access-reviews.ts';
import type { KubeletEndpoint } from '../bridge/kubelet-api/kubelet-endpoint.ts';
import type { CertificatePair } from '../ports/certificates-port.ts';
import type { KubeApiPort } from '../ports/kube-api-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import type { NodeStreamsPort } from '../ports/node-streams-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { type EmbeddedApi, startEmbeddedApi } from './embedded-api.ts';
import { startKubeletEndpoint } from './kubelet-endpoint.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type SiteApi =
  | { readonly kind: 'embedded'; readonly directory: string; readonly address: Address; readonly hosts: readonly string[] }
  /** Without a file: the account of the pod this runs in. */
  | { readonly kind: 'cluster'; readonly kubeconfig: string | undefined };

/** Where API servers reach the nodes' endpoint, and whom they find there. */
export interface SiteEndpoint {
  readonly address: Address;
  /** An IP address that API servers reach; the one it listens on when absent. */
  readonly shown?: string;
  /** Of those who may come in with a certificate. Absent: the authority of the API of its own, and nobody else's. */
  readonly clientCa?: string;
  /** Shown to them; absent: made at each start. */
  readonly pair?: CertificatePair;
}

export interface BridgeSiteOptions {
  readonly api: SiteApi;
  readonly endpoint: SiteEndpoint | undefined;
  readonly mqtt: MqttPort;
  readonly rootTopic: string;
  readonly name: string;
  readonly dialects: readonly ServedDialect[];
  readonly limits?: Partial<LanesLimits>;
  /** As BridgeOptions. */
  readonly sharing?: { readonly id: string; readonly namespace: string };
  readonly log: LogPort;
}

export interface BridgeSite extends Stoppable {
  readonly bridge: Bridge;
  /** URL of the API. */
  readonly server: string;
  /** Path; where the API is its own. */
  readonly adminKubeconfig?: string;
  /** As the administrator; where the API is its own. */
  readonly admin?: KubeApiPort;
}

/** @returns one line for a person where it cannot begin; nothing of it runs then */
export async function startBridgeSite(options: BridgeSiteOptions): Promise<Result<BridgeSite, string>> {
  const stops: Stoppable[] = [];
  // Each part is stopped before what it needs.
  const stop = async (): Promise<void> => {
    for (const part of stops.splice(0)) await part.stop();
  };
  const started = await startParts(options, (part) => void stops.unshift(part));
  if (started.ok) return ok({ ...started.value, stop });
  await stop();
  return started;
}

async function startParts(options: BridgeSiteOptions, running: (part: Stoppable) => void): Promise<Result<Omit<BridgeSite, 'stop'>, string>> {
  const { api: wanted, endpoint: wish, log } = options;
  const embedded = wanted.kind === 'embedded' ? await startEmbeddedApi({ directory: wanted.directory, address: wanted.address, hosts: wanted.hosts, log }) : undefined;
  if (embedded?.ok === false) return fail(embedded.fault.message);
  const own = embedded?.value;
  if (own !== undefined) running(own);
  const client = kubernetesClient({ kubeconfig: wanted.kind === 'embedded' ? own?.kubeconfigs.bridge : wanted.kubeconfig });
  if (!client.ok) return client;
  const api = client.value;
  let bridge: Bridge | undefined;
  const endpoint = wish === undefined ? undefined : await startEndpoint(wish, { own, api, log, bridge: () => bridge });
  if (endpoint?.ok === false) return endpoint;
  if (endpoint !== undefined) running(endpoint.value.part);
  const { mqtt, rootTopic, name, dialects, limits = {}, sharing } = options;
  bridge = startBridge({
    api, mqtt, clock: new SystemClock(), random: new SystemRandom(), log, rootTopic, name, dialects, limits, ...(sharing === undefined ? {} : { sharing }), ...(endpoint === undefined ? {} : { endpoint: endpoint.value.shown }),
  });
  running(bridge);
  if (own === undefined) return ok({ bridge, server: api.server });
  const admin = kubernetesClient({ kubeconfig: own.kubeconfigs.admin });
  if (!admin.ok) return admin;
  running({ stop: async () => admin.value.close() });
  return ok({ bridge, server: api.server, adminKubeconfig: own.kubeconfigs.admin, admin: admin.value });
}

interface EndpointDeps {
  readonly own: EmbeddedApi | undefined;
  readonly api: KubeApiPort;
  readonly log: LogPort;
  bridge(): Bridge | undefined;
}

const dayMs = 86_400_000;

/** kubelet's API of all nodes, for `kubectl logs` and `exec`. It must listen before the bridge can say where. */
async function startEndpoint({ address, shown, clientCa, pair }: SiteEndpoint, { own, api, log, bridge }: EndpointDeps): Promise<Result<{ readonly part: Stoppable; readonly shown: KubeletEndpoint }, string>> {
  const streams: NodeStreamsPort = {
    open: (nodeName, request) => bridge()?.streams.open(nodeName, request) ?? Promise.resolve(fail({ code: 503, reason: 'ServiceUnavailable', message: 'the bridge is starting' })),
  };
  const nowMs = new SystemClock().nowMs();
  const authority = own?.identities.authority ?? new Certificates().makeAuthority('mqlet bridge endpoint', { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + 365 * dayMs });
  const started = await startKubeletEndpoint({
    streams, authority, address, log, reviews: accessReviews(api), ...(shown === undefined ? {} : { hosts: [shown] }), ...(clientCa === undefined ? {} : { clientCa }), ...(pair === undefined ? {} : { pair }),
    isNode: (name) => bridge()?.isNode(name) === true, nodeOfPod: (pod) => bridge()?.nodeOfPod(pod),
  });
  if (!started.ok) return fail(`the nodes' endpoint cannot listen: ${started.fault.message}`);
  return ok({ part: started.value, shown: { address: shown ?? address.host, port: started.value.port } });
}
