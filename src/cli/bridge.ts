// `mqlet bridge`: the cloud side between a broker and a Kubernetes API, as a process. It composes, and tells a person what it did.
import path from 'node:path';
import { HttpListener } from '../adapters/http-listener.ts';
import { createJsonLog } from '../adapters/json-log.ts';
import { kubernetesClient } from '../adapters/kubernetes-client.ts';
import { mqttClient } from '../adapters/mqtt-client.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { type Bridge, defaultLimits, startBridge } from '../bridge/bridge.ts';
import type { KubeletEndpoint } from '../bridge/kubelet-api/kubelet-endpoint.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';
import type { HttpAnswer, HttpRequest } from '../ports/listener-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { NodeStreamsPort } from '../ports/node-streams-port.ts';
import { fail, type Stoppable } from '../ports/result.ts';
import { bridgeUsage, type BridgeWords, readBridgeWords } from './bridge-words.ts';
import { type EmbeddedApi, startEmbeddedApi } from './embedded-api.ts';
import { startKubeletEndpoint } from './kubelet-endpoint.ts';
import { Refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/** Runs until `interrupted`. @returns the exit code */
export async function runBridge(argv: readonly string[], terminal: Terminal, interrupted: Promise<unknown>): Promise<number> {
  const words = readBridgeWords(argv, terminal);
  if (words === 'help') {
    terminal.print(bridgeUsage);
    return 0;
  }
  const stops: Stoppable[] = [];
  try {
    await start(words, terminal, (part) => void stops.unshift(part));
    await interrupted;
  } finally {
    for (const part of stops) await part.stop();
  }
  return 0;
}

/** In the order in which parts need each other; each is stopped before what it needs. @throws Refusal */
async function start(words: BridgeWords, terminal: Terminal, running: (part: Stoppable) => void): Promise<void> {
  const log = createJsonLog({ level: words.logLevel });
  const embedded = words.api.kind === 'embedded' ? await startEmbedded(words, log) : undefined;
  if (embedded !== undefined) running(embedded);
  const kubeconfig = embedded?.kubeconfigs.bridge ?? (words.api.kind === 'kubeconfig' ? words.api.file : undefined);
  const api = kubernetesClient({ kubeconfig });
  if (!api.ok) throw new Refusal(api.fault);
  const clock = new SystemClock();
  let bridge: Bridge | undefined;
  const endpoint = embedded === undefined ? undefined : await startEndpoint(words, embedded, { log, bridge: () => bridge });
  if (endpoint !== undefined) running(endpoint.part);
  bridge = startBridge({
    api: api.value, mqtt: brokerPort(words.broker, words.name), clock, random: new SystemRandom(), log, rootTopic: words.broker.rootTopic, name: words.name,
    dialects: words.dialects, limits: { perSecond: words.perSecond, burst: words.burst }, ...(endpoint === undefined ? {} : { endpoint: endpoint.shown }),
  });
  running(bridge);
  const health = await startHealth(words, bridge);
  if (health !== undefined) running(health);
  terminal.print(`bridge "${words.name}": ${api.value.server} <-> ${words.broker.host}:${words.broker.port}, topics ${words.broker.rootTopic}/…, dialects ${words.dialects.join(', ')}\n`);
  if (embedded !== undefined) terminal.print(`kubectl --kubeconfig ${embedded.kubeconfigs.admin} get nodes\n`);
  log.info('bridge.started', { server: api.value.server, broker: `${words.broker.host}:${words.broker.port}`, perSecond: words.perSecond, concurrentMax: defaultLimits.concurrentMax });
}

async function startEmbedded({ dataDirectory, apiListen, apiHosts }: BridgeWords, log: LogPort): Promise<EmbeddedApi> {
  const started = await startEmbeddedApi({ directory: path.join(dataDirectory, 'api'), address: apiListen, hosts: apiHosts, log });
  if (!started.ok) throw new Refusal(started.fault.message);
  return started.value;
}

/** kubelet's API of all nodes, for `kubectl logs` and `exec`; with certificates of the embedded API's authority. */
async function startEndpoint(words: BridgeWords, embedded: EmbeddedApi, deps: { readonly log: LogPort; bridge(): Bridge | undefined }): Promise<{ readonly part: Stoppable; readonly shown: KubeletEndpoint }> {
  const { kubeletListen } = words;
  // It must listen before the bridge can say where.
  const streams: NodeStreamsPort = {
    open: (nodeName, request) => deps.bridge()?.streams.open(nodeName, request) ?? Promise.resolve(fail({ code: 503, reason: 'ServiceUnavailable', message: 'the bridge is starting' })),
  };
  const started = await startKubeletEndpoint({
    streams, authority: embedded.identities.authority, address: kubeletListen, log: deps.log, hosts: [kubeletListen.host],
    isNode: (name) => deps.bridge()?.isNode(name) === true, nodeOfPod: (pod) => deps.bridge()?.nodeOfPod(pod),
  });
  if (!started.ok) throw new Refusal(`the nodes' endpoint cannot listen: ${started.fault.message}`);
  return { part: started.value, shown: { address: kubeletListen.host, port: started.value.port } };
}

async function startHealth({ healthListen }: BridgeWords, bridge: Bridge): Promise<Stoppable | undefined> {
  if (healthListen === undefined) return undefined;
  const started = await new HttpListener().listen({ kind: 'tcp', ...healthListen }, (request) => Promise.resolve(healthAnswer(request, bridge)), { bodyBytesMax: 0 });
  if (!started.ok) throw new Refusal(`--health-listen: ${started.fault.message}`);
  return started.value;
}

const plain = 'text/plain; charset=utf-8';

function healthAnswer({ path: wanted }: HttpRequest, bridge: Bridge): HttpAnswer {
  switch (wanted) {
    case '/healthz': case '/livez': return { status: 200, contentType: plain, body: 'ok\n' };
    case '/readyz': {
      const faults = bridge.unready();
      return faults.length === 0 ? { status: 200, contentType: plain, body: 'ok\n' } : { status: 503, contentType: plain, body: `${faults.join('\n')}\n` };
    }
    case '/metrics': return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body: bridge.metrics() };
    default: return { status: 404, contentType: plain, body: 'not found\n' };
  }
}

function brokerPort({ host, port, tls, identity, keepAliveSeconds, clientGroup }: MqttConfig, name: string): ReturnType<typeof mqttClient> {
  return mqttClient({
    host, port, keepAliveMs: keepAliveSeconds * 1_000, protocols: ['MQTT 5', 'MQTT 3.1.1'], clientId: `${clientGroup ?? 'mqlet-bridge'}-${name}`,
    ...(identity.kind === 'password' ? { username: identity.username, password: identity.password } : {}),
    ...(tls === undefined ? {} : { tls: { ...tls, servername: tls.serverName } }),
  });
}
