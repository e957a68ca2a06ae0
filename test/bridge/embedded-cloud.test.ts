// The embedded cloud side and our own wire together, over the simulated broker: what one side sends, the other understands.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { startLinkActor } from '../../src/actors/link-actor.ts';
import { startEmbeddedCloud, type EmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { ApiWrite } from '../../src/bus/api-write.ts';
import { liteDialect } from '../../src/bus/dialects/lite/lite-dialect.ts';
import { startApiWriter } from '../../src/bus/egress/api-writer.ts';
import { startMqttPods } from '../../src/bus/ingress/mqtt-pods.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { Pod, PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { silentLog } from '../support/silent-log.ts';

const pod = (name: string): Pod => ({ metadata: { name, namespace: 'shop' }, spec: { nodeName: 'edge-07', containers: [{ name: 'web', image: 'registry.example/web:1' }] } });

for (const encoding of ['json', 'yaml'] as const) {
  describe(`the embedded cloud side, answering in ${encoding}`, () => {
    let clock: VirtualClock;
    let cloud: EmbeddedCloud;
    let bus: Bus;
    let seen: AnyEnvelope[];
    const parts: Stoppable[] = [];

    beforeEach(async () => {
      clock = new VirtualClock();
      const random = new SeededRandom('cloud');
      const broker = new SimBroker({ clock, random });
      cloud = startEmbeddedCloud({ mqtt: broker.port({ clientId: 'cloud' }), clock, random, log: silentLog, rootTopic: 'fleet', strict: true, encoding });
      await clock.advance(100);
      bus = new Bus(clock);
      seen = [];
      bus.tap((envelope) => void seen.push(envelope));
      const dialect = liteDialect({ rootTopic: 'fleet', nodeName: 'edge-07' });
      const link = startLinkActor({ bus: bus.as('link'), clock, random, log: silentLog, mqtt: broker.port({ clientId: 'edge-07' }), subscriptions: dialect.connection().subscriptions });
      const { publish } = link;
      parts.push(link, startApiWriter({ bus: bus.as('api-writer'), clock, random, log: silentLog, dialect, publish }));
      parts.push(startMqttPods({ bus: bus.as('mqtt-pods'), clock, random, log: silentLog, dialect, publish, nodeName: 'edge-07' }));
    });
    afterEach(async () => {
      for (const part of parts.splice(0).reverse()) await part.stop();
      await cloud.stop();
      expect(cloud.deviations()).toEqual([]);
      expect(seen.filter(({ topic }) => topic === 'input.refused' || topic === 'actor.failed').map(({ payload }) => payload)).toEqual([]);
    });

    const write = async (write: ApiWrite) => {
      bus.as('writer').publish('api.write', write);
      await clock.advance(200);
      const settled = seen.filter((envelope) => envelope.topic === 'api.settled').at(-1);
      return settled?.topic === 'api.settled' ? settled.payload.outcome : undefined;
    };
    const base = { id: '8f67f111-16e1-45e6-904f-ec94adab39d4', writer: 'status-reporter', lane: 'x', namespace: 'shop', kind: 'Pod' } as const;
    const updates = () => seen.flatMap((envelope) => (envelope.topic === 'source.updated' ? [envelope.payload] : []));

    it('given an empty store, when the agent starts, then its source speaks with no pods', async () => {
      await clock.advance(1_000);
      expect(updates()).toEqual([{ kind: 'set', source: 'mqtt', pods: [] }]);
    });

    it('given pods, when the agent starts and another one comes, then it has them all, defaulted', async () => {
      cloud.applyPod(pod('before'));
      await clock.advance(1_000);
      cloud.applyPod(pod('after'));
      await clock.advance(1_000);
      expect(updates().map((update) => (update.kind === 'set' ? update.pods.map(({ name }) => name) : update.kind === 'upsert' ? update.pod.name : ''))).toEqual([['before'], 'after']);
      expect(updates()[1]).toMatchObject({ pod: { pod: { spec: { restartPolicy: 'Always', enableServiceLinks: true } } } });
    });

    it('given a pod, when its status is patched, then the store has it, the answer carries it and the echo comes', async () => {
      cloud.applyPod(pod('web-0'));
      await clock.advance(1_000);
      const uid = cloud.pods()[0]?.metadata?.uid ?? '';
      const outcome = await write({ ...base, verb: 'patchStatus', name: 'web-0', patch: { metadata: { uid }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } } });
      expect(outcome).toMatchObject({ kind: 'accepted', object: { metadata: { uid }, status: { phase: 'Running' } } });
      expect(cloud.pods()[0]?.status?.phase).toBe('Running');
      expect(updates().at(-1)).toMatchObject({ kind: 'upsert', pod: { pod: { status: { phase: 'Running' } } } });
    });

    it('given another UID, when a status is patched or a pod deleted, then the answer is a conflict', async () => {
      cloud.applyPod(pod('web-0'));
      await clock.advance(1_000);
      expect(await write({ ...base, verb: 'patchStatus', name: 'web-0', patch: { metadata: { uid: 'other' }, status: {} } })).toMatchObject({ kind: 'refused', status: { reason: 'Conflict' } });
      expect(await write({ ...base, verb: 'delete', name: 'web-0', uid: 'other' as PodUid, gracePeriodSeconds: 0 })).toMatchObject({ kind: 'refused', status: { reason: 'Conflict' } });
    });

    it('given no such pod, when it is got, then the answer is NotFound', async () => {
      expect(await write({ ...base, verb: 'get', name: 'nobody' })).toMatchObject({ kind: 'refused', status: { reason: 'NotFound', code: 404 } });
    });

    it('given a running pod, when it is deleted with grace, then it is pushed with the deletion, and goes when the agent deletes it', async () => {
      cloud.applyPod(pod('web-0'));
      await clock.advance(1_000);
      cloud.deletePod('shop', 'web-0', { graceMs: 5_000 });
      await clock.advance(1_000);
      const update = updates().at(-1);
      expect(update).toMatchObject({ kind: 'upsert', pod: { pod: { metadata: { deletionGracePeriodSeconds: 5 } } } });
      if (update?.kind !== 'upsert') throw new Error('no push');
      const reference = { uid: update.pod.uid, namespace: 'shop', name: 'web-0' };
      bus.as('pod').publish('pod.terminated', { pod: reference, desired: update.pod }, { key: reference.uid });
      expect(await write({ ...base, verb: 'delete', name: 'web-0', uid: reference.uid, gracePeriodSeconds: 0 })).toMatchObject({ kind: 'accepted' });
      expect(cloud.pods()).toEqual([]);
      expect(updates().at(-1)).toEqual({ kind: 'forget', source: 'mqtt', uid: reference.uid });
    });

    it('given a running pod, when it is force-deleted, then the agent hears of it as a pod that is over', async () => {
      cloud.applyPod(pod('web-0'));
      await clock.advance(1_000);
      cloud.deletePod('shop', 'web-0', { graceMs: 0 });
      await clock.advance(1_000);
      expect(cloud.pods()).toEqual([]);
      expect(updates().at(-1)).toMatchObject({ kind: 'upsert', pod: { pod: { metadata: { deletionGracePeriodSeconds: 0 } } } });
    });

    it('given a node, when it registers and reports, then it is stored, pushed back and pushed again', async () => {
      const node = { metadata: { name: 'edge-07', labels: { a: 'b' } }, status: { conditions: [{ type: 'Ready', status: 'False' as const }] } };
      const nodeWrite = { id: '3753d226-86dd-4412-b873-135e229127f2', writer: 'node', lane: 'node', kind: 'Node', name: 'edge-07' } as const;
      expect(await write({ ...nodeWrite, verb: 'create', object: node })).toMatchObject({ kind: 'accepted', object: { metadata: { name: 'edge-07' } } });
      expect(await write({ ...nodeWrite, verb: 'create', object: node })).toMatchObject({ kind: 'refused', status: { reason: 'AlreadyExists' } });
      const patch = { status: { $setElementOrder: [], conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '10.0.0.1' }, { $patch: 'replace' }] } };
      expect(await write({ ...nodeWrite, verb: 'patchStatus', patch })).toMatchObject({ kind: 'accepted' });
      expect(cloud.nodes()[0]?.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] });
      await clock.advance(10_000);
      const received = seen.flatMap((envelope) => (envelope.topic === 'node.received' ? [envelope.payload.node.status?.conditions?.[0]?.status] : []));
      expect(received).toContain('True');
      expect(received.length).toBeGreaterThanOrEqual(3);
    });

    it('given events, when they are created and patched, then they are stored without an answer', async () => {
      const event = { metadata: { name: 'web-0.1', namespace: 'shop' }, involvedObject: { kind: 'Pod' }, source: { component: 'kubelet', host: 'edge-07' }, count: 1, reason: 'Started', message: 'x' };
      const eventWrite = { id: '6fb0e975-4f5b-44b2-8fb5-a51fa714847f', writer: 'events', lane: 'e', kind: 'Event', namespace: 'shop', name: 'web-0.1' } as const;
      expect(await write({ ...eventWrite, verb: 'create', object: event })).toEqual({ kind: 'accepted' });
      expect(await write({ ...eventWrite, verb: 'patch', object: { ...event, count: 2 }, patch: { count: 2 } })).toEqual({ kind: 'accepted' });
      expect(cloud.events().map(({ count }) => count)).toEqual([2]);
    });

    it('given an agent that sends no lease, when time passes, then the cloud renews one for it', async () => {
      await clock.advance(25_000);
      const first = cloud.leases()[0]?.spec?.renewTime;
      expect(first).toBeDefined();
      await clock.advance(500_000);
      const last = cloud.leases()[0]?.spec?.renewTime;
      await clock.advance(60_000);
      expect(cloud.leases()[0]?.spec?.renewTime).toBe(last);
    });

    it('given an agent with its own lease, when it writes it, then it is stored and the cloud leaves it alone', async () => {
      const leaseWrite = { id: '3753d226-86dd-4412-b873-135e229127f2', writer: 'lease', lane: 'lease', kind: 'Lease', namespace: 'kube-node-lease', name: 'edge-07' } as const;
      const object = { metadata: { name: 'edge-07', namespace: 'kube-node-lease' }, spec: { holderIdentity: 'edge-07', leaseDurationSeconds: 40 } };
      expect(await write({ ...leaseWrite, verb: 'create', object })).toMatchObject({ kind: 'accepted' });
      await clock.advance(60_000);
      expect(cloud.leases()[0]?.spec?.renewTime).toBeUndefined();
      const stale = { ...object, metadata: { ...object.metadata, resourceVersion: '999999' } };
      expect(await write({ ...leaseWrite, verb: 'update', object: stale })).toMatchObject({ kind: 'refused', status: { reason: 'Conflict' } });
    });

    it('given a mirror pod, when it is created, then it comes back as one', async () => {
      const mirror = { ...pod('static-web-edge-07'), metadata: { name: 'static-web-edge-07', namespace: 'shop', annotations: { 'kubernetes.io/config.mirror': 'hash', 'kubernetes.io/config.source': 'file' } } };
      expect(await write({ ...base, writer: 'mirror-pods', verb: 'create', name: 'static-web-edge-07', object: mirror })).toMatchObject({ kind: 'accepted' });
      const mirrors = seen.flatMap((envelope) => (envelope.topic === 'mirror.received' ? [envelope.payload] : []));
      expect(mirrors).toMatchObject([{ fullName: 'static-web-edge-07_shop', pod: { metadata: { annotations: { 'kubernetes.io/config.source': 'file' } } } }]);
      expect(updates().filter(({ kind }) => kind === 'upsert')).toEqual([]);
    });
  });
}
