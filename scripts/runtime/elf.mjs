// The little of ELF that making a program smaller needs: its segments (64 bits, little endian). Knows nothing of what is in them.

const headerBytes = 64;
const segmentBytes = 56;
export const segmentTypes = { load: 1, note: 4, phdr: 6 };

/** @throws where the file is no 64-bit little-endian ELF */
export function readSegments(file) {
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) throw new Error('no 64-bit little-endian ELF file');
  const [at, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)];
  if (at !== headerBytes || size !== segmentBytes) throw new Error('the table of segments is not where linkers put it');
  return Array.from({ length: count }, (_, index) => {
    const base = at + index * size;
    const number = (offset) => Number(file.readBigUInt64LE(base + offset));
    return {
      type: file.readUInt32LE(base), flags: file.readUInt32LE(base + 4), offset: number(8), address: number(16), physical: number(24),
      fileBytes: number(32), memoryBytes: number(40), align: number(48),
    };
  });
}

/** In place of those that are there: as many. */
export function writeSegments(file, segments) {
  if (segments.length !== file.readUInt16LE(56)) throw new Error('the table of segments cannot grow');
  for (const [index, { type, flags, offset, address, physical, fileBytes, memoryBytes, align }] of segments.entries()) {
    const base = headerBytes + index * segmentBytes;
    file.writeUInt32LE(type, base);
    file.writeUInt32LE(flags, base + 4);
    for (const [place, value] of [[8, offset], [16, address], [24, physical], [32, fileBytes], [40, memoryBytes], [48, align]]) file.writeBigUInt64LE(BigInt(value), base + place);
  }
}

/** What the kernel never loads goes: symbols, sections, debugging. As `strip` would, whatever the architecture. */
export function withoutSections(file) {
  const end = Math.max(...readSegments(file).filter(({ type }) => type === segmentTypes.load).map(({ offset, fileBytes }) => offset + fileBytes));
  const kept = Buffer.from(file.subarray(0, end));
  kept.writeBigUInt64LE(0n, 40);
  kept.writeUInt16LE(0, 60);
  kept.writeUInt16LE(0, 62);
  return kept;
}

/**
 * Takes a stretch of a segment out of the file. Its addresses are there no more: whoever reads them ends.
 * The place in the table comes from the notes, which only tools read.
 * @param {{from: number, to: number}} stretch offsets in the file, multiples of the segment's alignment
 */
export function withoutStretch(file, { from, to }) {
  const segments = readSegments(file);
  const cut = to - from;
  const holder = segments.find(({ type, offset, fileBytes }) => type === segmentTypes.load && from > offset && to < offset + fileBytes);
  if (holder === undefined || from % holder.align !== 0 || to % holder.align !== 0 || cut <= 0) throw new Error('the stretch is not within one segment');
  const before = { ...holder, fileBytes: from - holder.offset, memoryBytes: from - holder.offset };
  const skipped = to - holder.offset;
  const after = {
    ...holder, offset: from, address: holder.address + skipped, physical: holder.physical + skipped,
    fileBytes: holder.fileBytes - skipped, memoryBytes: holder.memoryBytes - skipped,
  };
  const note = segments.findIndex(({ type }) => type === segmentTypes.note);
  if (note < 0) throw new Error('there is no note to give up its place');
  const rest = segments.filter((_, index) => index !== note).flatMap((segment) => {
    if (segment === holder) return [before, after];
    if (segment.type !== segmentTypes.load && segment.offset >= from && segment.offset < to) throw new Error('something else lies in the stretch');
    return [segment.offset >= to ? { ...segment, offset: segment.offset - cut } : segment];
  });
  const smaller = Buffer.concat([file.subarray(0, from), file.subarray(to)]);
  writeSegments(smaller, rest);
  return smaller;
}
