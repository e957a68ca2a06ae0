// WebSocket from the server's side: what clients send in whatever pieces, and what they must not send.
import { afterEach, describe, expect, it } from 'vitest';
import { acceptKey, WebSocketConnection } from '../../../src/adapters/streaming/web-socket.ts';
import { type SocketPair, socketPair } from '../../support/socket-pair.ts';

let pair: SocketPair | undefined;
afterEach(() => pair?.stop());

function frame(opcode: number, payload: Uint8Array, { last = true, masked = true } = {}): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = (last ? 0x80 : 0) | opcode;
  head[1] = (masked ? 0x80 : 0) | Math.min(payload.length, 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([head, masked ? mask : Buffer.alloc(0), Buffer.from(payload).map((byte, index) => (masked ? byte ^ (mask[index & 3] ?? 0) : byte))]);
}

async function connection(head: Uint8Array = new Uint8Array()): Promise<{ readonly socket: SocketPair['near']; readonly server: WebSocketConnection; received(): Buffer }> {
  pair = await socketPair();
  const parts: Buffer[] = [];
  pair.near.on('data', (bytes: Buffer) => void parts.push(bytes));
  return { socket: pair.near, server: new WebSocketConnection(pair.far, head), received: () => Buffer.concat(parts) };
}

describe('a WebSocket connection', () => {
  it('given a client\'s key, when it is accepted, then the answer is that of the standard', () => {
    expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('given messages byte by byte and in fragments, when they are read, then they are whole', async () => {
    const { socket, server } = await connection(frame(2, Buffer.from('zero')));
    const bytes = Buffer.concat([frame(2, Buffer.from('one'), { last: false }), frame(9, Buffer.from('ping')), frame(0, Buffer.from(' two')), frame(2, Buffer.alloc(300, 7))]);
    for (const byte of bytes) socket.write(Buffer.from([byte]));
    expect((await server.read())?.toString()).toBe('zero');
    expect((await server.read())?.toString()).toBe('one two');
    expect(await server.read()).toEqual(Buffer.alloc(300, 7));
  });

  it('given messages of any length, when they are written, then their headers say it', async () => {
    const { server, received } = await connection();
    for (const length of [5, 200, 70_000]) await server.write(Buffer.alloc(length, 1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([...received().subarray(0, 2)]).toEqual([0x82, 5]);
    expect([...received().subarray(7, 11)]).toEqual([0x82, 126, 0, 200]);
    expect([...received().subarray(211, 221)]).toEqual([0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
  });

  it.each([
    ['without a mask', frame(2, Buffer.from('x'), { masked: false })],
    ['with an extension', Buffer.from([0xc2, 0x80, 1, 2, 3, 4])],
    ['larger than is taken', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 1, 2, 3, 4])],
  ])('given a frame %s, when it comes, then the connection is closed', async (_what, bytes) => {
    const { socket, server, received } = await connection();
    socket.write(bytes);
    expect(await server.read()).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(received()[0]).toBe(0x88);
  });

  it('given a client who is gone, when something is read or written, then that is told', async () => {
    const { socket, server } = await connection();
    socket.destroy();
    expect(await server.read()).toBeUndefined();
    expect(await server.write(Buffer.from('x'))).toBe(false);
  });
});
