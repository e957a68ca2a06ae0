// Runs the real agent on a desk with a recording's packets coming down as they came then. As fast as it can; whoever wants a rhythm gives it.
import { type Agent, type Observe, startAgent } from '../agent.ts';
import type { LogPort } from '../ports/log-port.ts';
import { CloudPlayer } from './cloud-player.ts';
import { Desk } from './desk.ts';
import type { DeskSettings } from './desk-settings.ts';
import { ToldObjects } from './told-objects.ts';
import type { Step, Transcript } from './transcript.ts';
import type { Wire } from './wire/wire.ts';

/** The simulated runtime may be a little behind the recorded one: what the last packets set off is waited for. */
export const tailMs = 3_000;
/** Virtual time the agent has to stop. */
const stopMsMax = 10_000;

export interface PacketReplayDeps {
  readonly transcript: Transcript;
  readonly wire: Wire;
  readonly settings: DeskSettings;
  readonly software: string;
  readonly seed: string;
  readonly log: LogPort;
  /** Called with the agent as soon as it is there. */
  started?(agent: Agent): void;
  /** Watches the agent from inside. */
  readonly observe?: Observe;
  /** Called before each step; false ends the replay. */
  before?(step: Step): boolean | Promise<boolean>;
  /** How virtual time passes; absent: at once. */
  pass?(clock: Desk['clock'], byMs: number): Promise<void>;
  /** The agent gives itself up: its own code fails too often. */
  escalate(message: string): void;
}

export interface PacketReplayOutcome {
  /** Steps that were entered. */
  readonly steps: readonly Step[];
  /** What the agent published. */
  readonly told: ToldObjects;
  readonly packets: number;
  /** Requests without an answer in the recording, and how often they were made. */
  readonly unanswered: ReadonlyMap<string, number>;
}

export async function replayPackets(deps: PacketReplayDeps): Promise<PacketReplayOutcome> {
  const { transcript, wire } = deps;
  const desk = new Desk(deps);
  const { clock } = desk;
  const startedMs = clock.monotonicMs();
  const told = new ToldObjects(wire.name);
  let packets = 0;
  const player = new CloudPlayer({
    clock, wire, transcript, statusOf: (object) => told.statusOf(object),
    heard: (facts) => {
      packets += 1;
      for (const said of facts.said) told.tell(said, { sinceMs: clock.monotonicMs() - startedMs, line: 0 });
    },
  });
  const agent = startAgent(desk.ports(player), { ...deps.settings, escalate: deps.escalate }, deps.observe);
  deps.started?.(agent);
  const pass = deps.pass ?? ((virtual, byMs) => virtual.advance(byMs));
  const entered: Step[] = [];
  const left = leavesAt(transcript);
  for (const step of transcript.steps) {
    if (deps.before !== undefined && !(await deps.before(step))) break;
    await pass(clock, Math.max(0, startedMs + step.sinceMs - clock.monotonicMs()));
    entered.push(step);
    if (step === left) break;
    player.enter(step);
    await clock.settle();
  }
  if (entered.at(-1) !== left) await pass(clock, tailMs);
  let stopped = false;
  void agent.stop().then(() => { stopped = true; });
  await clock.runUntil(() => stopped, { limitMs: stopMsMax });
  return { steps: entered, told, packets, unanswered: player.unanswered };
}

/** The last step, where it says that the agent was stopped in order: then it is stopped now. */
function leavesAt({ steps }: Transcript): Step | undefined {
  const last = steps.at(-1);
  return last?.kind === 'link' && last.state === 'down' && last.reason === '' ? last : undefined;
}
