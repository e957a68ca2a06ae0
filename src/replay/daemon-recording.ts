// What `mqlet run --record-all` adds to the daemon: the agent is recorded into a file. Loaded only then.
import { RecordingFile } from '../adapters/recording-file.ts';
import type { Agent, AgentPorts, AgentSettings } from '../agent.ts';
import { ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { AgentRecording } from './agent-recording.ts';
import type { RecordedAgentFacts } from './entries.ts';
import { startRecordedAgent } from './recorded-agent.ts';

/** A replay needs a recording from its first line on, so that it is not rotated: it ends here. */
const recordingBytesMax = 1024 * 1024 * 1024;

export interface DaemonRecordingOptions {
  readonly path: string;
  readonly masksSecrets: boolean;
  readonly version: string;
  readonly dialect: RecordedAgentFacts['dialect'];
}

/** @returns what starts a recorded agent; a line for the user where the file cannot be made */
export function openDaemonRecording({ path, masksSecrets, version, dialect }: DaemonRecordingOptions, { clock, log }: Pick<AgentPorts, 'clock' | 'log'>):
Result<(start: (ports: AgentPorts, settings: AgentSettings) => Agent, ports: AgentPorts, settings: AgentSettings) => Agent, string> {
  const file = RecordingFile.create({ path, bytesMax: recordingBytesMax, ended: (why) => log.error('recording.ended', { path, why }) });
  if (!file.ok) return file;
  return ok((start, ports, settings) => {
    const recording = new AgentRecording({ sink: file.value, made: version, at: rfc3339Seconds(clock.nowMs()), dialect, masksSecrets }, ports, settings);
    const agent = startRecordedAgent({
      ports, settings, start, started: (made) => recording.watch(made), traceText: recording.traceText,
      defer: (run) => void setImmediate(run),
      write: recording.write,
    });
    log.info('recording.started', { path, secrets: masksSecrets ? 'masked' : 'recorded' });
    return {
      ...agent,
      stop: async () => {
        await agent.stop();
        recording.flush();
        file.value.close();
      },
    };
  });
}
