// The kole dialect for a replay: heartbeats of all nodes on one topic, registrations answered by their identifier.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { controlTopicOf, dataTopicOf, heartbeatTopic, koleDialect } from '../../bus/dialects/kole/kole-dialect.ts';
import { objectName, type Said, textOf, type UpFacts, type Wire } from './wire.ts';

/** As the protocol spells it. */
const asking = 'Registering';
const registerRequest = 'register';
const textDecoder = new TextDecoder();

export function koleWire({ nodeName, reportPeriodMs }: { readonly nodeName: string; readonly reportPeriodMs: number }): Wire {
  const control = controlTopicOf(nodeName);
  return {
    name: 'kole',
    nodeName,
    dialect: () => koleDialect({ nodeName, reportPeriodMs }),
    directionOf: (topic) => (topic === heartbeatTopic ? 'up' : topic === control || topic === dataTopicOf(nodeName) ? 'down' : undefined),
    readUp: ({ payload }) => {
      const report = jsonOf(payload);
      return report?.name === nodeName ? factsOf(report) : undefined;
    },
    answeredBy: ({ topic, payload }) => {
      const identifier = topic === control ? jsonOf(payload)?.identifier : undefined;
      return typeof identifier === 'string' ? identifier : undefined;
    },
    answerTo: (packet, { identity }) => ({ ...packet, payload: new TextEncoder().encode(JSON.stringify({ ...jsonOf(packet.payload), identifier: identity })) }),
  };
}

function jsonOf(payload: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(textDecoder.decode(payload));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Which report of how many it is, and when, says nothing of the node. */
function factsOf({ identifier, state, timestamp: _timestamp, seqnum: _sequence, pods, ...node }: JsonObject): UpFacts {
  const asks = state === asking;
  const said: Said = { object: objectName('Node', { namespace: '', name: textOf(node.name) }), verb: 'whole', value: { ...node, pods: podsByName(pods) } };
  return { identity: asks ? textOf(identifier) : '', request: asks ? registerRequest : '', said: [said] };
}

function podsByName(pods: unknown): JsonObject {
  const listed = Array.isArray(pods) ? pods.filter(isJsonObject) : [];
  return Object.fromEntries(listed.map(({ namespace, name, ...rest }) => [`${textOf(namespace)}/${textOf(name)}`, rest]));
}
