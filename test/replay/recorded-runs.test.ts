// Simulated runs with everything recorded, and run again from the recording alone.
import { describe, expect, it } from 'vitest';
import { type Agent, startAgent } from '../../src/agent.ts';
import type { AgentSettings } from '../../src/agent/agent-world.ts';
import { recordedPortNames } from '../../src/replay/agent-recording.ts';
import { readEntry } from '../../src/replay/entries.ts';
import type { NumberedEntry } from '../../src/replay/recording-reader.ts';
import { startRecordedAgent } from '../../src/replay/recorded-agent.ts';
import { replayAgent } from '../../src/replay/replayed-agent.ts';
import { simulate } from '../sim/simulation.ts';
import { optionsOf } from '../sim/options.ts';
import { testDialect } from '../support/dialects.ts';
import { silentLog } from '../support/silent-log.ts';

/** One life of a daemon, as it was recorded. */
interface RecordedLife {
  readonly settings: AgentSettings;
  readonly lines: string[];
  readonly has: readonly string[];
}

async function recordedRun(seed: string): Promise<{ readonly failure: string | undefined; readonly lives: readonly RecordedLife[] }> {
  const lives: RecordedLife[] = [];
  const { failure } = await simulate(seed, {
    start: (ports, settings): Agent => {
      const life: RecordedLife = { settings, lines: [], has: recordedPortNames(ports) };
      lives.push(life);
      return startRecordedAgent({
        ports, settings, start: startAgent,
        defer: (run) => void ports.clock.setTimeout(run, 0),
        write: (entry) => life.lines.push(JSON.stringify(entry)),
      });
    },
  });
  return { failure, lives };
}

function* entriesOf(lines: readonly string[]): Generator<NumberedEntry> {
  for (const [index, line] of lines.entries()) {
    const entry = readEntry(line, index + 1);
    if (!entry.ok) throw new Error(`line ${entry.fault.line}: ${entry.fault.message}`);
    yield { line: index + 1, entry: entry.value };
  }
}

const replayed = (seed: string, { lines, settings, has }: RecordedLife) => replayAgent({
  entries: entriesOf(lines), settings, log: silentLog, dialect: testDialect(optionsOf(seed).dialect), has,
  settled: () => new Promise((resolve) => setImmediate(resolve)),
});

describe('recordings of everything', () => {
  it.each(Array.from({ length: 50 }, (_, index) => `recorded-${index}`))('given the world %s, when each life of its daemon is replayed, then every call and every message is the same', async (seed) => {
    const { failure, lives } = await recordedRun(seed);
    expect(failure).toBeUndefined();
    for (const life of lives) {
      const outcome = await replayed(seed, life);
      expect(outcome.divergence).toBeUndefined();
      expect(outcome.inputs).toBe(life.lines.filter((line) => !/^{"k":"(call|sync|trace)"/.test(line)).length);
    }
  });

  it('given an answer that was changed, when it is replayed, then the first difference is named', async () => {
    const { lives } = await recordedRun('recorded-1');
    const life = lives[0];
    if (life === undefined) throw new Error('there is no life');
    const at = life.lines.findIndex((line) => line.includes('Debian'));
    const changed = life.lines.map((line, index) => (index === at ? line.replace('Debian', 'Another') : line));
    const outcome = await replayed('recorded-1', { ...life, lines: changed });
    expect(outcome.divergence?.seq).toBeGreaterThan(at);
  });
});

