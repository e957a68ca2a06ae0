import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mosquittoLine, packetLine, readPacketLine, type RecordedPacket } from '../../src/replay/packets.ts';

const aPacket: RecordedPacket = {
  atMs: 1_767_225_600_250, direction: 'down', packet: { topic: 'fleet/ctl/edge-07', payload: new TextEncoder().encode('hello'), qos: 1, retain: true },
};

describe('packets of a recording', () => {
  it('given any packet, when it is written and read, then it is the same', () => {
    const properties = fc.record({
      responseTopic: fc.string(), correlationData: fc.uint8Array(), messageExpirySeconds: fc.nat(), contentType: fc.string(),
      userProperties: fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1 }),
    }, { requiredKeys: [] });
    const topic = fc.string({ minLength: 1 }).filter((text) => !/[+#\0]/.test(text));
    fc.assert(fc.property(topic, fc.uint8Array(), fc.boolean(), fc.constantFrom(0 as const, 1 as const), properties, (name, payload, retain, qos, given) => {
      const recorded: RecordedPacket = { atMs: 5, direction: 'up', packet: { topic: name, payload, qos, retain, properties: given } };
      expect(readPacketLine(packetLine(recorded), 2)).toEqual({ ok: true, value: recorded });
    }));
  });

  it('given a packet, when it is written as mosquitto_sub does, then it has its fields and is read again', () => {
    const line = mosquittoLine(aPacket);
    expect(JSON.parse(line)).toEqual({ tst: '2026-01-01T00:00:00.250000+0000', topic: 'fleet/ctl/edge-07', qos: 1, retain: 1, payloadlen: 5, payload: 'hello' });
    expect(readPacketLine(line, 1)).toEqual({ ok: true, value: aPacket });
  });

  it('given what mosquitto_sub 2.0 printed, when it is read, then the packet is there', () => {
    const line = '{"tst":"2026-11-21T08:15:00.123456Z+0000","topic":"a/b","qos":0,"retain":0,"payloadlen":2,"payload":"hi"}'.replace('Z+', '+');
    expect(readPacketLine(line, 1)).toMatchObject({ ok: true, value: { direction: 'down', packet: { topic: 'a/b', qos: 0, retain: false } } });
  });

  it.each([
    ['no JSON', 'hello', 'the line is not JSON'],
    ['no object', '[1]', 'the line is no JSON object'],
    ['another object', '{"a":1}', 'the line is neither a packet of ours nor one of mosquitto_sub'],
    ['a wildcard', '{"k":"packet","now":1,"dir":"up","topic":"a/#","qos":0}', 'the field topic must be a topic without wildcards'],
    ['no time', '{"tst":"then","topic":"a"}', 'the field tst is no time'],
    ['no direction', '{"k":"packet","now":1,"dir":"left","topic":"a"}', 'the field dir must be up or down'],
  ])('given %s, when it is read, then the fault names the line', (_name, text, message) => {
    expect(readPacketLine(text, 7)).toEqual({ ok: false, fault: { line: 7, message: expect.stringContaining(message) } });
  });

  it('given any text, when it is read, then nothing is thrown', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readPacketLine(text, 1)));
  });
});
