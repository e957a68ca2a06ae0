// Requests for tokens in the mqlet dialect, both ways: what the cloud reads, and what becomes of its answer.
import { describe, expect, it } from 'vitest';
import type { ApiWrite } from '../../../src/bus/api-write.ts';
import { checkObject, withHiddenToken } from '../../../src/bus/dialects/check-object.ts';
import { noDictionary, packBody, readBody } from '../../../src/bus/dialects/mqlet/body.ts';
import { decodeFrame, encodeFrame } from '../../../src/bus/dialects/mqlet/header.ts';
import { mqletDialect } from '../../../src/bus/dialects/mqlet/mqlet-dialect.ts';

const id = '8f67f111-16e1-45e6-904f-ec94adab39d4';
const spec = { audiences: ['vault'], expirationSeconds: 3_600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'u-1' } };
const write: ApiWrite = { id, writer: 'token-manager', lane: 'token/1', verb: 'create', kind: 'TokenRequest', namespace: 'shop', name: 'teller', object: { spec } };

describe('a request for a token in mqlet', () => {
  it('given a request, when it goes up and the answer comes down, then both sides read what was meant', () => {
    const dialect = mqletDialect({ rootTopic: 'fleet', nodeName: 'edge-07', software: 'mqlet test' });
    expect(dialect.carries('TokenRequest')).toBe(true);
    const packet = dialect.encode(write);
    const up = decodeFrame(packet.payload);
    if (!up.ok || up.value === 'ignorable' || up.value.correlation === undefined) throw new Error('no frame');
    expect(readBody(up.value)).toEqual({ ok: true, value: { verb: 'create', kind: 'TokenRequest', namespace: 'shop', name: 'teller', object: { spec } } });
    expect(packet).toMatchObject({ identity: id, needAck: true });

    const body = packBody({ accepted: { object: { spec, status: { token: 'planted', expirationTimestamp: '2026-01-01T01:00:00Z' } } } }, { dictionary: noDictionary });
    const down = dialect.decodeDown('fleet/edge-07/down', encodeFrame({ type: 'answer', correlation: up.value.correlation, ...body }));
    if (!down.ok || down.value.kind !== 'ack' || down.value.answer.kind !== 'accepted') throw new Error('no answer');
    expect(down.value.identity).toBe(id);
    const hidden = withHiddenToken(down.value.answer);
    const checked = checkObject('TokenRequest', (hidden.kind === 'accepted' ? hidden.object : undefined) ?? {});
    expect(JSON.stringify(checked)).not.toContain('planted');
    expect(checked).toMatchObject({ ok: true, value: { spec: { expirationSeconds: 3_600 } } });
  });
});
