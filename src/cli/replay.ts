// `mqlet replay FILE`: runs a recorded agent again, tells what its pods did, and whether it did what was recorded.
import { koleDialect } from '../bus/dialects/kole/kole-dialect.ts';
import { liteDialect } from '../bus/dialects/lite/lite-dialect.ts';
import { mqletDialect } from '../bus/dialects/mqlet/mqlet-dialect.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import type { Agent } from '../agent.ts';
import type { AgentSettings } from '../agent/agent-world.ts';
import { watchFailures } from '../replay/agent-failures.ts';
import type { RecordedAgentFacts } from '../replay/entries.ts';
import { PublishedDifferences } from '../replay/published-differences.ts';
import { RecordingReader } from '../replay/recording-reader.ts';
import { type ReplayOutcome, replayAgent } from '../replay/replayed-agent.ts';
import { silentLog } from '../replay/silent-log.ts';
import { TrafficReader } from '../replay/traffic.ts';
import { decodeValue } from '../replay/values.ts';
import { version } from '../version.ts';
import { Pace } from './pace.ts';
import { Refusal } from './refusal.ts';
import { faultText, refusal } from './replay-fault.ts';
import { showDifferences, showMessage } from './replay-show.ts';
import { replaySimulated } from './replay-simulated.ts';
import { readReplayWords, replayUsage, type ReplayWords } from './replay-words.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit code */
export async function runReplay(argv: readonly string[], terminal: Terminal): Promise<number> {
  const task = readReplayWords(argv);
  if (task.kind === 'help') {
    terminal.print(replayUsage);
    return 0;
  }
  if (task.kind === 'packets') {
    const { exportPackets, publishPackets } = await import('./replay-packets.ts');
    return task.publish === undefined ? exportPackets(task, terminal) : publishPackets(task, task.publish, terminal);
  }
  const holds = await TrafficReader.open(task.file);
  if (!holds.ok) throw refusal(task.file, holds.fault);
  holds.value.close();
  return holds.value.header?.kind === 'all' && !task.simulated ? replayEverything(task, terminal) : replaySimulated(task, terminal);
}

async function replayEverything(words: ReplayWords, terminal: Terminal): Promise<number> {
  const opened = await RecordingReader.open(words.file);
  if (!opened.ok) throw refusal(words.file, opened.fault);
  const reader = opened.value;
  const { agent, made } = reader.header;
  if (agent === undefined) throw new Refusal(`${words.file}:1: the header says nothing of the agent`);
  if (made !== version) terminal.complain(`mqlet replay: recorded by mqlet ${made}, replayed by ${version}: it goes as far as they mean the same`);
  const differences = new PublishedDifferences(agent);
  const { outcome, ended } = await replay(reader, agent, words, { terminal, differences });
  return tell(outcome, { reader, words, terminal, differences: words.diff ? differences : undefined, ended });
}

async function replay(
  reader: RecordingReader, facts: RecordedAgentFacts, words: ReplayWords, { terminal, differences }: { readonly terminal: Terminal; readonly differences: PublishedDifferences },
): Promise<{ readonly outcome: ReplayOutcome; readonly ended: boolean }> {
  // The header's settings are those of the agent that was recorded; another version's may lack some, which the first difference tells.
  const settings = decodeValue(facts.settings, () => () => undefined) as Omit<AgentSettings, 'escalate'>;
  const pace = new Pace(words, terminal);
  const failures = watchFailures();
  let startMs: number | undefined;
  try {
    const outcome = await replayAgent({
      entries: reader.entries(), settings, log: silentLog, has: facts.has, failure: () => failures.first(),
      dialect: dialectOf(facts, { nodeName: String(settings.node?.nodeName), made: reader.header.made }),
      settled: () => new Promise((resolve) => setImmediate(resolve)),
      started: (agent: Agent) => void agent.bus.tap((envelope) => showMessage(envelope, words, terminal)),
      before: ({ ms, now, ...next }) => {
        startMs ??= ms;
        return pace.goesOn({ ...next, sinceMs: ms - startMs, wallMs: now });
      },
      ...(words.diff ? { differs: (difference) => differences.add(difference) } : {}),
    });
    return { outcome, ended: pace.ended };
  } finally {
    failures.off();
    await pace.close();
  }
}

/** @throws Refusal for a dialect that is not known here */
export function dialectOf({ dialect }: RecordedAgentFacts, { nodeName, made }: { readonly nodeName: string; readonly made: string }): Dialect | ReportingDialect | undefined {
  if (dialect === undefined) return undefined;
  // The recording does not hold the heartbeat's interval: another than the default shows as a difference.
  if (dialect.name === 'kole') return koleDialect({ nodeName, reportPeriodMs: 120_000 });
  if (dialect.name === 'mqlet') return mqletDialect({ rootTopic: dialect.rootTopic, nodeName, software: `mqlet ${made}` });
  if (dialect.name !== 'lite') throw new Refusal(`the recorded agent spoke the dialect ${dialect.name}, which is not known here`);
  return liteDialect({ rootTopic: dialect.rootTopic, nodeName });
}

interface Told {
  readonly reader: RecordingReader;
  readonly words: ReplayWords;
  readonly terminal: Terminal;
  /** Absent: nothing was compared beside what a replay compares anyway. */
  readonly differences: PublishedDifferences | undefined;
  /** Before the recording was over, as the user wished. */
  readonly ended: boolean;
}

function tell({ inputs, messages, sum, divergence }: ReplayOutcome, { reader, words: { file }, terminal, differences, ended }: Told): number {
  const compared = differences === undefined ? 0 : showDifferences(differences.found, 'no difference in what was called and published', terminal);
  if (divergence !== undefined) {
    terminal.complain(`mqlet replay: entry ${divergence.seq}, line ${divergence.line} differs\n  recorded: ${divergence.recorded}\n  now:      ${divergence.now}`);
    return 1;
  }
  if (reader.fault !== undefined) throw new Refusal(`${faultText(file, reader.fault)}; up to there all was the same`);
  terminal.print(`replayed ${inputs} inputs and ${messages} messages${ended ? ' up to there' : ''}${compared === 0 ? `: the same (${sum})` : ''}\n`);
  return compared;
}
