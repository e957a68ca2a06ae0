// The life of a pod over the kole dialect: the whole agent on simulated parts and virtual time, against the strict cloud side.
import { afterEach, describe, expect, it } from 'vitest';
import { noFaults } from '../../../src/adapters/sim/sim-faults.ts';
import { noBrokerFaults, type SimBrokerFaults } from '../../../src/adapters/sim/sim-broker.ts';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { koleDialect } from '../../../src/bus/dialects/kole/kole-dialect.ts';
import type { AnyEnvelope } from '../../../src/bus/messages.ts';
import type { MqttProtocol } from '../../../src/ports/mqtt-port.ts';
import { KoleCloud } from '../../support/kole-cloud.ts';
import { optionsOf } from '../../sim/options.ts';
import { nodeName, rootDirectory, World } from '../../sim/world.ts';

const probe = { image: 'registry.example/probe:1.0', command: ['/bin/probe', '--interval=5s'] };
const minuteMs = 60_000;

class KoleWorld {
  readonly world: World;
  readonly cloud: KoleCloud;
  readonly log: AnyEnvelope[] = [];

  constructor(seed: string, protocol: MqttProtocol = 'MQTT 5') {
    this.world = new World({ ...optionsOf(seed), runtimeFaults: noFaults, brokerFaults: noBrokerFaults, fileLatencyMs: 0 }, {
      ports: (ports, { broker }) => ({
        ...ports,
        mqtt: { port: broker.port({ clientId: `${nodeName}-sub`, protocols: [protocol] }), dialect: koleDialect({ nodeName, reportPeriodMs: 120_000 }) },
      }),
    });
    this.cloud = new KoleCloud({ mqtt: this.world.broker.port({ clientId: 'controller-mqtt-v5-sub' }), clock: this.world.clock });
  }

  async startRegistered(): Promise<void> {
    this.start();
    await this.world.pass(2 * minuteMs);
    expect(this.cloud.view()).toEqual([`${nodeName}: Registerd []`]);
  }

  start(): void {
    this.world.startDaemon();
    this.world.agent?.bus.tap((envelope) => void this.log.push(envelope));
  }

  /** Images of the containers that run, and their ids. */
  running(): { readonly id: string; readonly image: string }[] {
    return [...this.world.runtime.containers.values()].filter(({ state }) => state === 'running').map(({ id, config }) => ({ id, image: config.image.userSpecifiedImage }));
  }

  failures(): unknown[] {
    return this.log.filter(({ topic }) => topic === 'actor.failed' || topic === 'input.refused').map(({ payload }) => payload);
  }

  /** The daemon ends; its containers do not. */
  async end(): Promise<void> {
    const { agent } = this.world;
    this.world.agent = undefined;
    if (agent === undefined) return;
    let ended = false;
    void agent.stop().then(() => { ended = true; });
    await this.world.clock.runUntil(() => ended, { limitMs: 5_000 });
  }

  async stop(): Promise<void> {
    await this.end();
    await this.cloud.stop();
  }
}

describe.each(['MQTT 5', 'MQTT 3.1.1'] as const)('a node that speaks kole over %s', (protocol) => {
  let node: KoleWorld;
  afterEach(async () => {
    expect(node.cloud.deviations).toEqual([]);
    expect(node.failures()).toEqual([]);
    await node.stop();
  });

  it('given a pod, when it is assigned, changed and withdrawn, then the node runs it, replaces it and ends it, and says so', async () => {
    node = new KoleWorld('kole life', protocol);
    await node.startRegistered();
    node.cloud.apply('kole', 'probe', probe);
    await node.world.pass(10_000);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd [koledaemonset-probe Running]`]);
    const [first] = node.running();
    expect(first?.image).toContain('probe:1.0');

    node.cloud.apply('kole', 'probe', { ...probe, image: 'registry.example/probe:2.0' });
    await node.world.pass(60_000);
    expect(node.running()).toEqual([{ id: expect.not.stringMatching(first?.id ?? ''), image: expect.stringContaining('probe:2.0') }]);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd [koledaemonset-probe Running]`]);

    node.cloud.delete('kole', 'probe');
    await node.world.pass(60_000);
    expect(node.running()).toEqual([]);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd []`]);
    // Heartbeats are two seconds apart at least: the cloud side would drop those of one second.
    expect(node.cloud.dropped).toBe(0);
  });

  it('given a pod that runs, when the agent is started again, then it is adopted and reported under a greater sequence', async () => {
    node = new KoleWorld('kole restart', protocol);
    await node.startRegistered();
    node.cloud.apply('kole', 'probe', probe);
    await node.world.pass(10_000);
    const before = node.running();
    await node.end();
    node.start();
    await node.world.pass(2 * minuteMs);
    expect(node.running()).toEqual(before);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd [koledaemonset-probe Running]`]);
    expect(node.cloud.heard.at(-1)?.seqnum).toBe(2);
    expect(node.cloud.dropped).toBe(0);
  });

  it('given a pod assigned to all while the agent was away, and one withdrawn, when it registers again, then both are made good', async () => {
    node = new KoleWorld('kole away', protocol);
    await node.startRegistered();
    node.cloud.apply('kole', 'old', probe);
    await node.world.pass(10_000);
    await node.end();
    node.cloud.delete('kole', 'old');
    node.cloud.apply('kole', 'new', probe);
    await node.world.pass(10_000);
    node.start();
    await node.world.pass(2 * minuteMs);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd [koledaemonset-new Running]`]);
    expect(node.running()).toHaveLength(1);
  });
});

describe('a node that speaks kole and what goes wrong', () => {
  it('given a lost number of starts, when nobody answers, then it is raised until the cloud side listens', async () => {
    const node = new KoleWorld('kole sequence');
    await node.startRegistered();
    for (const start of [2, 3, 4]) {
      await node.end();
      node.start();
      await node.world.pass(10_000);
      expect(node.cloud.heard.at(-1)?.seqnum).toBe(start);
    }
    await node.end();
    await node.world.files.removeFile(`${rootDirectory}/identity/sequence.json`);
    node.start();
    await node.world.pass(9 * minuteMs);
    expect(node.cloud.heard.at(-1)?.seqnum).toBeGreaterThan(1_000_000);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd []`]);
    await node.stop();
  });

  it('given a file of the number that is broken, when the agent starts, then the number is greater than any before', async () => {
    const node = new KoleWorld('kole broken sequence');
    node.world.files.put(`${rootDirectory}/identity/sequence.json`, '{"seq_num":');
    await node.startRegistered();
    expect(node.cloud.heard.at(-1)?.seqnum).toBeGreaterThan(1_000_000);
    await node.stop();
  });

  it('given a cloud side that has forgotten the node, when the link comes anew, then the node is given its pods again', async () => {
    const node = new KoleWorld('kole forgotten');
    await node.startRegistered();
    node.cloud.apply('kole', 'probe', probe);
    await node.world.pass(10_000);
    node.cloud.forget();
    await node.world.pass(5 * minuteMs);
    expect(node.cloud.view()).toEqual([]);
    node.world.broker.cut(`${nodeName}-sub`);
    await node.world.pass(2 * minuteMs);
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd [koledaemonset-probe Running]`]);
    expect(node.running()).toHaveLength(1);
    await node.stop();
  });

  it.each(Array.from({ length: 12 }, (_each, index) => `kole ${index}`))('given the faults of seed %s, when they end, then node and cloud side agree', async (seed) => {
    const node = new KoleWorld(seed);
    const random = new SeededRandom(seed);
    const chance = (): number => (random.fraction() < 0.5 ? 0 : random.fraction() * 0.3);
    const faults: SimBrokerFaults = {
      loseUp: chance(), loseAnswer: chance(), loseDown: chance(), duplicate: chance(), cut: chance() / 5, refuseConnect: chance(), latencyMs: [0.2, 500], reorder: random.fraction() < 0.5,
    };
    await node.startRegistered();
    node.world.broker.faults = faults;
    for (let step = 0; step < 25; step += 1) {
      const name = `p${random.integer(0, 2)}`;
      const dice = random.fraction();
      if (dice < 0.5) node.cloud.apply('kole', name, { ...probe, image: `registry.example/probe:${random.integer(1, 3)}` });
      else if (dice < 0.75) node.cloud.delete('kole', name);
      else if (dice < 0.9) node.world.broker.cut(`${nodeName}-sub`);
      else {
        await node.end();
        node.start();
      }
      await node.world.pass(random.integer(1, 20_000));
    }
    node.world.broker.faults = noBrokerFaults;
    await node.world.pass(10 * minuteMs);
    const wanted = node.cloud.wanted();
    expect(node.cloud.view()).toEqual([`${nodeName}: Registerd [${wanted.map(({ name }) => `${name} Running`).join(', ')}]`]);
    expect(node.running().map(({ image }) => image).sort()).toEqual(wanted.map(({ image }) => image).sort());
    expect(node.cloud.deviations).toEqual([]);
    expect(node.failures()).toEqual([]);
    await node.stop();
  });
});
