// The lite-kubelet dialect for a replay: requests by their identity, answers with another one.
import { fieldOf, isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { decodeDown } from '../../bus/dialects/lite/envelope-down.ts';
import { decodeUp, type UpMessage } from '../../bus/dialects/lite/envelope-up.ts';
import { liteDialect } from '../../bus/dialects/lite/lite-dialect.ts';
import { packJson, unpack } from '../../bus/dialects/lite/payload.ts';
import { controlTopic, dataTopic } from '../../bus/dialects/lite/topics.ts';
import { type Answering, eventObject, objectName, type Said, startRequest, type UpFacts, type Wire, withoutPrecondition } from './wire.ts';

const kinds: Readonly<Record<string, string>> = { pod: 'Pod', node: 'Node', lease: 'Lease', event: 'Event' };

export function liteWire({ rootTopic, nodeName }: { readonly rootTopic: string; readonly nodeName: string }): Wire {
  const up = dataTopic(rootTopic);
  const down = controlTopic(rootTopic, nodeName);
  return {
    name: 'lite',
    nodeName,
    dialect: () => liteDialect({ rootTopic, nodeName }),
    directionOf: (topic) => (topic === up ? 'up' : topic === down ? 'down' : undefined),
    readUp: ({ payload }) => {
      const decoded = decodeUp(payload);
      return decoded.ok && decoded.value.nodeName === nodeName ? factsOf(decoded.value) : undefined;
    },
    answeredBy: ({ payload }) => {
      const decoded = decodeDown(payload);
      return decoded.ok && decoded.value.kind === 'ack' ? decoded.value.identity : undefined;
    },
    answerTo: (packet, answering) => {
      const fields = unpack(packet.payload);
      return fields.ok ? { ...packet, payload: packJson(answered(fields.value, answering)) } : packet;
    },
  };
}

function factsOf({ objectType, operateType, identity, needAck, objectName: name, objectNamespace: namespace, object, patch }: UpMessage): UpFacts {
  if (objectType === 'start') return { identity, request: startRequest, said: [] };
  const kind = kinds[objectType] ?? objectType;
  const about = objectName(kind, { namespace, name });
  const said = saidOf(operateType, about, { kind, object, patch });
  return { identity: needAck ? identity : '', request: needAck ? `${operateType} ${about}` : '', said };
}

function saidOf(verb: string, about: string, { kind, object, patch }: { readonly kind: string; readonly object: JsonObject | undefined; readonly patch: JsonObject | undefined }): readonly Said[] {
  if (kind === 'Event') return object === undefined ? [] : [{ object: eventObject(object), verb: 'whole', value: object }];
  if (verb === 'delete') return [{ object: about, verb: 'gone', value: {} }];
  if (verb === 'patch') return patch === undefined ? [] : [{ object: about, verb: 'patch', value: withoutPrecondition(patch) }];
  return verb === 'get' || object === undefined ? [] : [{ object: about, verb: 'whole', value: object }];
}

function answered(fields: JsonObject, { identity, statusOf }: Answering): JsonObject {
  const ack = fieldOf(fields, 'ack_data');
  if (!isJsonObject(ack)) return fields;
  const object = fieldOf(ack, 'object');
  const metadata = isJsonObject(object) ? object.metadata : undefined;
  const status = isJsonObject(metadata) && typeof metadata.name === 'string'
    ? statusOf(objectName('Pod', { namespace: typeof metadata.namespace === 'string' ? metadata.namespace : '', name: metadata.name })) : undefined;
  const told = isJsonObject(object) && status !== undefined && isJsonObject(object.status) ? { ...object, status: { ...object.status, ...status } } : object;
  return { ...fields, ack_data: { ...ack, identity, ...(told === undefined ? {} : { object: told }) } };
}
