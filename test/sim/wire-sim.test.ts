// The whole wire under faults on virtual time: link, writer and ingress of one node against the embedded cloud side, over a broker
// that loses, repeats, reorders, refuses and breaks. First anything may happen but a pod must never be dropped that the cloud still
// has; then the faults end, and both sides must agree.
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { noBrokerFaults, SimBroker, type SimBrokerFaults } from '../../src/adapters/sim/sim-broker.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { startLinkActor } from '../../src/actors/link-actor.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import { Bus, type BusPort } from '../../src/bus/bus.ts';
import { startApiWriter } from '../../src/bus/egress/api-writer.ts';
import { startMqttPods } from '../../src/bus/ingress/mqtt-pods.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { DesiredPod, PodUid } from '../../src/ports/pod-types.ts';
import { type DialectName, dialectNames, testDialect } from '../support/dialects.ts';
import { silentLog } from '../support/silent-log.ts';

const seedCount = 60;
const stepCount = 80;

/** What an agent does with pods, as far as the wire can tell: runs them, reports them, ends them. */
class PlayedAgent {
  readonly pods = new Map<PodUid, DesiredPod>();
  readonly dropped: PodUid[] = [];
  readonly #bus: BusPort;
  readonly #random: SeededRandom;
  readonly #ended = new Set<PodUid>();

  constructor(bus: BusPort, random: SeededRandom) {
    this.#bus = bus;
    this.#random = random;
    bus.on('source.updated', ({ payload }) => {
      if (payload.kind === 'upsert') this.#take(payload.pod);
      else if (payload.kind === 'forget') this.#drop(payload.uid);
      else {
        const uids = new Set(payload.pods.map(({ uid }) => uid));
        for (const uid of [...this.pods.keys()]) if (!uids.has(uid)) this.#drop(uid);
        for (const pod of payload.pods) this.#take(pod);
      }
    });
    bus.on('api.settled', ({ payload: { write, outcome } }) => {
      if (outcome.kind !== 'unanswered' || write.kind !== 'Pod' || write.verb !== 'delete' || write.uid === undefined) return;
      const pod = this.pods.get(write.uid);
      if (pod !== undefined) this.#delete(pod);
    }, 'status-reporter');
  }

  report(): void {
    for (const pod of this.pods.values()) {
      const { uid, namespace, name } = pod;
      const patch = { metadata: { uid }, status: { phase: 'Running' } };
      this.#bus.publish('api.write', { id: this.#random.uuid(), writer: 'status-reporter', lane: `pod/${uid}`, verb: 'patchStatus', kind: 'Pod', namespace, name, patch });
    }
  }

  #take(pod: DesiredPod): void {
    this.pods.set(pod.uid, pod);
    if (pod.pod.metadata.deletionTimestamp === undefined || this.#ended.has(pod.uid)) return;
    this.#ended.add(pod.uid);
    const reference = { uid: pod.uid, namespace: pod.namespace, name: pod.name };
    this.#bus.publish('pod.terminated', { pod: reference, desired: pod }, { key: pod.uid });
    this.#delete(pod);
  }

  #delete({ uid, namespace, name }: DesiredPod): void {
    this.#bus.publish('api.write', { id: this.#random.uuid(), writer: 'status-reporter', lane: `pod/${uid}`, verb: 'delete', kind: 'Pod', namespace, name, uid, gracePeriodSeconds: 0 });
  }

  #drop(uid: PodUid): void {
    if (this.pods.delete(uid)) this.dropped.push(uid);
    this.#ended.delete(uid);
  }
}

function drawFaults(random: SeededRandom): SimBrokerFaults {
  // Swarm: each fault is off in half of the seeds.
  const chance = (max: number): number => (random.fraction() < 0.5 ? 0 : random.fraction() * max);
  return {
    loseUp: chance(0.2), loseAnswer: chance(0.2), loseDown: chance(0.2), duplicate: chance(0.5), cut: chance(0.05), refuseConnect: chance(0.5),
    latencyMs: [0.1, random.fraction() < 0.5 ? 1 : 2_000], reorder: random.fraction() < 0.5,
  };
}

interface Run {
  readonly trace: string;
  readonly wronglyDropped: readonly string[];
  readonly agentHas: readonly string[];
  readonly cloudHas: readonly string[];
  readonly phases: readonly unknown[];
  readonly unsettled: number;
  readonly failures: readonly AnyEnvelope[];
}

async function run(name: DialectName, seed: string, options: { readonly plantBug?: boolean } = {}): Promise<Run> {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const broker = new SimBroker({ clock, random: random.fork('broker') });
  const cloud = startEmbeddedCloud({ mqtt: broker.port({ clientId: 'cloud' }), clock, random: random.fork('cloud'), log: silentLog, rootTopic: 'fleet', strict: true });
  await clock.advance(100);
  const bus = new Bus(clock);
  const log: AnyEnvelope[] = [];
  bus.tap((envelope) => void log.push(envelope));
  const agent = new PlayedAgent(bus.as('agent'), random.fork('agent'));
  const dialect = testDialect(name);
  const port = broker.port({ clientId: 'edge-07' });
  const link = startLinkActor({
    bus: bus.as('link'), clock, random: random.fork('link'), log: silentLog, mqtt: dialect.transport?.(port, clock) ?? port,
    subscriptions: dialect.connection().subscriptions, opening: () => dialect.connection(),
  });
  const deps = { clock, log: silentLog, dialect, publish: link.publish };
  const writer = startApiWriter({ ...deps, random: random.fork('writer'), bus: bus.as('api-writer') });
  const ingress = startMqttPods({ ...deps, bus: bus.as('mqtt-pods'), random: random.fork('ingress'), nodeName: 'edge-07' });

  const wronglyDropped: string[] = [];
  const check = (): void => {
    for (const uid of agent.dropped.splice(0)) if (cloud.pods().some(({ metadata }) => metadata?.uid === uid)) wronglyDropped.push(uid);
  };
  bus.as('checker').on('source.updated', check);
  broker.faults = drawFaults(random.fork('faults'));
  const steps = random.fork('steps');
  for (let step = 0; step < stepCount; step += 1) {
    act(cloud, agent, broker, steps);
    if (options.plantBug === true && step === stepCount / 2) bus.as('bug').publish('source.updated', { kind: 'set', source: 'mqtt', pods: [] });
    await clock.advance(steps.integer(1, 3_000));
  }
  broker.faults = noBrokerFaults;
  broker.comeUp();
  await clock.advance(120_000);
  // A push lost on a healthy link is repaired by the next start only.
  broker.cut('edge-07');
  await clock.advance(200_000);
  agent.report();
  await clock.advance(30_000);
  const result: Run = {
    trace: log.map(({ seq, at, topic, from, cause }) => `${seq} ${at} ${topic} ${from} ${cause}`).join('\n'),
    wronglyDropped,
    agentHas: [...agent.pods.keys()].sort(),
    cloudHas: cloud.pods().map(({ metadata }) => metadata?.uid ?? '').sort(),
    phases: cloud.pods().map(({ status }) => status?.phase),
    unsettled: writer.statistics().waiting + writer.statistics().inFlight,
    failures: log.filter(({ topic }) => topic === 'actor.failed' || topic === 'input.refused'),
  };
  expect(cloud.deviations()).toEqual([]);
  for (const part of [ingress, writer, link, cloud]) await part.stop();
  return result;
}

function act(cloud: EmbeddedCloud, agent: PlayedAgent, broker: SimBroker, random: SeededRandom): void {
  const name = `web-${random.integer(0, 4)}`;
  const version = String(random.integer(1, 1_000));
  switch (random.integer(0, 7)) {
    case 0: case 1: case 2:
      cloud.applyPod({ metadata: { name, namespace: 'shop', labels: { version } }, spec: { nodeName: 'edge-07', containers: [{ name: 'web', image: 'registry.example/web:1' }] } });
      return;
    case 3: cloud.deletePod('shop', name, { graceMs: 5_000 }); return;
    case 4: cloud.deletePod('shop', name, { graceMs: 0 }); return;
    case 5: agent.report(); return;
    case 6: broker.cut(random.fraction() < 0.7 ? 'edge-07' : 'cloud'); return;
    default:
      if (random.fraction() < 0.5) broker.goDown();
      else broker.comeUp();
  }
}

describe.each(dialectNames)('the wire in simulation, dialect %s', (name) => {
  it(`given ${seedCount} seeds of faults, when they have passed, then no pod was dropped wrongly and both sides agree`, async () => {
    for (let seed = 1; seed <= seedCount; seed += 1) {
      const result = await run(name, `wire-${seed}`);
      const where = `seed wire-${seed}`;
      expect(result.wronglyDropped, where).toEqual([]);
      expect(result.failures, where).toEqual([]);
      expect(result.agentHas, where).toEqual(result.cloudHas);
      expect(result.phases.filter((phase) => phase !== 'Running'), where).toEqual([]);
      expect(result.unsettled, where).toBe(0);
    }
  }, 60_000);

  it('given one seed, when it runs twice, then the traces are the same, letter by letter', async () => {
    const [first, second] = [await run(name, 'twice'), await run(name, 'twice')];
    expect(first.trace.length).toBeGreaterThan(2_000);
    expect(second.trace).toBe(first.trace);
  });

  it('given a planted bug that drops all pods, when a seed runs, then the checker sees it', async () => {
    const caught: boolean[] = [];
    for (let seed = 1; seed <= 5; seed += 1) caught.push((await run(name, `bug-${seed}`, { plantBug: true })).wronglyDropped.length > 0);
    expect(caught).toContain(true);
  });
});
