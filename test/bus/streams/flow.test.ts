// One direction of a stream, whatever the way between does with its frames: what is read is what was written, in order, once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Inflow, inflowBytesMax } from '../../../src/bus/streams/inflow.ts';
import { Outflow } from '../../../src/bus/streams/outflow.ts';
import { decodeStreamFrame, encodeStreamFrame, type SequencedFrame, type StreamFrame } from '../../../src/bus/streams/stream-frames.ts';

const offsets = fc.nat({ max: 2 ** 40 });
const frames: fc.Arbitrary<StreamFrame> = fc.oneof(
  fc.record({ kind: fc.constantFrom('opened', 'finish', 'end', 'data'), stream: fc.nat({ max: 2 ** 31 }), offset: offsets, lane: fc.nat({ max: 255 }), prompt: fc.boolean(), body: fc.uint8Array({ minLength: 1, maxLength: 100 }) }),
  fc.record({ kind: fc.constant('credit'), stream: fc.nat({ max: 2 ** 31 }), received: offsets, limit: offsets, again: fc.boolean() }),
  fc.record({ kind: fc.constant('reset'), stream: fc.nat({ max: 2 ** 31 }), message: fc.string({ maxLength: 100, unit: 'grapheme-ascii' }) }),
);
const plain = (frame: StreamFrame): unknown => ('body' in frame ? { ...frame, body: [...frame.body] } : frame);

describe('the frames of streams', () => {
  it('given any frame, when it is written and read, then it is the same', () => {
    fc.assert(fc.property(frames, (frame) => {
      const read = decodeStreamFrame(encodeStreamFrame(frame));
      expect(read.ok && plain(read.value)).toEqual(plain(frame));
    }));
  });

  it('given any bytes, when they are read, then nothing throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 0x30 }), (bytes, type) => {
      decodeStreamFrame(bytes);
      decodeStreamFrame(Uint8Array.from([1, type, ...bytes]));
    }));
  });
});

/** What may happen on the way, one after the other. */
const happenings = fc.array(fc.oneof(
  fc.record({ what: fc.constant('write'), bytes: fc.integer({ min: 1, max: 40_000 }), lane: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ what: fc.constantFrom('finish', 'read', 'lose', 'deliver', 'repeat', 'credit', 'loseCredit', 'rewind', 'probe', 'swap') }),
), { minLength: 1, maxLength: 150 });

class Way {
  readonly outflow = new Outflow();
  readonly inflow = new Inflow();
  readonly written: string[] = [];
  readonly seen: string[] = [];
  #flying: Omit<SequencedFrame, 'stream' | 'prompt'>[] = [];
  #next = 0;

  write(bytes: number, lane: number): void {
    if (this.outflow.isFull) return;
    const body = Buffer.alloc(bytes);
    for (let index = 0; index < bytes; index += 1) {
      body[index] = this.#next % 251;
      this.#next += 1;
    }
    this.outflow.push('data', lane, body);
    this.written.push(`${lane}:${body.toString('latin1')}`);
  }

  send(): void {
    for (let piece = this.outflow.next(16_384); piece !== undefined; piece = this.outflow.next(16_384)) this.#flying.push(piece);
  }

  deliver({ repeat }: { readonly repeat: boolean }): void {
    const frame = repeat ? this.#flying[0] : this.#flying.shift();
    if (frame !== undefined) expect(this.inflow.take({ ...frame, stream: 1, prompt: false })).not.toBe('excess');
  }

  lose(): void {
    this.#flying.shift();
  }

  swap(): void {
    this.#flying = [...this.#flying.slice(1), ...this.#flying.slice(0, 1)];
  }

  credit(): void {
    expect(this.outflow.credited(this.inflow.credit())).toBe(true);
  }

  read(): void {
    const taken = this.inflow.shift();
    if (taken === undefined) return;
    this.seen.push(taken.kind === 'data' ? `${taken.lane}:${Buffer.from(taken.body).toString('latin1')}` : `${taken.lane}:<${taken.kind}>`);
  }

  finish(lane: number): void {
    this.outflow.push('finish', lane, new Uint8Array());
    this.written.push(`${lane}:<finish>`);
  }
}

/** Neighbours of one lane are one. */
function joined(entries: readonly string[]): string {
  return entries.reduce((text, entry, index) => {
    const same = index > 0 && entries[index - 1]?.[0] === entry[0] && !entry.includes('<finish>') && !(entries[index - 1] ?? '').includes('<finish>');
    return text + (same ? entry.slice(2) : `|${entry}`);
  }, '');
}

describe('one direction of a stream', () => {
  it('given any losses, repeats and changes of order, when the way is well again, then all that was written is read once, in order', () => {
    fc.assert(fc.property(happenings, (list) => {
      const way = new Way();
      way.credit();
      for (const step of list) {
        if ('bytes' in step) way.write(step.bytes, step.lane);
        else if (step.what === 'finish') way.finish(3);
        else if (step.what === 'read') way.read();
        else if (step.what === 'lose') way.lose();
        else if (step.what === 'deliver' || step.what === 'repeat') way.deliver({ repeat: step.what === 'repeat' });
        else if (step.what === 'credit') way.credit();
        else if (step.what === 'loseCredit') way.inflow.credit();
        else if (step.what === 'rewind') way.outflow.rewind();
        else if (step.what === 'probe') way.outflow.probe();
        else way.swap();
        way.send();
        expect(way.outflow.bytesKept).toBeLessThanOrEqual(64 * 1024 + 40_000 + 200);
        expect(way.inflow.received - (way.inflow.limit - inflowBytesMax)).toBeLessThanOrEqual(inflowBytesMax + 200);
      }
      for (let round = 0; round < 60; round += 1) {
        way.outflow.rewind();
        way.send();
        for (let each = 0; each < 400; each += 1) way.deliver({ repeat: false });
        for (let each = 0; each < 400; each += 1) way.read();
        way.credit();
      }
      expect(way.outflow.isEmpty).toBe(true);
      expect(joined(way.seen)).toBe(joined(way.written));
    }), { numRuns: 60 });
  });

  it('given a reader who reads nothing, when much is written, then no more than its room is sent', () => {
    const way = new Way();
    way.credit();
    for (let each = 0; each < 20; each += 1) {
      way.write(30_000, 1);
      way.send();
      for (let frame = 0; frame < 20; frame += 1) way.deliver({ repeat: false });
      way.credit();
    }
    expect(way.inflow.received).toBe(inflowBytesMax);
    expect(way.outflow.isFull).toBe(true);
  });

  it('given an acknowledgement of what was never sent, when it comes, then it is known as wrong', () => {
    expect(new Outflow().credited({ received: 1, limit: 0 })).toBe(false);
  });
});
