// What the cloud side needs of one dialect: to hear what is for it, to tell nodes what changed, to end.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import type { Result } from '../ports/result.ts';
import type { ObjectReference } from '../ports/stored-object.ts';
import type { CloudLeases } from './cloud-leases.ts';
import type { ApiCalls, ObjectsView } from './cloud-store.ts';
import type { Denials } from './denials.ts';
import type { FairLanes } from './fair-lanes.ts';
import { nodesMax, type Share } from './members.ts';

/** Shared by all dialects of one cloud side. */
export interface CloudWireDeps {
  readonly store: ObjectsView;
  /** What nodes ask for goes through here. */
  readonly calls: ApiCalls;
  readonly denials: Denials;
  /** In which calls of nodes take their turns. */
  readonly lanes: FairLanes;
  readonly leases: CloudLeases;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  readonly dialects: NodeDialects;
  /** Of nodes that others serve, messages are not taken. */
  readonly share: Share;
  readonly coalesceMs: number;
  /** Note every difference of what comes up from what the dialect's description says. */
  readonly strict: boolean;
  /** As MqttPort.publish. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
  deviate(lines: readonly string[]): void;
}

export interface CloudWire {
  readonly filters: readonly string[];
  /** @returns false for what is not this dialect's */
  received(packet: MqttPacket): boolean;
  /** The connection to the broker is up, and all filters are granted. */
  connected(): void;
  /** Other nodes are served here than before. */
  shareChanged(): void;
  /** A secret or config map is new or another. */
  objectChanged(reference: ObjectReference): void;
  stop(): void;
}

/** Which dialect a node spoke last: two dialects must not both tell it of its pods. */
export class NodeDialects {
  readonly #spoken = new Map<string, string>();

  /** @returns whether it is the first that is heard of it */
  heard(nodeName: string, dialect: string): boolean {
    const first = !this.#spoken.has(nodeName);
    this.#spoken.set(nodeName, dialect);
    return first;
  }

  /** Whether there is room for the name; anybody may say any name. */
  hasRoomFor(nodeName: string): boolean {
    return this.#spoken.size < nodesMax || this.#spoken.has(nodeName);
  }

  /** Undefined for one that never spoke. */
  of(nodeName: string): string | undefined {
    return this.#spoken.get(nodeName);
  }

  /** @param options.unknown what counts for a node that never spoke */
  speaks(nodeName: string, dialect: string, options: { readonly unknown: boolean }): boolean {
    const spoken = this.#spoken.get(nodeName);
    return spoken === undefined ? options.unknown : spoken === dialect;
  }
}

/** Fields whose value is undefined are left out, as JSON has it. */
export function present(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
