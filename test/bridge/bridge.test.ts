// The bridge in front of an API in the same process, with its own rights enforced, and a node's wire on a simulated broker: virtual time.
import { afterEach, describe, expect, it } from 'vitest';
import { startLinkActor } from '../../src/actors/link-actor.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { SimKubeApi } from '../../src/adapters/sim/sim-kube-api.ts';
import { type Bridge, startBridge } from '../../src/bridge/bridge.ts';
import { memberLeaseMs, ownerOf } from '../../src/bridge/members.ts';
import { bridgeLabel } from '../../src/bridge/node-rights.ts';
import type { ApiWrite } from '../../src/bus/api-write.ts';
import { Bus } from '../../src/bus/bus.ts';
import { startApiWriter } from '../../src/bus/egress/api-writer.ts';
import { startMqttPods } from '../../src/bus/ingress/mqtt-pods.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { ApiWorld, podNamed, podsUrl } from '../support/api-world.ts';
import { type DialectName, testDialect } from '../support/dialects.ts';
import { silentLog } from '../support/silent-log.ts';

const identity = { commonName: 'mqlet-bridge', organizations: ['system:mqlet:bridges'] };
const parts: Stoppable[] = [];
afterEach(async () => {
  for (const part of parts.splice(0).reverse()) await part.stop();
});

interface World {
  readonly api: ApiWorld;
  readonly kube: SimKubeApi;
  readonly bridge: Bridge;
  readonly others: readonly { readonly kube: SimKubeApi; readonly bridge: Bridge }[];
  /** The node's connection breaks. */
  cut(): void;
  readonly bus: Bus;
  readonly log: AnyEnvelope[];
  run(delayMs?: number): Promise<void>;
  write(write: ApiWrite): Promise<string>;
  /** Names of pods the node was told of last. */
  told(): readonly string[];
}

/** @param shareAs names of bridges that share the nodes; one bridge, which is alone, without */
async function start(name: DialectName, shareAs: readonly string[] = []): Promise<World> {
  const api = new ApiWorld({ seed: name });
  await api.server;
  const { clock } = api;
  const random = new SeededRandom(name);
  const broker = new SimBroker({ clock, random });
  await api.post('/api/v1/namespaces', { metadata: { name: 'mqlet-system' } });
  const begin = (id?: string) => {
    const kube = new SimKubeApi(api.listener, identity);
    const bridge = startBridge({
      api: kube, mqtt: broker.port({ clientId: `bridge-${id}` }), clock, random, log: silentLog, rootTopic: 'fleet', name: 'mqlet', dialects: ['mqlet', 'lite'], ...(id === undefined ? {} : { sharing: { id, namespace: 'mqlet-system' } }),
    });
    parts.push(bridge);
    return { kube, bridge };
  };
  const { kube, bridge } = begin(shareAs[0]);
  const others = shareAs.slice(1).map((id) => begin(id));
  await clock.advance(shareAs.length > 1 ? 10_000 : 1_000);
  const bus = new Bus(clock);
  const log: AnyEnvelope[] = [];
  bus.tap((envelope) => void log.push(envelope));
  const dialect = testDialect(name);
  const mqtt = broker.port({ clientId: 'edge-07' });
  const link = startLinkActor({
    bus: bus.as('link'), clock, random, log: silentLog, mqtt: dialect.transport?.(mqtt, clock) ?? mqtt, subscriptions: dialect.connection().subscriptions, opening: () => dialect.connection(),
  });
  const deps = { clock, log: silentLog, dialect, publish: link.publish };
  parts.push(link, startApiWriter({ ...deps, random, bus: bus.as('api-writer') }), startMqttPods({ ...deps, bus: bus.as('mqtt-pods'), random, nodeName: 'edge-07' }));
  const run = (delayMs = 2_000): Promise<void> => clock.advance(delayMs);
  await run();
  const write = async (wanted: ApiWrite): Promise<string> => {
    bus.as('test').publish('api.write', wanted);
    await run();
    const settled = log.findLast((envelope) => envelope.topic === 'api.settled' && envelope.payload.write.id === wanted.id);
    const outcome = settled?.topic === 'api.settled' ? settled.payload.outcome : undefined;
    return outcome?.kind === 'refused' ? `refused ${String(outcome.status.reason)}` : (outcome?.kind ?? 'nothing');
  };
  const told = (): readonly string[] => {
    const names = new Set<string>();
    for (const { topic, payload } of log) {
      if (topic !== 'source.updated' || !('kind' in payload)) continue;
      const text = JSON.stringify(payload);
      for (const [, found] of text.matchAll(/"name":"(web-\d+)"/g)) if (found !== undefined) names.add(found);
    }
    return [...names].sort();
  };
  const cut = (): void => broker.cut('edge-07');
  return { api, kube, bridge, others, cut, bus, log, run, write, told };
}

let nextId = 1_000;
const id = (): string => `8f67f111-16e1-45e6-904f-ec94adab${nextId++}`;
const node = (name: string): ApiWrite => ({ id: id(), writer: 'node', lane: 'node', verb: 'create', kind: 'Node', name, object: { metadata: { name }, status: { conditions: [{ type: 'Ready', status: 'True' }] } } });
const pod = (name: string, spec: object = {}): object => podNamed(name, { nodeName: 'edge-07', ...spec });

describe.each(['mqlet', 'lite'] as const)('the bridge and a node of the dialect %s', (name) => {
  it('given a node registers, when a pod is bound to it, then the node is told, and its status is in the API', async () => {
    const { api, write, run, told } = await start(name);
    expect(await write(node('edge-07'))).toBe('accepted');
    expect((await api.get('/api/v1/nodes/edge-07')).body['metadata'].labels[bridgeLabel]).toBe('mqlet');
    const made = await api.post(podsUrl, pod('web-0'));
    await run();
    expect(told()).toEqual(['web-0']);
    const { uid } = made.body['metadata'];
    const patch = { metadata: { uid }, status: { phase: 'Running' } };
    expect(await write({ id: id(), writer: 'status-reporter', lane: 'pod', verb: 'patchStatus', kind: 'Pod', namespace: 'default', name: 'web-0', patch, whole: true })).toBe('accepted');
    expect((await api.get(`${podsUrl}/web-0`)).body['status'].phase).toBe('Running');
  });

  it('given a pod was bound before its node registers, when it does, then the node is told of it', async () => {
    const { api, write, run, told } = await start(name);
    await api.post(podsUrl, pod('web-1'));
    await run();
    expect(told()).toEqual([]);
    await write(node('edge-07'));
    await run();
    expect(told()).toEqual(['web-1']);
  });

  it('given a pod and watches that break and forget, when the API tells again, then the node is told of what was missed', async () => {
    const { api, kube, write, run, told } = await start(name);
    await write(node('edge-07'));
    kube.cut({ kind: 'refused', status: { status: 'Failure', code: 410, reason: 'Expired' } });
    await api.post(podsUrl, pod('web-2'));
    await run(5_000);
    expect(told()).toEqual(['web-2']);
  });

  it('given a node of the cluster that did not register here, when a message claims to be it, then it is refused and counted, and nothing changes', async () => {
    const { api, write, bridge } = await start(name);
    await api.addNode('edge-07');
    const before = (await api.get('/api/v1/nodes/edge-07')).body;
    expect(await write({ id: id(), writer: 'node', lane: 'node', verb: 'patchStatus', kind: 'Node', name: 'edge-07', patch: { status: { conditions: [{ type: 'Ready', status: 'False' }] } } })).toBe('refused Forbidden');
    expect(await write({ ...node('edge-08') })).toBe('refused Forbidden');
    expect((await api.get('/api/v1/nodes/edge-07')).body).toEqual(before);
    expect(bridge.metrics()).toMatch(/mqlet_bridge_forbidden_total [1-9]/);
  });

  it('given a node is heard, when it falls silent, then its lease is renewed no more, and the API shows that nobody knows it to be ready', async () => {
    const { api, write, run, cut } = await start(name);
    await write(node('edge-07'));
    await run(15_000);
    const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/edge-07';
    const renewed = (await api.get(lease)).body['spec'].renewTime;
    expect(renewed).toBeDefined();
    const ready = async (): Promise<string> => (await api.get('/api/v1/nodes/edge-07')).body['status'].conditions.find(({ type }: { readonly type: string }) => type === 'Ready').status;
    expect(await ready()).toBe('True');
    cut();
    for (const part of parts.splice(1).reverse()) await part.stop();
    // The will of the one says that it went; of the other a message was due every five minutes.
    await run(name === 'mqlet' ? 60_000 : 500_000);
    expect(await ready()).toBe('Unknown');
    const last = (await api.get(lease)).body['spec'].renewTime;
    await run(60_000);
    expect((await api.get(lease)).body['spec'].renewTime).toBe(last);
  });

  it('given two bridges, when the one that serves the node is cut off from the API, then the other serves it within the lease time, and nothing is lost', async () => {
    // The first one serves it.
    const names = ['a', 'b'].sort((one) => (ownerOf('edge-07', ['a', 'b']) === one ? -1 : 1));
    const { api, kube, others, write, run, told } = await start(name, names);
    await write(node('edge-07'));
    await api.post(podsUrl, pod('web-3'));
    await run();
    expect(told()).toEqual(['web-3']);
    expect(others[0]?.kube.calls.filter(({ method, path }) => method !== 'GET' && !path.includes('/mqlet-system/'))).toEqual([]);
    kube.fault = () => ({ kind: 'unreachable', message: 'cut off' });
    kube.cut();
    await api.post(podsUrl, pod('web-4'));
    await run(memberLeaseMs + 8_000);
    expect(told()).toEqual(['web-3', 'web-4']);
    const patch = { metadata: { uid: (await api.get(`${podsUrl}/web-4`)).body['metadata'].uid }, status: { phase: 'Running' } };
    expect(await write({ id: id(), writer: 'status-reporter', lane: 'pod', verb: 'patchStatus', kind: 'Pod', namespace: 'default', name: 'web-4', patch, whole: true })).toBe('accepted');
    const { conditions } = (await api.get('/api/v1/nodes/edge-07')).body['status'];
    expect(conditions[0].status).toBe('True');
  });
});
