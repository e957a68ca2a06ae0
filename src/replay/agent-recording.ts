// A recording of everything as lines: the header, then each entry once the step it belongs to is over, with the values of secrets taken out.
import type { Agent } from '../agent.ts';
import type { AgentPorts, AgentSettings } from '../agent/agent-world.ts';
import { isJsonObject } from '../bus/dialects/json-value.ts';
import { decodeObject } from '../bus/ingress/decode-object.ts';
import type { AnyEnvelope } from '../bus/messages.ts';
import { SecretText } from '../ports/secret-text.ts';
import { type Entry, formatVersion, type RecordedAgentFacts, type RecordingHeader } from './entries.ts';
import { SecretMask } from './secret-mask.ts';
import { encodeValue } from './values.ts';

export interface LineSink {
  writeLine(line: string): void;
  /** Called when a step is over: what has been written shall survive us. */
  flush(): void;
}

export interface AgentRecordingDeps {
  readonly sink: LineSink;
  readonly made: string;
  /** ISO 8601. */
  readonly at: string;
  readonly dialect: RecordedAgentFacts['dialect'];
  readonly masksSecrets: boolean;
}

/** Ports that a replay makes of other facts: its own clock and log, and the dialect. */
const madeAnew: ReadonlySet<string> = new Set(['clock', 'log', 'mqtt']);

/** What a header says of an agent's ports: a replay makes those and no others. */
export function recordedPortNames(ports: AgentPorts): readonly string[] {
  return Object.keys(ports).filter((name) => !madeAnew.has(name));
}

/** @param has as `recordedPortNames` gives it; none where only packets are recorded */
export function agentFacts(settings: AgentSettings, has: readonly string[], dialect: RecordedAgentFacts['dialect']): RecordedAgentFacts {
  const { escalate: _escalate, ...kept } = settings;
  return { settings: encodeValue(kept, () => 0), has, ...(dialect === undefined ? {} : { dialect }) };
}

export class AgentRecording {
  readonly #sink: LineSink;
  readonly #mask: SecretMask | undefined;
  #waiting: Entry[] = [];

  constructor(deps: AgentRecordingDeps, ports: AgentPorts, settings: AgentSettings) {
    this.#sink = deps.sink;
    this.#mask = deps.masksSecrets ? new SecretMask() : undefined;
    const header: RecordingHeader = {
      recording: formatVersion, made: deps.made, kind: 'all', at: deps.at, masked: deps.masksSecrets, agent: agentFacts(settings, recordedPortNames(ports), deps.dialect),
    };
    this.#sink.writeLine(JSON.stringify(header));
  }

  /** Secrets the agent comes to know are known here too, before the step that brought them is written. */
  watch(agent: Pick<Agent, 'bus'>): void {
    agent.bus.tap((envelope) => this.#learn(envelope));
  }

  /** What the trace sums up, without secrets. */
  readonly traceText = (text: string): string => this.#mask?.text(text) ?? text;

  readonly write = (entry: Entry): void => {
    // An input begins a step: the one before it is over.
    if ('ms' in entry) this.flush();
    this.#waiting.push(entry);
  };

  flush(): void {
    const over = this.#waiting;
    this.#waiting = [];
    if (this.#mask !== undefined) for (const entry of over) if (entry.k === 'answer') this.#learnFiles(entry.value);
    for (const entry of over) this.#sink.writeLine(JSON.stringify(this.#mask?.value(entry) ?? entry));
    this.#sink.flush();
  }

  #learn({ topic, payload }: AnyEnvelope): void {
    if (topic === 'object.received') this.#mask?.learnObject(payload.object);
    if (topic === 'api.settled' && payload.write.kind === 'TokenRequest' && payload.outcome.kind === 'accepted') {
      const { object } = payload.outcome;
      if (isJsonObject(object) && isJsonObject(object.status) && SecretText.isOne(object.status.token)) this.#mask?.learn(object.status.token.reveal());
    }
  }

  /** Secrets that were kept on disk come back as files. */
  #learnFiles(value: unknown): void {
    if (!isJsonObject(value) || !isJsonObject(value.value)) return;
    const text = value.value.$text;
    if (typeof text !== 'string' || !text.startsWith('{') || !text.includes('"kind":"Secret"')) return;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return;
    }
    const object = isJsonObject(parsed) ? decodeObject('Secret', parsed) : undefined;
    if (object?.ok === true) this.#mask?.learnObject(object.value);
  }
}
