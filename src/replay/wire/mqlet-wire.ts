// mqlet's own dialect for a replay. Messages come here whole: what travelled in fragments or as properties has been put together.
import { readBody } from '../../bus/dialects/mqlet/body.ts';
import { expandEvent } from '../../bus/dialects/mqlet/compact-event.ts';
import { correlationOf, identityOf } from '../../bus/dialects/mqlet/correlation.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../bus/dialects/mqlet/header.ts';
import { mqletDialect } from '../../bus/dialects/mqlet/mqlet-dialect.ts';
import { parseTopic } from '../../bus/dialects/mqlet/topics.ts';
import { readWrite, type UpWrite } from '../../bus/dialects/mqlet/write-body.ts';
import { MqletBases } from './mqlet-bases.ts';
import { eventObject, holdingsRequest, objectName, type Said, startRequest, type UpFacts, type Wire, withoutPrecondition } from './wire.ts';

export function mqletWire({ rootTopic, nodeName }: { readonly rootTopic: string; readonly nodeName: string }): Wire {
  const bases = new MqletBases();
  return {
    name: 'mqlet',
    nodeName,
    dialect: (software) => mqletDialect({ rootTopic, nodeName, software }),
    directionOf: (topic) => {
      const parsed = parseTopic(rootTopic, topic);
      return parsed?.nodeName === nodeName ? parsed.direction : undefined;
    },
    readUp: ({ payload }) => {
      const frame = frameOf(payload);
      return frame === undefined ? undefined : factsOf(frame, nodeName);
    },
    answeredBy: ({ payload }) => {
      const frame = frameOf(payload);
      return frame?.type === 'answer' && frame.correlation !== undefined ? identityOf(frame.correlation) : undefined;
    },
    answerTo: (packet, { identity }) => {
      const frame = frameOf(packet.payload);
      if (frame === undefined) return packet;
      const { topic, qos, retain } = packet;
      return { topic, qos, retain, payload: encodeFrame({ ...frame, correlation: correlationOf(identity) }) };
    },
    handDown: (packet, request) => {
      const frame = frameOf(packet.payload);
      const payload = frame === undefined ? undefined : bases.rebased(frame, request);
      return payload === undefined ? packet : { ...packet, payload };
    },
  };
}

function frameOf(payload: Uint8Array): Frame | undefined {
  const decoded = decodeFrame(payload);
  return decoded.ok && decoded.value !== 'ignorable' ? decoded.value : undefined;
}

function factsOf(frame: Frame, nodeName: string): UpFacts | undefined {
  const identity = frame.correlation === undefined ? '' : identityOf(frame.correlation);
  switch (frame.type) {
    case 'digest':
      return { identity, request: startRequest, said: [] };
    case 'holdings':
      return { identity, request: holdingsRequest, said: [] };
    case 'presence': {
      const body = readBody(frame);
      return body.ok ? { identity: '', request: '', said: [{ object: objectName('Presence', { namespace: '', name: nodeName }), verb: 'whole', value: body.value }] } : undefined;
    }
    case 'event': {
      const body = readBody(frame);
      const event = body.ok ? expandEvent(body.value, nodeName) : body;
      return event.ok ? { identity: '', request: '', said: [{ object: eventObject(event.value.object), verb: 'whole', value: event.value.object }] } : undefined;
    }
    case 'write': {
      const body = readBody(frame);
      const write = body.ok ? readWrite(body.value) : body;
      if (!write.ok) return undefined;
      return { identity, request: `${write.value.verb} ${objectName(write.value.kind, write.value)}`, said: saidOf(write.value) };
    }
    default:
      return { identity: '', request: '', said: [] };
  }
}

function saidOf(write: UpWrite): readonly Said[] {
  const { verb, kind, object, patch, whole } = write;
  const about = objectName(kind, write);
  if (kind === 'Event') return object === undefined ? [] : [{ object: eventObject(object), verb: 'whole', value: object }];
  if (verb === 'delete') return [{ object: about, verb: 'gone', value: {} }];
  if (patch !== undefined) return [{ object: about, verb: whole ? 'whole' : 'patch', value: withoutPrecondition(patch) }];
  return object === undefined ? [] : [{ object: about, verb: 'whole', value: object }];
}
