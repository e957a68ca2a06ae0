// SPDY/3.1 between both sides of ours, and with what others write.
import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { spdyDictionary } from '../../../src/adapters/spdy/spdy-dictionary.ts';
import { FrameReader, HeaderReader, HeaderWriter } from '../../../src/adapters/spdy/spdy-frames.ts';
import { SpdySession, type SpdyStream } from '../../../src/adapters/spdy/spdy-session.ts';
import { type SocketPair, socketPair } from '../../support/socket-pair.ts';

let pair: SocketPair | undefined;
afterEach(() => pair?.stop());

async function sessions(accepted: (stream: SpdyStream) => void): Promise<{ readonly client: SpdySession; readonly server: SpdySession }> {
  pair = await socketPair();
  const none = Buffer.alloc(0);
  return { client: new SpdySession({ socket: pair.near, head: none, role: 'client' }), server: new SpdySession({ socket: pair.far, head: none, role: 'server', accepted }) };
}

async function all(stream: SpdyStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) parts.push(bytes);
  return Buffer.concat(parts);
}

function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const words = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 0xff));
  const entries = Object.entries(headers).flat().map((text) => Buffer.concat([words(text.length), Buffer.from(text)]));
  return Buffer.concat([words(Object.keys(headers).length), ...entries]);
}

describe('SPDY', () => {
  it('given a stream, when both sides speak, then headers and bytes arrive, and each side ends for itself', async () => {
    let seen: ReadonlyMap<string, string> | undefined;
    const { client } = await sessions((stream) => {
      seen = stream.headers;
      void all(stream).then(async (bytes) => {
        await stream.write(bytes);
        stream.finish();
      });
    });
    const stream = client.open(new Map([['streamType', 'stdin'], ['port', '80']]));
    expect(await stream?.replied).toBe(true);
    const content = randomBytes(3_000_000);
    void stream?.write(content).then(() => stream.finish());
    expect((await all(stream as SpdyStream)).equals(content)).toBe(true); // It was opened on a live connection.
    expect(seen).toEqual(new Map([['streamtype', 'stdin'], ['port', '80']]));
  });

  it('given many streams at once, when they are opened, then each has its own headers', async () => {
    const ports: string[] = [];
    const { client } = await sessions((stream) => void ports.push(stream.headers.get('port') ?? ''));
    const streams = Array.from({ length: 50 }, (_none, index) => client.open(new Map([['port', String(index)]])));
    expect(await Promise.all(streams.map((stream) => stream?.replied))).not.toContain(false);
    expect(ports).toEqual(streams.map((_stream, index) => String(index)));
  });

  it('given a stream, when it is reset, then the other side reads its end and knows why', async () => {
    const taken: SpdyStream[] = [];
    const { client } = await sessions((stream) => void taken.push(stream));
    const stream = client.open(new Map());
    await stream?.replied;
    stream?.reset();
    const [other] = taken;
    expect(await other?.read()).toBeUndefined();
    expect(other?.isReset).toBe(true);
  });

  it('given nobody who takes streams, when one is begun, then it is refused', async () => {
    pair = await socketPair();
    const none = Buffer.alloc(0);
    const client = new SpdySession({ socket: pair.near, head: none, role: 'client' });
    new SpdySession({ socket: pair.far, head: none, role: 'server' });
    expect(await client.open(new Map())?.replied).toBe(false);
  });

  it('given a reader who reads nothing, when much is sent, then the connection stops', async () => {
    const { client } = await sessions(() => undefined);
    const stream = client.open(new Map());
    await stream?.replied;
    let written = 0;
    void (async () => {
      while (await stream?.write(Buffer.alloc(32_768))) written += 32_768;
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const stopped = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBe(stopped);
    // What the kernel keeps is its own affair.
    expect(written).toBeLessThan(64 * 2 ** 20);
  });

  it('given a connection that ends, when streams wait, then they end', async () => {
    const { client, server } = await sessions(() => undefined);
    const stream = client.open(new Map());
    await stream?.replied;
    server.close();
    expect(await stream?.read()).toBeUndefined();
    await client.gone;
    expect(await stream?.write(Buffer.from('late'))).toBe(false);
  });
});

describe('header blocks of SPDY', () => {
  it('given blocks that zlib has packed with the dictionary, when they are read in order, then their headers are there', async () => {
    const deflate = zlib.createDeflate({ dictionary: spdyDictionary() });
    const reader = new HeaderReader();
    for (const headers of [{ streamtype: 'error', port: '80' }, { streamtype: 'data', requestid: '12' }]) {
      const parts: Buffer[] = [];
      deflate.on('data', (bytes: Buffer) => void parts.push(bytes));
      await new Promise<void>((resolve) => {
        deflate.write(headerBlock(headers), () => deflate.flush(zlib.constants.Z_SYNC_FLUSH, () => resolve()));
      });
      deflate.removeAllListeners('data');
      expect(await reader.read(Buffer.concat(parts))).toEqual(new Map(Object.entries(headers)));
    }
    reader.close();
  });

  it('given our own blocks, when zlib unpacks them, then it finds what was written', () => {
    const writer = new HeaderWriter();
    const blocks = [writer.synStream(1, new Map([['a', 'b']])), writer.synStream(3, new Map([['c', 'd']]))].map((frame) => frame.subarray(18));
    expect(zlib.inflateSync(Buffer.concat(blocks), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).equals(Buffer.concat([headerBlock({ a: 'b' }), headerBlock({ c: 'd' })]))).toBe(true);
  });

  it('given a block that unpacks to very much, when it is read, then it is refused', async () => {
    const reader = new HeaderReader();
    expect(await reader.read(zlib.deflateSync(Buffer.alloc(10_000_000), { dictionary: spdyDictionary() }))).toBeUndefined();
    reader.close();
  });

  it('given any bytes, when they are read, then nothing throws and nothing hangs', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
      const reader = new HeaderReader();
      await reader.read(bytes);
      reader.close();
      new FrameReader().push(Buffer.from(bytes));
      new FrameReader().push(Buffer.from([0x80, 3, 0, ...bytes]));
    }));
  });
});
