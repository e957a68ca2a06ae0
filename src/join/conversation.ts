// Frames said and answered on a pair of topics: each is said again until an answer is taken or the time is over. It judges nothing.
import { type ReadFrame, readFrame } from '../bus/join/join-frames.ts';
import type { JoinTopics } from '../bus/join/join-topics.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { Inbox } from './inbox.ts';
import type { JoinFault } from './join-fault.ts';

/** A message may be lost where the cloud side has just gone and come. */
const sayAgainMs = 5_000;
const answerMsMax = 30_000;

export class Conversation {
  readonly #mqtt: MqttPort;
  readonly #clock: ClockPort;
  readonly #topics: JoinTopics;
  readonly #inbox: Inbox;

  constructor(mqtt: MqttPort, clock: ClockPort, topics: JoinTopics) {
    this.#mqtt = mqtt;
    this.#clock = clock;
    this.#topics = topics;
    this.#inbox = new Inbox(clock);
  }

  async open(): Promise<Result<void, JoinFault>> {
    const connected = await this.#mqtt.connect(this.#inbox);
    if (!connected.ok) return fail(brokerFault(connected.fault));
    const { down } = this.#topics;
    const subscribed = await this.#mqtt.subscribe(down, 1);
    return subscribed.ok ? ok() : fail({ kind: 'broker', message: `the broker does not let us hear ${down}: ${subscribed.fault.message} (docs/join.md names what its access list must allow)` });
  }

  /** @param judge what to make of an answer; undefined for one that is not for this */
  async say<T>(text: string, judge: (answer: ReadFrame) => Result<T, JoinFault> | undefined): Promise<Result<T, JoinFault>> {
    const { up, down } = this.#topics;
    const beganMs = this.#clock.monotonicMs();
    while (this.#clock.monotonicMs() - beganMs < answerMsMax) {
      const published = await this.#mqtt.publish({ topic: up, payload: Buffer.from(text), qos: 1, retain: false });
      if (!published.ok) return fail(brokerFault(published.fault));
      const againMs = this.#clock.monotonicMs() + sayAgainMs;
      for (let leftMs = sayAgainMs; leftMs > 0; leftMs = againMs - this.#clock.monotonicMs()) {
        const next = await this.#inbox.next(leftMs);
        if (!next.ok) return fail(brokerFault(next.fault));
        if (next.value === undefined) break;
        const read = next.value.topic === down ? readFrame(next.value.payload) : undefined;
        // Whatever else may come there is not for us.
        const judged = read?.ok === true ? judge(read.value) : undefined;
        if (judged !== undefined) return judged;
      }
    }
    return fail({
      kind: 'silent',
      message: `nobody answers on ${up} within ${answerMsMax / 1000} s: does mqlet bridge run with --join-url and this root topic, and does the broker's access list allow the topic (docs/join.md)?`,
    });
  }

  async close(): Promise<void> {
    await this.#mqtt.disconnect();
  }
}

function brokerFault({ message }: MqttFault): JoinFault {
  return { kind: 'broker', message };
}
