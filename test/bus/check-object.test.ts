// Answers to requests for tokens: what is read of them, and that the token shows nowhere.
import { describe, expect, it } from 'vitest';
import { checkObject, withHiddenToken } from '../../src/bus/dialects/check-object.ts';
import { SecretText } from '../../src/ports/secret-text.ts';

const expirationTimestamp = '2026-07-01T12:00:00Z';

describe('the answer to a request for a token', () => {
  it('given a token, when the answer goes over the bus, then only who asks for its text gets it', () => {
    const hidden = withHiddenToken({ kind: 'accepted', object: { status: { token: 'planted', expirationTimestamp } } });
    expect(JSON.stringify(hidden)).not.toContain('planted');
    expect(`${String(hidden.kind === 'accepted' && (hidden.object?.status as { token: SecretText }).token)}`).toBe('hidden'); // Made just above.
    const checked = checkObject('TokenRequest', (hidden.kind === 'accepted' ? hidden.object : undefined) ?? {});
    expect(checked.ok && 'status' in checked.value && checked.value.status !== undefined && 'token' in checked.value.status && checked.value.status.token.reveal()).toBe('planted');
  });

  it.each([
    [{}, 'status.token', 'is missing in the answer to a request for a token'],
    [{ status: { token: new SecretText('x') } }, 'status.expirationTimestamp', 'is missing in the answer to a request for a token'],
    [{ status: { token: 7, expirationTimestamp } }, 'status.token', 'must be a string, not a number'],
  ])('given %j, when it is read, then it is refused', (object, field, message) => {
    expect(checkObject('TokenRequest', object)).toEqual({ ok: false, fault: { field, message } });
  });

  it('given another answer, when it goes over the bus, then it is as it was', () => {
    const answer = { kind: 'accepted', object: { status: { phase: 'Running' } } } as const;
    expect(withHiddenToken(answer)).toBe(answer);
  });
});
