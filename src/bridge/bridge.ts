// The cloud side in front of a Kubernetes API: what `mqlet bridge` runs. It puts view, reflectors, calls and dialects together; broker and
// API are ports.
import type { ClockPort } from '../ports/clock-port.ts';
import type { KubeApiPort } from '../ports/kube-api-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import type { NodeStreamsPort } from '../ports/node-streams-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { CloudSide, type ServedDialect } from './cloud-side.ts';
import { NodeDialects } from './cloud-wire.ts';
import type { LanesLimits } from './fair-lanes.ts';
import { kubeCalls } from './kube/kube-calls.ts';
import { KubeStore } from './kube/kube-store.ts';
import { KubeView } from './kube/kube-view.ts';
import type { KubeletEndpoint } from './kubelet-api/kubelet-endpoint.ts';
import { allNodes, Members } from './members.ts';
import { keepEndpointsNamed } from './node-endpoints.ts';

export interface BridgeOptions {
  readonly api: KubeApiPort;
  readonly mqtt: MqttPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  /** Value of the label on nodes that register through it. */
  readonly name: string;
  readonly dialects: readonly ServedDialect[];
  readonly limits?: Partial<LanesLimits>;
  /** Others of the same name serve nodes too: its own name among them, and where their leases are. */
  readonly sharing?: { readonly id: string; readonly namespace: string };
  readonly endpoint?: KubeletEndpoint;
  readonly coalesceMs?: number;
}

/** An API server's own default for one client of importance: 50 a second would starve a fleet's start, 500 is what kubelets of a small cluster make. */
export const defaultLimits: LanesLimits = { concurrentMax: 32, perNodeMax: 4, perSecond: 400, burst: 800, waitingPerNodeMax: 500 };

/** As long as a restart may take. What nodes said for longer they say again, or differently. None where others hear them meanwhile. */
const sessionSeconds = 120;

export interface Bridge extends Stoppable {
  readonly streams: NodeStreamsPort;
  /** One line for each thing that keeps it from serving; none when all is well. */
  unready(): readonly string[];
  /** In the text format of Prometheus. */
  metrics(): string;
  isNode(name: string): boolean;
  nodeOfPod(pod: { readonly namespace: string; readonly pod: string }): string | undefined;
}

export function startBridge(options: BridgeOptions): Bridge {
  const { api, clock, random, log, name, endpoint } = options;
  const view = new KubeView(name);
  const store = new KubeStore({ api, view, clock, random, log, bridge: name });
  const spoken = new NodeDialects();
  const calls = kubeCalls({ api, view, store, clock, bridge: name, dialectOf: (nodeName) => spoken.of(nodeName), ...(endpoint === undefined ? {} : { endpoint }) });
  const { sharing } = options;
  const members = sharing === undefined ? undefined : new Members({ api, clock, log, bridge: name, ...sharing });
  const share = members ?? allNodes;
  const side = new CloudSide({ ...options, share, store: view, calls, spoken, ...(sharing === undefined ? { sessionSeconds } : {}), begin: store.synced, pushesUnheard: false, limits: { ...defaultLimits, ...options.limits } });
  const unheard = view.onChange(({ kind, object }) => {
    if (kind === 'Secret' || kind === 'ConfigMap') side.objectChanged({ kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name });
  });
  const unnamed = endpoint === undefined ? undefined : keepEndpointsNamed({ view, calls, lanes: side.lanes, share, endpoint });
  return {
    streams: side.streams,
    unready: () => [...(store.isSynced ? [] : ['the objects of the API server are not listed yet']), ...(side.listens ? [] : ['the broker is not connected']), ...(members?.live.length === 0 ? ['its lease among the bridges is not renewed'] : [])],
    metrics: () => metricsText(view, store, side),
    isNode: (nodeName) => view.isOurs(nodeName),
    nodeOfPod: ({ namespace, pod }) => {
      const found = view.get({ kind: 'Pod', namespace, name: pod });
      const nodeName = found.ok ? (found.value.spec as { readonly nodeName?: string } | undefined)?.nodeName : undefined; // The API gave it as a pod.
      return nodeName;
    },
    async stop() {
      unheard();
      unnamed?.();
      await side.stop();
      await members?.stop();
      await store.stop();
      api.close();
    },
  };
}

function metricsText(view: KubeView, store: KubeStore, side: CloudSide): string {
  const lines: string[] = [];
  const add = (name: string, type: 'gauge' | 'counter', help: string, values: Readonly<Record<string, number>>): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of Object.entries(values)) lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${value}`);
  };
  const counts = view.counts();
  add('mqlet_bridge_objects', 'gauge', 'Objects in memory.', Object.fromEntries(Object.entries(counts).map(([kind, count]) => [`kind="${kind}"`, count])));
  add('mqlet_bridge_synced', 'gauge', 'Whether everything was listed once.', { '': store.isSynced ? 1 : 0 });
  add('mqlet_bridge_broker_connected', 'gauge', 'Whether nodes are heard.', { '': side.listens ? 1 : 0 });
  add('mqlet_bridge_forbidden_total', 'counter', 'What nodes asked for that is not theirs.', { '': side.denials.count });
  add('mqlet_bridge_calls_waiting', 'gauge', 'Calls on the API that wait for their turn.', { '': side.lanes.waiting });
  add('mqlet_bridge_calls_refused_total', 'counter', 'Calls of nodes that had too many waiting.', { '': side.lanes.refused });
  add('mqlet_bridge_calls_coalesced_total', 'counter', 'Calls whose place a newer one took.', { '': side.lanes.replaced });
  return `${lines.join('\n')}\n`;
}
