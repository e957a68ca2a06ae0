// What a seed decides before anything happens: how big the world is, which faults it has and how often, which operations come.
// Swarm: of all faults and operations each seed has only some, weighted wildly, so that rare combinations come up.
import type { SimBrokerFaults } from '../../src/adapters/sim/sim-broker.ts';
import { noBrokerFaults } from '../../src/adapters/sim/sim-broker.ts';
import type { FaultOdds, SimFaults } from '../../src/adapters/sim/sim-faults.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import type { DialectName } from '../support/dialects.ts';
import { type OperationName, operationNames } from './operation-names.ts';

export interface SimOptions {
  readonly seed: string;
  /** Names that pods of either kind take turns with. */
  readonly mqttNames: number;
  readonly fileNames: number;
  readonly adminNames: number;
  readonly safetyMs: number;
  /** Mean pause between two operations. */
  readonly pauseMs: number;
  readonly weights: ReadonlyMap<OperationName, number>;
  readonly runtimeFaults: SimFaults;
  readonly brokerFaults: SimBrokerFaults;
  readonly callTimeoutMs: number;
  readonly dialect: DialectName;
  /** The node renews its own lease; otherwise the cloud side does. */
  readonly renewsLease: boolean;
  readonly encoding: 'json' | 'yaml';
  readonly pullsMax: number;
  readonly fileLatencyMs: number;
  /** Chance that a probe or a hook over the network fails. */
  readonly probeFailure: number;
}

export function optionsOf(seed: string): SimOptions {
  const random = new SeededRandom(seed).fork('options');
  const calm = random.fraction() < 0.15;
  const noisy = (chance: number) => !calm && random.fraction() < chance;
  return {
    seed,
    mqttNames: random.integer(0, 4),
    fileNames: random.integer(1, 3),
    adminNames: random.integer(0, 2),
    safetyMs: random.integer(25_000, 80_000),
    pauseMs: wild(random, 400, 8_000),
    weights: weightsOf(random),
    runtimeFaults: noisy(0.7) ? runtimeFaults(random) : { calls: {}, eventLoss: 0 },
    brokerFaults: noisy(0.7) ? brokerFaults(random) : noBrokerFaults,
    callTimeoutMs: random.integer(5_000, 60_000),
    encoding: random.fraction() < 0.8 ? 'json' : 'yaml',
    dialect: random.fraction() < 0.5 ? 'mqlet' : 'lite',
    renewsLease: random.fraction() < 0.2,
    pullsMax: random.integer(1, 4),
    fileLatencyMs: random.fraction() < 0.3 ? random.integer(1, 200) : 0,
    probeFailure: noisy(0.5) ? wild(random, 0.01, 0.7) : 0,
  };
}

/** Nothing goes wrong and nothing is done: for tests that tell a story of their own. */
export function calmOptions(seed: string): SimOptions {
  return {
    seed, mqttNames: 0, fileNames: 1, adminNames: 0, safetyMs: 0, pauseMs: 1_000, weights: new Map(),
    runtimeFaults: { calls: {}, eventLoss: 0 }, brokerFaults: noBrokerFaults, callTimeoutMs: 10_000, encoding: 'json', dialect: 'mqlet', renewsLease: false, pullsMax: 2,
    fileLatencyMs: 0, probeFailure: 0,
  };
}

function weightsOf(random: SeededRandom): ReadonlyMap<OperationName, number> {
  const weights = new Map<OperationName, number>();
  for (const name of operationNames) if (random.fraction() < 0.7) weights.set(name, wild(random, 0.1, 10));
  // A world in which nothing is ever asked for tells nothing.
  weights.set('applyPod', Math.max(5, weights.get('applyPod') ?? 0));
  weights.set('writeManifest', Math.max(3, weights.get('writeManifest') ?? 0));
  return weights;
}

function runtimeFaults(random: SeededRandom): SimFaults {
  const methods = ['*', 'runSandbox', 'createContainer', 'startContainer', 'stopContainer', 'containerStatus', 'listContainers', 'images.pull'] as const;
  const calls: Partial<Record<(typeof methods)[number], FaultOdds>> = {};
  for (const method of methods) if (random.fraction() < 0.4) calls[method] = faultOdds(random);
  return { calls, eventLoss: random.fraction() < 0.4 ? wild(random, 0.01, 0.9) : 0 };
}

function faultOdds(random: SeededRandom): FaultOdds {
  const draw = (max: number) => (random.fraction() < 0.5 ? wild(random, 0.002, max) : 0);
  return { error: draw(0.25), slow: draw(0.2), lost: draw(0.2), hang: draw(0.02) };
}

function brokerFaults(random: SeededRandom): SimBrokerFaults {
  const draw = (max: number) => (random.fraction() < 0.4 ? wild(random, 0.002, max) : 0);
  const latencyMin = wild(random, 0.1, 200);
  const reorder = random.fraction() < 0.2;
  return {
    loseUp: draw(0.2), loseAnswer: draw(0.2), loseDown: draw(0.2), cut: draw(0.03), refuseConnect: draw(0.5),
    // A repeated packet that is overtaken too would be an old status after a new one, which no broker may do (MQTT 5.0, 4.6).
    duplicate: reorder ? 0 : draw(0.4),
    latencyMs: [latencyMin, latencyMin * (1 + random.fraction() * 10)],
    reorder,
  };
}

/** Log-uniform: small values are as likely as big ones. */
export function wild(random: SeededRandom, min: number, max: number): number {
  return min * (max / min) ** random.fraction();
}
