// The MQTT ingress and the API writer alone on a bus, with a link that is played by the test. Nothing else listens.
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { ApiAnswer, ApiOutcome, ApiWrite } from '../../src/bus/api-write.ts';
import { ackFields } from '../../src/bus/dialects/lite/envelope-down.ts';
import { decodeUp, type UpMessage } from '../../src/bus/dialects/lite/envelope-up.ts';
import { liteDialect } from '../../src/bus/dialects/lite/lite-dialect.ts';
import { packJson } from '../../src/bus/dialects/lite/payload.ts';
import { type ApiWriterHandle, startApiWriter } from '../../src/bus/egress/api-writer.ts';
import { startMqttPods } from '../../src/bus/ingress/mqtt-pods.ts';
import type { AnyEnvelope, Messages, Topic } from '../../src/bus/messages.ts';
import { inputFaultLine, type MqttFault } from '../../src/ports/faults.ts';
import type { FilesPort } from '../../src/ports/files-port.ts';
import type { MqttPacket } from '../../src/ports/mqtt-port.ts';
import { ok, type Result } from '../../src/ports/result.ts';
import { silentLog } from './silent-log.ts';

export const controlTopic = 'fleet/ctl/edge-07';
export const outboxDirectory = '/var/lib/mqlet/outbox';

export class WireWorld {
  readonly clock: VirtualClock;
  readonly bus: Bus;
  readonly log: AnyEnvelope[] = [];
  /** Messages sent up, decoded, in order. */
  readonly sent: UpMessage[] = [];
  /** What `publish` answers; a test may replace it. */
  publishResult: (packet: MqttPacket) => Promise<Result<void, MqttFault>> = () => Promise.resolve(ok());
  readonly writer: ApiWriterHandle;
  readonly #ingress;

  /** @param machine on which it lives: given to the next world, that one finds what this one has left on the disk */
  constructor(machine?: { readonly clock: VirtualClock; readonly files: FilesPort }) {
    this.clock = machine?.clock ?? new VirtualClock();
    this.bus = new Bus(this.clock);
    this.bus.tap((envelope) => void this.log.push(envelope));
    const random = new SeededRandom('wire');
    const dialect = liteDialect({ rootTopic: 'fleet', nodeName: 'edge-07' });
    const publish = (packet: MqttPacket): Promise<Result<void, MqttFault>> => {
      const decoded = decodeUp(packet.payload);
      if (decoded.ok) this.sent.push(decoded.value);
      return this.publishResult(packet);
    };
    const outbox = machine === undefined ? {} : { outbox: { files: machine.files, directory: outboxDirectory } };
    this.writer = startApiWriter({ bus: this.bus.as('api-writer'), clock: this.clock, log: silentLog, random, dialect, publish, ...outbox });
    this.#ingress = startMqttPods({ bus: this.bus.as('mqtt-pods'), clock: this.clock, random, log: silentLog, dialect, publish, nodeName: 'edge-07' });
  }

  /** The cloud is there when the link is, unless it is silent. */
  link(state: Messages['mqtt.link']['state'], { cloud = 'lists' }: { readonly cloud?: 'lists' | 'silent' } = {}): void {
    this.bus.as('link').publish('mqtt.link', { state, reason: '' });
    if (state === 'up' && cloud === 'lists') this.cloudLists();
  }

  cloudLists(): void {
    this.bus.as('mqtt-pods').publish('cloud.listed', { complete: true });
  }

  receive(payload: Uint8Array): void {
    this.bus.as('link').publish('mqtt.received', { topic: controlTopic, payload });
  }

  down(fields: object): void {
    this.receive(packJson({ ...fields }));
  }

  answer(identity: string, answer: ApiAnswer): void {
    this.down(ackFields(identity, answer));
  }

  /** Answers the start that was sent last. */
  answerStart(pods: readonly unknown[], more: object = {}): void {
    const start = this.sent.findLast(({ objectType }) => objectType === 'start');
    this.answer(start?.identity ?? '', { kind: 'accepted', object: { pods_list: pods, ...more } });
  }

  write(write: ApiWrite): void {
    this.bus.as('writer').publish('api.write', write);
  }

  payloads<T extends Topic>(topic: T): Messages[T][] {
    // An envelope's topic names the type of its payload.
    return this.log.filter((envelope) => envelope.topic === topic).map((envelope) => envelope.payload as Messages[T]);
  }

  refusals(): string[] {
    return this.payloads('input.refused').map(({ fault }) => inputFaultLine(fault));
  }

  outcomes(): { id: string; outcome: ApiOutcome }[] {
    return this.payloads('api.settled').map(({ write, outcome }) => ({ id: write.id, outcome }));
  }

  starts(): UpMessage[] {
    return this.sent.filter(({ objectType }) => objectType === 'start');
  }

  async stop(): Promise<void> {
    await this.#ingress.stop();
    await this.writer.stop();
  }
}

/** A pod as a cloud pushes it. */
export function wirePod(name: string, more: { uid?: string; version?: string; metadata?: object; spec?: object } = {}): Record<string, unknown> {
  return {
    metadata: { name, namespace: 'shop', uid: more.uid ?? `uid-${name}`, ...(more.version === undefined ? {} : { resourceVersion: more.version }), ...more.metadata },
    spec: { nodeName: 'edge-07', containers: [{ name: 'web', image: 'registry.example/web:1' }], ...more.spec },
    status: { phase: 'Pending' },
  };
}
