// The table of gRPC answers and what they mean to us. Texts are those of containerd 1.6 and CRI-O.
import { describe, expect, it } from 'vitest';
import { toRuntimeFault } from '../../../src/adapters/cri/cri-faults.ts';

describe('toRuntimeFault', () => {
  it.each([
    [14, 'No connection established', { kind: 'unavailable' }],
    [1, 'context canceled', { kind: 'unavailable' }],
    [4, 'Deadline exceeded', { kind: 'timeout', afterMs: 500 }],
    [5, 'an error occurred when try to find container "x": not found', { kind: 'not-found' }],
    [6, 'exists', { kind: 'already-exists' }],
    [12, 'unknown method GetContainerEvents', { kind: 'unimplemented' }],
    [2, 'failed to reserve sandbox name "a_b_c_0": name "a_b_c_0" is reserved for "0123"', { kind: 'already-exists' }],
    [2, 'error creating pod sandbox with name "x": name is reserved', { kind: 'already-exists' }],
    [2, 'server is not initialized yet', { kind: 'unavailable' }],
    [2, 'failed to stop container: context canceled', { kind: 'unavailable' }],
    [2, 'failed to setup network: context deadline exceeded', { kind: 'timeout', afterMs: 500 }],
    [2, 'failed to create containerd task: OCI runtime create failed', { kind: 'rejected', grpcCode: 2 }],
    [3, 'invalid', { kind: 'rejected', grpcCode: 3 }],
    [8, 'Received message larger than max', { kind: 'rejected', grpcCode: 8 }],
  ])('given code %i and the text %j, when translated, then the fault is %j', (code, details, expected) => {
    expect(toRuntimeFault({ code, details }, 500)).toEqual({ ...expected, message: details });
  });

  it('given a text of many lines or pages, when translated, then it is one line of bounded length', () => {
    const fault = toRuntimeFault({ code: 2, details: `first\n  second\r\n${'x'.repeat(10_000)}` }, 0);
    expect(fault.message).toMatch(/^first second x+…$/);
    expect(fault.message).toHaveLength(2_048);
  });

  it.each([
    ['No connection established. Last error: Error: connect ENOENT /run/c.sock. Resolution note: ', 'connect ENOENT /run/c.sock'],
    ['No connection established. Last error: connect ECONNREFUSED /run/c.sock (2026-01-01T00:00:00.000Z). Resolution note: ', 'connect ECONNREFUSED /run/c.sock (2026-01-01T00:00:00.000Z)'],
    ['Connection dropped', 'Connection dropped'],
  ])('given no connection with the text %j, when translated, then the message is the reason alone', (details, message) => {
    expect(toRuntimeFault({ code: 14, details }, 0)).toEqual({ kind: 'unavailable', message });
  });

  it('given an error without code and text, when translated, then it is still a fault with a text', () => {
    expect(toRuntimeFault({}, 0)).toEqual({ kind: 'rejected', message: 'gRPC code 2', grpcCode: 2 });
  });
});
