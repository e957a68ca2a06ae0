// A recording of MQTT traffic as lines, with the values of secrets taken out. A line is held back until what it set off is over: only
// then is it known which secrets came with it.
import type { Agent } from '../agent.ts';
import type { StoredObject } from '../ports/stored-object.ts';
import type { LineSink } from './agent-recording.ts';
import { formatVersion, type RecordedAgentFacts, type RecordingHeader } from './entries.ts';
import { SecretMask } from './secret-mask.ts';

/** In place of a packed payload that held secrets and cannot be packed again without them. */
const masked = { text: 'masked: it held secrets' } as const;

export interface PacketRecordingDeps {
  readonly sink: LineSink;
  readonly masksSecrets: boolean;
  /** Runs a function after everything that waits to run at once has run. */
  defer(run: () => void): void;
}

export interface PacketHeaderFacts {
  readonly made: string;
  /** ISO 8601. */
  readonly at: string;
  readonly masksSecrets: boolean;
  /** Who recorded himself says how he was set up: a replay is set up like that. */
  readonly agent?: RecordedAgentFacts;
}

export function packetHeader({ made, at, masksSecrets, agent }: PacketHeaderFacts): string {
  const header: RecordingHeader = { recording: formatVersion, made, kind: 'mqtt', at, masked: masksSecrets, ...(agent === undefined ? {} : { agent }) };
  return JSON.stringify(header);
}

export class PacketRecording {
  readonly #deps: PacketRecordingDeps;
  readonly #mask: SecretMask | undefined;
  #waiting: string[] = [];
  #secretsCame = false;

  constructor(deps: PacketRecordingDeps) {
    this.#deps = deps;
    this.#mask = deps.masksSecrets ? new SecretMask() : undefined;
  }

  /** Secrets the agent comes to know are known here too. */
  watch(agent: Pick<Agent, 'bus'>): void {
    agent.bus.as('recorder').on('object.received', ({ payload }) => this.learn(payload.object));
  }

  learn(object: StoredObject): void {
    if (object.kind !== 'Secret') return;
    this.#secretsCame = true;
    this.#mask?.learnObject(object);
  }

  readonly write = (line: string): void => {
    this.#waiting.push(line);
    if (this.#waiting.length === 1) this.#deps.defer(() => this.flush());
  };

  flush(): void {
    const lines = this.#waiting;
    this.#waiting = [];
    for (const line of lines) this.#deps.sink.writeLine(this.#mask === undefined ? line : this.#masked(line, this.#mask));
    this.#secretsCame = false;
    this.#deps.sink.flush();
  }

  #masked(line: string, mask: SecretMask): string {
    // Lines of ours are JSON objects.
    const fields = JSON.parse(line) as Record<string, unknown>;
    const { base64, text } = fields;
    if (typeof text === 'string') return JSON.stringify({ ...fields, text: mask.text(text) });
    if (typeof base64 !== 'string') return line;
    const understood = mask.understood(base64);
    if (understood !== undefined) return JSON.stringify({ ...fields, base64: understood });
    if (!this.#secretsCame || fields['dir'] === 'up') return line;
    const { base64: _base64, ...rest } = fields;
    return JSON.stringify({ ...rest, ...masked });
  }
}
