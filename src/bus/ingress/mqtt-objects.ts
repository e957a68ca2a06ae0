// Secrets and config maps that come beside pods over MQTT: each is judged alone, a bad one is one refusal and the others are taken.
import type { StoredObjectKind } from '../../ports/stored-object.ts';
import type { BusPort } from '../bus.ts';
import type { JsonObject } from '../dialects/json-value.ts';
import { decodeObject } from './decode-object.ts';
import type { RefusalTeller } from './refusal-teller.ts';

/** Objects of one message; beyond, the rest is refused together. */
const objectsPerMessageMax = 2_000;

export interface ObjectsTaking {
  readonly bus: BusPort;
  readonly teller: RefusalTeller;
  readonly topic: string;
}

/** @param field of the list in the message */
export function takeObjects({ bus, teller, topic }: ObjectsTaking, kind: StoredObjectKind, field: string, objects: readonly JsonObject[]): void {
  const refuse = (at: string, message: string) => teller.tell({ origin: topic, field: at, message, severity: 'error' });
  for (const [index, entry] of objects.slice(0, objectsPerMessageMax).entries()) {
    const decoded = decodeObject(kind, entry);
    if (decoded.ok) bus.publish('object.received', { object: decoded.value });
    else refuse(`${field}[${index}].${decoded.fault.field}`, decoded.fault.message);
  }
  if (objects.length > objectsPerMessageMax) refuse(field, `must have at most ${objectsPerMessageMax} entries; the others are not taken`);
}
