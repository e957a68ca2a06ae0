// One run of the simulation: a safety phase under faults and operations, then a liveness phase in which all must come to rest.
import { SimViolation } from './checkers.ts';
import { Operations } from './operations.ts';
import { optionsOf, type SimOptions } from './options.ts';
import { discrepancies } from './truth.ts';
import { World, type WorldTweaks } from './world.ts';

/** Virtual time for all to come to rest: the longest back-off is five minutes, and some waits follow each other. */
const convergenceMsMax = 15 * 60_000;
const lookEveryMs = 1_000;
/** Virtual time that rest is watched for. */
const quietMs = 45_000;
/** Messages on the bus in that time. Pods that crash and restart send some hundreds; a loop sends thousands. */
const quietMessagesMax = 1_500;
/** Timers of a stopped daemon may last that long, for calls that were under way. */
const afterStopMs = 120_000;

export interface SimOutcome {
  readonly seed: string;
  /** Why it failed; undefined when all held. */
  readonly failure: string | undefined;
  readonly world: World;
  /** Virtual milliseconds from the end of the faults to rest. */
  readonly convergedInMs: number;
}

/** Runs a world from a seed. Never throws. */
export async function simulate(seed: string, tweaks: WorldTweaks = {}, part: Partial<SimOptions> = {}): Promise<SimOutcome> {
  const world = new World({ ...optionsOf(seed), ...part }, tweaks);
  const refuse = (error: unknown): void => world.checkers.violated(`unhandled rejection: ${String(error)}`);
  process.on('unhandledRejection', refuse);
  try {
    const convergedInMs = await live(world);
    return { seed, failure: undefined, world, convergedInMs };
  } catch (error) {
    const failure = error instanceof SimViolation ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed, failure, world, convergedInMs: 0 };
  } finally {
    process.off('unhandledRejection', refuse);
  }
}

async function live(world: World): Promise<number> {
  const { options, random, clock } = world;
  const operations = new Operations(world);
  world.trace.note(`seed ${options.seed}`);
  world.beginFaults();
  world.startDaemon();
  while (clock.monotonicMs() < options.safetyMs) {
    await world.pass(-Math.log(1 - random.fraction()) * options.pauseMs);
    await operations.next();
  }
  world.endFaults();
  operations.finish();
  const healedAtMs = clock.monotonicMs();
  await converge(world, convergenceMsMax);
  const convergedInMs = clock.monotonicMs() - healedAtMs;
  await staysAtRest(world);
  await stopsCleanly(world);
  return convergedInMs;
}

async function converge(world: World, limitMs: number): Promise<void> {
  let problems: readonly string[] = [];
  for (let passedMs = 0; passedMs < limitMs; passedMs += lookEveryMs) {
    await world.pass(lookEveryMs);
    problems = await discrepancies(world);
    if (problems.length === 0) return;
  }
  throw new SimViolation(`not at rest after ${limitMs / 1_000} s:\n  ${problems.slice(0, 20).join('\n  ')}`);
}

async function staysAtRest(world: World): Promise<void> {
  const before = world.checkers.messages;
  world.trace.note('op watches the rest');
  await world.pass(quietMs);
  const messages = world.checkers.messages - before;
  if (messages > quietMessagesMax) throw new SimViolation(`${messages} messages in ${quietMs / 1_000} s of rest`);
  await converge(world, 60_000);
}

/** What runs goes on, and the daemon leaves no timer behind. */
async function stopsCleanly(world: World): Promise<void> {
  const { agent, life, runtime, checkers } = world;
  if (agent === undefined) throw new SimViolation('there is no daemon to stop');
  world.trace.note('op the daemon is stopped');
  const running = [...runtime.containers.values()].filter(({ state, program }) => state === 'running' && program.ends === undefined).map(({ id }) => id);
  let stopped = false;
  void agent.stop().then(() => { stopped = true; });
  if (!(await world.passUntil(() => stopped, { limitMs: 5_000, everyMs: 50 }))) throw new SimViolation('the daemon does not stop within 5 s');
  await world.pass(world.options.callTimeoutMs + 5_000);
  const before = checkers.messages;
  await world.pass(afterStopMs);
  if (checkers.messages > before) throw new SimViolation(`a stopped daemon sent ${checkers.messages - before} messages`);
  if (life.timers.size > 0) throw new SimViolation(`a stopped daemon left timers: ${[...life.timers.values()].join(', ')}`);
  const ended = running.filter((id) => runtime.containers.get(id)?.state !== 'running');
  if (ended.length > 0) throw new SimViolation(`the stop of the daemon ended ${ended.length} containers`);
}

