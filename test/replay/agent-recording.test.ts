// Tokens of service accounts in a recording: known from the answer that brings one, and taken out of what is written.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { AgentPorts, AgentSettings } from '../../src/agent/agent-world.ts';
import type { ApiWrite } from '../../src/bus/api-write.ts';
import { Bus } from '../../src/bus/bus.ts';
import { SecretText } from '../../src/ports/secret-text.ts';
import { AgentRecording } from '../../src/replay/agent-recording.ts';

describe('a recording of an agent', () => {
  it('given a token that came, when anything with it is written, then it is masked', () => {
    const lines: string[] = [];
    const deps = { sink: { writeLine: (line: string) => void lines.push(line), flush: () => undefined }, made: 'x', at: '2026-01-01T00:00:00Z', dialect: undefined, masksSecrets: true };
    // Of the ports only their names are read, and of the settings nothing here.
    const recording = new AgentRecording(deps, {} as AgentPorts, {} as AgentSettings);
    const bus = new Bus(new VirtualClock());
    recording.watch({ bus });
    const write: ApiWrite = { id: 't', lane: 'token/1', writer: 'token-manager', verb: 'create', kind: 'TokenRequest', namespace: 'shop', name: 'teller', object: { spec: { audiences: [] } } };
    const object = { status: { token: new SecretText('planted-token-of-some-length'), expirationTimestamp: '2026-01-01T01:00:00Z' } };
    bus.as('test').publish('api.settled', { write, outcome: { kind: 'accepted', object } }, { key: 'token-manager' });
    expect(recording.traceText('Bearer planted-token-of-some-length')).toBe('Bearer masked-1');
  });
});
