// The inspector's ear on a node: takes messages and steps of machines as they come, weighs them, learns which secrets must not be
// shown, and fills the history. It publishes nothing and renders nothing.
import type { Bus, BusStatistics } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import { SecretText } from '../ports/secret-text.ts';
import type { MachineWatch } from '../ports/machine-watch.ts';
import type { FindObject, StoredObject } from '../ports/stored-object.ts';
import { History, type HistoryOptions } from './history.ts';
import { type Kept, notableTopics, Scales, smallBytes } from './kept.ts';

/** Packets and objects that wait to be weighed, in bytes; at the limit they are weighed at once. */
const unweighedBytesMax = 256 * 1024;
/** Rows of a listing count so much until they are let go. */
const rowBytes = 400;

/** Knows the values that must not be shown and puts words in their places. */
export interface Mask {
  learnObject(object: StoredObject): void;
  learn(value: Uint8Array | string): void;
  /** Text of any kind. */
  text(text: string): string;
  /** Plain data; fields of names are left as they are. */
  value(value: unknown): unknown;
  /** @returns a packed payload without them, as base64; undefined for what is packed in no way of ours */
  understood(base64: string): string | undefined;
}

export interface Feed {
  readonly history: History;
  readonly mask: Mask;
  readonly watch: MachineWatch;
  /** Objects that were kept from an earlier life come to the agent without a message that holds them. */
  knowObjects(find: FindObject): void;
  /** Takes in what has come since the last chunk. Not in the middle of a message's delivery. */
  catchUp(): void;
  statistics(): BusStatistics;
  stop(): void;
}

export function startFeed(bus: Bus, { mask, ...options }: HistoryOptions & { readonly mask: Mask }): Feed {
  const history = new History(options);
  const scales = new Scales();
  const take = (chunk: Kept[]): void => {
    history.add(chunk, notable ? { bytes: scales.weighAll(chunk), plain: false } : { bytes: chunk.length * smallBytes, plain: true });
    notable = false;
    unweighed = 0;
  };
  let unweighed = 0;
  /** Something in the chunk is large, or stays in the picture: most chunks of a busy node, none of a bus that is only tried out. */
  let notable = false;
  const kept = bus.keep<Exclude<Kept, { readonly seq: number }>>({ take });
  const large = (bytes: number): void => {
    unweighed += bytes;
    if (unweighed > unweighedBytesMax) kept.handOver();
  };
  let find: FindObject = () => undefined;
  const port = bus.as('inspector');
  const listenings = [
    ...notableTopics.map((topic) => port.on(topic, () => { notable = true; })),
    port.on('mqtt.received', ({ payload }) => large(payload.payload.byteLength)),
    port.on('runtime.relisted', ({ payload }) => large((payload.sandboxes.length + payload.containers.length) * rowBytes)),
    port.on('object.changed', ({ payload }) => {
      const object = find(payload);
      if (object !== undefined) mask.learnObject(object);
    }),
    port.on('api.settled', ({ payload }) => learnToken(mask, payload)),
    // Learned at once: nothing that may hold the value is shown before.
    port.on('object.received', ({ payload: { object } }) => {
      mask.learnObject(object);
      large(object.data.sizeBytes());
    }),
  ];
  return {
    history, mask,
    watch: { begins: (step) => {
      notable = true;
      kept.add(step);
    } },
    knowObjects: (given) => { find = given; },
    catchUp: () => kept.handOver(),
    statistics: () => bus.statistics(),
    stop: () => {
      kept.off();
      for (const listening of listenings) listening.off();
    },
  };
}

/** Tokens hide themselves wherever they are printed, but not where the same text stands elsewhere. */
function learnToken(mask: Mask, { write, outcome }: Messages['api.settled']): void {
  if (write.kind !== 'TokenRequest' || outcome.kind !== 'accepted') return;
  const { object } = outcome;
  const status: unknown = object !== undefined && 'status' in object ? object.status : undefined;
  if (typeof status === 'object' && status !== null && 'token' in status && SecretText.isOne(status.token)) mask.learn(status.token.reveal());
}
