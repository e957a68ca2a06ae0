// What a node has told of its objects: from what it wrote, the states each of them went through. Pure bookkeeping, as a cloud does it.
import { strategicMerge } from '../bridge/strategic-merge.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { Said, WireName } from './wire/wire.ts';

export interface ToldState {
  /** Milliseconds since the recording began. */
  readonly sinceMs: number;
  /** Line of the recording; 0 for what is told now. */
  readonly line: number;
  /** undefined: the object is gone. */
  readonly value: JsonObject | undefined;
}

const apiLists = { conditions: 'type', addresses: 'type', podIPs: 'ip', hostIPs: 'ip' };
/** Where the dialect merges container statuses one by one. */
const listsByName = { ...apiLists, containerStatuses: 'name', initContainerStatuses: 'name', ephemeralContainerStatuses: 'name' };

export class ToldObjects {
  readonly #keys: Readonly<Record<string, string>>;
  readonly #states = new Map<string, ToldState[]>();

  constructor(wire: WireName) {
    this.#keys = wire === 'mqlet' ? listsByName : apiLists;
  }

  tell({ object, verb, value }: Said, place: Omit<ToldState, 'value'>): void {
    const states = this.#states.get(object) ?? [];
    this.#states.set(object, states);
    states.push({ ...place, value: this.#next(states.at(-1)?.value, verb, value) });
  }

  /** By name of the object, in order of time. */
  get states(): ReadonlyMap<string, readonly ToldState[]> {
    return this.#states;
  }

  statusOf(object: string): JsonObject | undefined {
    const status = this.#states.get(object)?.at(-1)?.value?.status;
    return isJsonObject(status) ? status : undefined;
  }

  #next(before: JsonObject | undefined, verb: Said['verb'], value: JsonObject): JsonObject | undefined {
    switch (verb) {
      case 'gone': return undefined;
      case 'whole': return value;
      case 'patch': return strategicMerge(before ?? {}, value, this.#keys);
      default: return verb satisfies never;
    }
  }
}
