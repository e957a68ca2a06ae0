// An agent that is recorded with everything that reaches it. The recording is all a replay needs.
import type { Agent } from '../agent.ts';
import type { AgentPorts, AgentSettings } from '../agent/agent-world.ts';
import type { AnyEnvelope } from '../bus/messages.ts';
import type { Entry, Server } from './entries.ts';
import { PortRecorder } from './record-ports.ts';
import { envelopeText, Trace } from './trace.ts';

/** How often the sum of the trace is written: a divergence that no call shows is found within so many messages. */
export const messagesPerMark = 100;

/** Marks that wait to be compared; a step of the agent publishes far fewer messages than they span. */
const marksMax = 1_000;

export interface RecordedAgentDeps {
  readonly ports: AgentPorts;
  readonly settings: AgentSettings;
  /** Puts the agent together; handed in, so that whoever records need not bring a second copy of it. */
  start(ports: AgentPorts, settings: AgentSettings): Agent;
  /** Told of the agent as soon as it is there. */
  started?(agent: Agent): void;
  /** Each line of the trace as it is to be summed up. */
  traceText?(text: string): string;
  /** As the recorder's. */
  defer(run: () => void): void;
  write(entry: Entry): void;
}

export function startRecordedAgent({ ports, settings, start, started, traceText, defer, write }: RecordedAgentDeps): Agent {
  const recorder = new PortRecorder({ clock: ports.clock, defer, write });
  const recorded = recorder.ports(ports);
  const agent = recorder.start(() => start(recorded, settings));
  started?.(agent);
  const sum = new TraceSum(agent, recorded, traceText);
  const marking = agent.bus.tap(() => {
    if (sum.messages % messagesPerMark === 0) write({ k: 'trace', ...sum.mark() });
  });
  const server = <S extends Agent['admin'] | Agent['health']>(name: Server, served: S): S => ({
    ...served,
    handle: (request: Parameters<S['handle']>[0]) => recorder.come({ k: 'request', server: name, request }, () => served.handle(request)),
  });
  return {
    bus: agent.bus,
    health: server('health', agent.health),
    admin: server('admin', agent.admin),
    endPods: () => recorder.come({ k: 'endPods' }, () => agent.endPods()),
    stop: async () => {
      await recorder.come({ k: 'stop' }, () => agent.stop());
      marking.off();
      write({ k: 'trace', ...sum.mark() });
    },
  };
}

/** The sum of all messages on an agent's bus from the moment it has been put together. */
export class TraceSum {
  readonly #trace: Trace;
  /** Sums at the latest marks, by the count of messages. */
  readonly #marks = new Map<number, string>();
  #messages = 0;

  constructor(agent: Pick<Agent, 'bus'>, { clock }: Pick<AgentPorts, 'clock'>, text: (line: string) => string = (line) => line) {
    const startMs = clock.monotonicMs();
    this.#trace = new Trace(() => clock.monotonicMs() - startMs, { keepsAll: false });
    agent.bus.tap((envelope) => {
      this.#messages += 1;
      this.#trace.note(text(summedText(envelope)));
      if (this.#messages % messagesPerMark === 0) this.#keep();
    });
  }

  get messages(): number {
    return this.#messages;
  }

  mark(): { readonly messages: number; readonly sum: string } {
    return { messages: this.#messages, sum: this.#trace.sum() };
  }

  /** @returns undefined where there have not been so many messages */
  sumAt(messages: number): string | undefined {
    return messages === this.#messages ? this.#trace.sum() : this.#marks.get(messages);
  }

  #keep(): void {
    this.#marks.set(this.#messages, this.#trace.sum());
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > marksMax && oldest !== undefined) this.#marks.delete(oldest);
  }
}

/** The size of a packet changes with the secrets in it. */
function summedText(envelope: AnyEnvelope): string {
  const text = envelopeText(envelope);
  return envelope.topic === 'mqtt.received' ? text.replace(/ \d+ bytes [0-9a-f]+$/, '') : text;
}
