// Runs an agent again from a recording of everything: same inputs, same order, same times, no world.
import { type Agent, type Observe, startAgent } from '../agent.ts';
import type { AgentSettings } from '../agent/agent-world.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import type { HttpRequest } from '../ports/listener-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { describeEntry } from './describe-entry.ts';
import type { Input, Moment } from './entries.ts';
import { TraceSum } from './recorded-agent.ts';
import type { NumberedEntry } from './recording-reader.ts';
import { type CallDifference, type Divergence, PortReplayer } from './replay-ports.ts';
import { decodeValue } from './values.ts';

export interface ReplayDeps {
  readonly entries: Iterator<NumberedEntry>;
  readonly settings: Omit<AgentSettings, 'escalate'>;
  readonly log: LogPort;
  readonly dialect: Dialect | ReportingDialect | undefined;
  /** Names of the recorded agent's ports (`recordedPortNames`). */
  readonly has: readonly string[];
  /** Resolves when all that waits to run at once has run. */
  settled(): Promise<void>;
  /** Called with the agent as soon as it is there, before anything comes in. */
  started?(agent: Agent): void;
  /** Watches the agent from inside. */
  readonly observe?: Observe;
  /** Called before each entry that came in is handed in; false ends the replay. */
  before?(next: ComingIn): boolean | Promise<boolean>;
  /** As ReplayPortsDeps.differs. */
  differs?(difference: CallDifference): void;
  /** What has failed since, in one line; undefined: nothing has. */
  failure?(): string | undefined;
}

/** An entry that is about to be handed in. */
export interface ComingIn extends Moment {
  readonly seq: number;
  readonly line: number;
  readonly what: string;
}

export interface ReplayOutcome {
  readonly inputs: number;
  readonly messages: number;
  /** Sum of the trace at the end. */
  readonly sum: string;
  readonly divergence: Divergence | undefined;
}

export async function replayAgent(deps: ReplayDeps): Promise<ReplayOutcome> {
  let sum: TraceSum | undefined;
  const replayer = new PortReplayer({ ...deps, sumAt: (messages) => sum?.sumAt(messages) });
  let agent: Agent | undefined;
  let inputs = 0;
  while (await goesOn(deps, replayer)) {
    try {
      const input = replayer.handIn();
      if (input === undefined) break;
      inputs += 1;
      if (input.k === 'start') {
        const ports = replayer.ports();
        agent = startAgent(ports, { ...deps.settings, escalate: () => undefined }, deps.observe);
        sum = new TraceSum(agent, ports);
        deps.started?.(agent);
      } else if (agent !== undefined) {
        come(agent, input);
      }
    } catch (error) {
      // Settings or answers of another shape than this version's.
      replayer.failed(`this version fails on it: ${messageOf(error)}`);
    }
    await deps.settled();
    const failure = deps.failure?.();
    if (failure !== undefined) replayer.failed(`this version fails on it: ${failure}`);
  }
  return { inputs, ...(sum?.mark() ?? { messages: 0, sum: '' }), divergence: replayer.divergence };
}

async function goesOn({ before }: ReplayDeps, replayer: PortReplayer): Promise<boolean> {
  const { seq, line, entry } = replayer.peek();
  if (before === undefined || entry === undefined || !('ms' in entry)) return true;
  return before({ seq, line, ms: entry.ms, now: entry.now, what: describeEntry(entry) });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** What reaches the agent past its ports. */
function come(agent: Agent, input: Input): void {
  if (input.k === 'endPods') void agent.endPods();
  if (input.k === 'stop') void agent.stop();
  if (input.k === 'request') {
    // A recording says what was asked; the answer interests nobody any more.
    void agent[input.server].handle(decodeValue(input.request, () => () => undefined) as HttpRequest);
  }
}
