// Node isolation on the wire: whatever fields a message of a node has, it reads and changes nothing that is not its own, and every refusal is counted.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { SimKubeApi } from '../../src/adapters/sim/sim-kube-api.ts';
import { type Bridge, startBridge } from '../../src/bridge/bridge.ts';
import { bridgeLabel } from '../../src/bridge/node-rights.ts';
import { packJson, unpack } from '../../src/bus/dialects/lite/payload.ts';
import { noDictionary, packBody, readBody } from '../../src/bus/dialects/mqlet/body.ts';
import { decodeFrame, encodeFrame } from '../../src/bus/dialects/mqlet/header.ts';
import type { MqttPacket, MqttPort } from '../../src/ports/mqtt-port.ts';
import { ApiWorld, type Body, podNamed } from '../support/api-world.ts';
import { silentLog } from '../support/silent-log.ts';

const attacker = 'edge-07';
const treasure = 'not for edge-07';
const treasureText = Buffer.from(treasure).toString('base64');
const bridges: Bridge[] = [];
afterEach(async () => {
  for (const bridge of bridges.splice(0)) await bridge.stop();
});

/** What a node says, in no dialect. */
interface Said {
  readonly verb: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object?: object;
  readonly patch?: object;
  readonly uid?: string;
}

interface Wire {
  say(port: MqttPort, said: Said, number: number): Promise<unknown>;
  read(packet: MqttPacket): unknown;
}

const mqletWire: Wire = {
  say: (port, said, number) => {
    const correlation = Buffer.alloc(6);
    correlation.writeUIntBE(number, 0, 6);
    const payload = encodeFrame({ type: 'write', correlation, lifetimeSeconds: 60, ...packBody({ ...said }, { dictionary: noDictionary }) });
    return port.publish({ topic: `fleet/v1/up/${attacker}/api`, payload, qos: 1, retain: false });
  },
  read: ({ payload }) => {
    const frame = decodeFrame(payload);
    const body = frame.ok && frame.value !== 'ignorable' && frame.value.body.length > 0 ? readBody(frame.value) : undefined;
    return body?.ok === true ? body.value : undefined;
  },
};

const liteWire: Wire = {
  say: (port, { verb, kind, namespace, name, object, patch, uid }, number) => {
    const fields = {
      identity: `8f67f111-16e1-45e6-904f-${String(number).padStart(12, '0')}`, need_ack: true, node_name: attacker, object_type: kind.toLowerCase(), operate_type: verb === 'patchStatus' ? 'patch' : verb,
      object_name: name, object_ns: namespace, ...(object === undefined ? {} : { object }), options: uid === undefined ? {} : { gracePeriodSeconds: 0, preconditions: { uid } },
      ...(patch === undefined ? {} : { patch_data: Buffer.from(JSON.stringify(patch)).toString('base64') }), ...(verb === 'patchStatus' ? { patch_sub_resources: ['status'] } : {}),
    };
    return port.publish({ topic: 'fleet/data', payload: packJson(fields), qos: 1, retain: false });
  },
  read: ({ payload }) => {
    const body = unpack(payload);
    return body.ok ? body.value : undefined;
  },
};

const collections = ['/api/v1/pods', '/api/v1/nodes', '/api/v1/events', '/api/v1/secrets', '/api/v1/configmaps', '/api/v1/serviceaccounts', '/apis/coordination.k8s.io/v1/leases'];

class World {
  readonly api = new ApiWorld({ seed: 'isolation' });
  readonly heard: unknown[] = [];
  readonly #wire: Wire;
  #port: MqttPort | undefined;
  #bridge: Bridge | undefined;
  #number = 1;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async start(): Promise<void> {
    const { api } = this;
    await api.server;
    const { clock } = api;
    const random = new SeededRandom('isolation');
    const broker = new SimBroker({ clock, random });
    const kube = new SimKubeApi(api.listener, { commonName: 'mqlet-bridge', organizations: ['system:mqlet:bridges'] });
    await api.addNode('edge-08', { labels: { [bridgeLabel]: 'mqlet' } });
    await api.addNode('edge-09');
    await api.post('/api/v1/namespaces', { metadata: { name: 'shop' } });
    await api.post('/api/v1/namespaces/shop/secrets', { metadata: { name: 'database' }, data: { password: treasureText } });
    await api.post('/api/v1/namespaces/shop/configmaps', { metadata: { name: 'database' }, data: { hint: treasure } });
    await api.post('/api/v1/namespaces/shop/pods', podNamed('victim', { nodeName: 'edge-08', volumes: [{ name: 'v', secret: { secretName: 'database' } }] }, { annotations: { note: treasure } }));
    await api.post('/api/v1/namespaces/shop/events', { metadata: { name: 'x.1', namespace: 'shop' }, involvedObject: { kind: 'Node', name: 'edge-08' }, source: { host: 'edge-08' }, message: treasure });
    for (const name of ['edge-08', 'edge-09']) await api.post('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', { metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40 } });
    this.#bridge = startBridge({ api: kube, mqtt: broker.port({ clientId: 'bridge' }), clock, random, log: silentLog, rootTopic: 'fleet', name: 'mqlet', dialects: ['mqlet', 'lite'] });
    bridges.push(this.#bridge);
    // The others fall silent before: what their controller makes of that is not the attacker's doing.
    await clock.advance(60_000);
    this.#port = broker.port({ clientId: attacker });
    await Promise.all([this.#port.connect({ message: (packet) => void this.heard.push(this.#wire.read(packet)), closed: () => undefined }), clock.advance(10)]);
    for (const filter of [`fleet/v1/down/${attacker}/api`, `fleet/ctl/${attacker}`]) await Promise.all([this.#port.subscribe(filter, 1), clock.advance(10)]);
    await this.say({ verb: 'create', kind: 'Node', namespace: '', name: attacker, object: { metadata: { name: attacker } } });
    await api.post('/api/v1/namespaces/shop/pods', podNamed('own', { nodeName: attacker }));
    await clock.advance(1_000);
  }

  async say(said: Said): Promise<void> {
    const { clock } = this.api;
    if (this.#port === undefined) throw new Error('not started');
    this.#number += 1;
    const sent = this.#wire.say(this.#port, said, this.#number);
    await clock.advance(100);
    await sent;
  }

  get alarms(): number {
    return Number(/mqlet_bridge_forbidden_total (\d+)/.exec(this.#bridge?.metrics() ?? '')?.[1] ?? Number.NaN);
  }

  get refusals(): number {
    return this.heard.filter((body) => JSON.stringify(body ?? '').includes('"reason":"Forbidden"')).length;
  }

  async uidOf(pod: string): Promise<string> {
    return String((await this.api.get(`/api/v1/namespaces/shop/pods/${pod}`)).body['metadata']?.['uid']);
  }

  /** Everything in the API that is not the attacker's. */
  async others(): Promise<readonly string[]> {
    const lists = await Promise.all(collections.map(async (url) => ((await this.api.get(url)).body['items'] as Body[]).map((item) => ({ url, item }))));
    return lists.flat().filter(({ url, item }) => !isAttackers(url, item)).map(({ item }) => JSON.stringify(item));
  }
}

function isAttackers(url: string, { metadata, spec, source, involvedObject }: Body): boolean {
  if (url.endsWith('/nodes') || url.endsWith('/leases')) return metadata.name === attacker;
  if (url.endsWith('/pods')) return spec.nodeName === attacker;
  // What the scheduler says of its pods comes when they come.
  return url.endsWith('/events') && (source?.host === attacker || involvedObject?.name === 'own');
}

const namespaces = ['shop', 'default', 'kube-system', 'kube-node-lease', '', '..', 'shop/secrets', 'shop/pods/victim'];
const names = ['own', 'victim', 'database', 'x.1', attacker, 'edge-08', 'edge-09', 'default', 'fresh', '..', '../../secrets/database', 'victim/status'];
const kinds = ['Pod', 'Node', 'Lease', 'Event', 'Secret', 'ConfigMap', 'TokenRequest', 'ServiceAccount', 'Namespace', 'pods'];
const verbs = ['get', 'create', 'update', 'patch', 'patchStatus', 'delete', 'list', 'deletecollection', 'watch'];
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

function bodies(uids: readonly string[]): fc.Arbitrary<object> {
  const nodes = fc.constantFrom(attacker, 'edge-08', 'edge-09', '');
  const metadata = fc.record({
    name: fc.constantFrom(...names), namespace: fc.constantFrom(...namespaces), uid: fc.constantFrom(...uids), labels: fc.dictionary(fc.constantFrom(bridgeLabel, 'app', 'node-restriction.kubernetes.io/x'), fc.constant('mqlet')),
    annotations: fc.constantFrom({ 'kubernetes.io/config.mirror': 'hash', 'kubernetes.io/config.source': 'file' }, {}), ownerReferences: fc.constantFrom([], [{ apiVersion: 'v1', kind: 'Node', name: 'edge-08', uid: 'u' }]), finalizers: fc.constant(['x/y']),
  }, { requiredKeys: [] });
  const volumes = fc.constantFrom([], [{ name: 'v', secret: { secretName: 'database' } }], [{ name: 'v', projected: { sources: [{ configMap: { name: 'database' } }] } }]);
  const spec = fc.record({
    nodeName: nodes, volumes, serviceAccountName: fc.constantFrom('default', ''), imagePullSecrets: fc.constant([{ name: 'database' }]), containers: fc.constantFrom([{ name: 'a', image: 'i' }], [{ name: 'a', image: 'i', envFrom: [{ secretRef: { name: 'database' } }] }]),
    holderIdentity: nodes, unschedulable: fc.boolean(), boundObjectRef: fc.record({ kind: fc.constantFrom('Pod', 'Secret'), name: fc.constantFrom(...names), uid: fc.constantFrom(...uids) }), audiences: fc.constant(['x']),
  }, { requiredKeys: [] });
  const involvedObject = fc.record({ kind: fc.constantFrom('Pod', 'Node'), namespace: fc.constantFrom('shop', ''), name: fc.constantFrom(...names) });
  return fc.record({ metadata, spec, status: fc.constantFrom({ phase: 'Failed' }, { conditions: [{ type: 'Ready', status: 'False' }] }), source: fc.record({ host: nodes }), involvedObject, count: fc.nat(9) }, { requiredKeys: [] });
}

describe.each([['mqlet', mqletWire], ['lite', liteWire]] as const)('a node of the dialect %s', (_name, wire) => {
  it('given any message, when it says it, then nothing of others is changed or told, and whatever is refused as not its own is counted', async () => {
    const world = new World(wire);
    await world.start();
    const uids = [await world.uidOf('own'), await world.uidOf('victim'), 'none'];
    const before = await world.others();
    const said = fc.record({
      verb: fc.constantFrom(...verbs), kind: fc.constantFrom(...kinds), namespace: fc.constantFrom(...namespaces), name: fc.constantFrom(...names), object: maybe(bodies(uids)), patch: maybe(bodies(uids)), uid: maybe(fc.constantFrom(...uids)),
    });
    await fc.assert(fc.asyncProperty(said, async ({ object, patch, uid, ...rest }) => {
      await world.say({ ...rest, ...(object === undefined ? {} : { object }), ...(patch === undefined ? {} : { patch }), ...(uid === undefined ? {} : { uid }) });
      expect(await world.others()).toEqual(before);
      // Events of the dialect mqlet are not answered, but counted.
      expect(world.alarms).toBeGreaterThanOrEqual(world.refusals);
    }), { numRuns: 400, endOnFailure: true });
    const told = JSON.stringify(world.heard);
    expect([told.includes(treasure), told.includes(treasureText)]).toEqual([false, false]);
    expect(world.alarms).toBeGreaterThan(50);
  });

  it.each<[string, Said]>([
    ['another’s pod', { verb: 'get', kind: 'Pod', namespace: 'shop', name: 'victim' }],
    ['another’s node object', { verb: 'patchStatus', kind: 'Node', namespace: '', name: 'edge-08', patch: { status: {} } }],
    ['another’s lease', { verb: 'get', kind: 'Lease', namespace: 'kube-node-lease', name: 'edge-08' }],
    ['a secret', { verb: 'get', kind: 'Secret', namespace: 'shop', name: 'database' }],
    ['a config map', { verb: 'get', kind: 'ConfigMap', namespace: 'shop', name: 'database' }],
    ['a new node beside itself', { verb: 'create', kind: 'Node', namespace: '', name: 'edge-10', object: { metadata: { name: 'edge-10' } } }],
  ])('given %s, when it asks for it, then it is Forbidden and one alarm', async (_what, said) => {
    const world = new World(wire);
    await world.start();
    await world.say(said);
    expect([world.refusals, world.alarms]).toEqual([1, 1]);
  });
});
