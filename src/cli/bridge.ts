// `mqlet bridge`: the cloud side between a broker and a Kubernetes API, as a process. It composes, and tells a person what it did.
import { HttpListener } from '../adapters/http-listener.ts';
import { createJsonLog } from '../adapters/json-log.ts';
import { mqttClient } from '../adapters/mqtt-client.ts';
import { type Bridge, defaultLimits } from '../bridge/bridge.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';
import type { HttpAnswer, HttpRequest } from '../ports/listener-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { bridgeUsage, type BridgeWords, type JoinWords, readBridgeWords } from './bridge-words.ts';
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

/** @throws Refusal */
async function start(words: BridgeWords, terminal: Terminal, running: (part: Stoppable) => void): Promise<void> {
  const log = createJsonLog({ level: words.logLevel });
  const { broker, name, dialects, perSecond, burst, api, endpoint, sharing } = words;
  const client = sharing === undefined ? name : `${name}-${sharing.id}`;
  // A bundle of its own, which the demo loads too.
  const { startBridgeSite } = await import('./bridge-site.ts');
  const site = await startBridgeSite({ api, endpoint, mqtt: brokerPort(broker, client), rootTopic: broker.rootTopic, name, dialects, limits: { perSecond, burst }, log, ...(sharing === undefined ? {} : { sharing }) });
  if (!site.ok) throw new Refusal(site.fault);
  running(site.value);
  const { bridge, server, adminKubeconfig } = site.value;
  if (words.join !== undefined) running(await startJoin(words.join, words, log));
  const health = await startHealth(words, bridge);
  if (health !== undefined) running(health);
  terminal.print(`bridge "${name}": ${server} <-> ${broker.host}:${broker.port}, topics ${broker.rootTopic}/…, dialects ${dialects.join(', ')}\n`);
  if (adminKubeconfig !== undefined) terminal.print(`kubectl --kubeconfig ${adminKubeconfig} get nodes\n`);
  log.info('bridge.started', { server, broker: `${broker.host}:${broker.port}`, perSecond, concurrentMax: defaultLimits.concurrentMax });
}

/** A connection of its own: strangers do not hold up what nodes say. @throws Refusal */
async function startJoin(join: JoinWords, { broker, name }: BridgeWords, log: LogPort): Promise<Stoppable> {
  const { startJoinSite } = await import('./join-site.ts');
  const started = await startJoinSite({ ...join, mqtt: brokerPort(broker, `${name}-join`), rootTopic: broker.rootTopic, log });
  if (!started.ok) throw new Refusal(started.fault);
  return started.value;
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
