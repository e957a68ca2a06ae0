// A simulated run with everything recorded, and the inspector on the recording: the history it shows is that of the run itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startAgent } from '../../src/agent.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import { inspectRecording } from '../../src/cli/inspect-recording.ts';
import { isStep } from '../../src/inspector/history.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { Questions } from '../../src/inspector/questions.ts';
import { windowLines } from '../../src/inspector/window.ts';
import { AgentRecording } from '../../src/replay/agent-recording.ts';
import { startRecordedAgent } from '../../src/replay/recorded-agent.ts';
import { optionsOf } from '../sim/options.ts';
import { simulate } from '../sim/simulation.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-inspected-'));
afterAll(() => rmSync(directory, { recursive: true }));

const terminal: Terminal = {
  print: () => undefined, complain: () => undefined, environment: {}, readFile: () => new Uint8Array(), readStandardInput: () => Promise.resolve(''),
  readLines: () => { throw new Error('nobody types'); }, nowMs: () => 0,
};

interface Life {
  readonly lines: string[];
  readonly messages: AnyEnvelope[];
  flush(): void;
}

/** The longest life of the daemon in one world. */
async function recorded(seed: string): Promise<{ readonly file: string; readonly messages: readonly AnyEnvelope[] }> {
  const lives: Life[] = [];
  await simulate(seed, {
    start: (ports, settings) => {
      const lines: string[] = [];
      const messages: AnyEnvelope[] = [];
      const dialect = { name: optionsOf(seed).dialect, rootTopic: 'fleet' };
      const sink = { writeLine: (line: string) => void lines.push(line), flush: () => undefined };
      const recording = new AgentRecording({ sink, made: 'v0', at: '2026-01-01T00:00:00Z', dialect, masksSecrets: true }, ports, settings);
      lives.push({ lines, messages, flush: () => recording.flush() });
      return startRecordedAgent({
        ports, settings, start: startAgent, traceText: recording.traceText, defer: (run) => void ports.clock.setTimeout(run, 0), write: recording.write,
        started: (agent) => {
          recording.watch(agent);
          agent.bus.tap((envelope) => void messages.push(envelope));
        },
      });
    },
  });
  const [longest] = lives.sort((one, other) => other.messages.length - one.messages.length);
  if (longest === undefined) throw new Error('there is no life');
  longest.flush();
  const file = path.join(directory, `${seed}.jsonl`);
  writeFileSync(file, `${longest.lines.join('\n')}\n`);
  return { file, messages: longest.messages };
}

describe('the inspector on a recording of everything', () => {
  test('given a run, when its recording is inspected, then every message and every moment of it is there', async () => {
    const seed = ['inspected-1', 'inspected-2', 'inspected-3', 'inspected-4', 'inspected-5', 'inspected-6'].find((one) => optionsOf(one).dialect === 'lite');
    if (seed === undefined) throw new Error('no world speaks the dialect whose settings stand in a recording');
    const { file, messages } = await recorded(seed);
    const { inspection, remark } = await inspectRecording(file, terminal);
    expect(remark).toBe('');
    const { history } = inspection.feed;
    const { first, last } = history.range();
    const shown = [...history.between(first, last)].flatMap(([, kept]) => (isStep(kept) ? [] : [`${kept.seq} ${kept.at} ${kept.from} ${kept.topic}`]));
    // The run's own listener came after the agent's first message.
    expect(shown.filter((text) => !text.startsWith('1 '))).toEqual(messages.map(({ seq, at, from, topic }) => `${seq} ${at} ${from} ${topic}`));
    const moved = [...history.between(first, last)].find(([, kept]) => isStep(kept) && kept.to.startsWith('running'));
    if (moved === undefined) throw new Error('no pod ran');
    const questions = new Questions({ feed: inspection.feed, machines: [], names: { name: 'edge-07', version: 'v0' }, live: false });
    const [n, step] = moved;
    const pod = questions.pod({ uid: isStep(step) ? step.pod : '', n });
    if (typeof pod === 'string') throw new Error(pod);
    expect(pod.row.state).toMatch(/^running/);
    expect(pod.why.sentence).not.toBe('');
    const window = path.join(directory, 'window.jsonl');
    writeFileSync(window, [...windowLines({ feed: inspection.feed, node: 'edge-07', version: 'v0' }, Math.max(first, n - 500), n)].join(''));
    const again = await inspectRecording(window, terminal);
    expect(again.inspection.feed.history.pictureAt(n)?.pods.get(pod.uid)?.state).toBe(pod.row.state);
  });

  test.each([['nothing', '', /empty/], ['no recording', 'hello\n', /:1: /], ['half a header', '{"inspection":1,"picture":', /:1: /], ['a window with a damaged line', '', /:2: /]])(
    'given %s, when it is inspected, then the refusal names the file and the line', async (what, content, line) => {
      const file = path.join(directory, 'damaged.jsonl');
      const header = '{"inspection":1,"node":"n","version":"v","picture":{"n":0,"atMs":0,"pods":{"$map":[]},"actors":[],"node":{"openWrites":{"$map":[]},"relist":{"atMs":0},"lease":{},"faults":[]}}}';
      writeFileSync(file, what.startsWith('a window') ? `${header}\n{"at":1,"cause":0,"topic":"pods.changed","seq":1,"from":"x","payload":{"op":"ADD","pods":7}}\n{}\n` : content);
      await expect(inspectRecording(file, terminal)).rejects.toThrow(line);
      await expect(inspectRecording(file, terminal)).rejects.toThrow(/damaged\.jsonl/);
    },
  );
});
