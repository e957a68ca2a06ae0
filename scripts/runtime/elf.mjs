// The little of ELF that making a program or library smaller needs: its segments (32 and 64 bits, little endian). Knows nothing of what is
// in them.

export const segmentTypes = { load: 1, note: 4, phdr: 6 };

/** Where things stand in the header, and in an entry of the table of segments, by class. */
const classes = {
  1: { header: 52, segment: 32, word: 4, tableAt: 28, sectionsAt: 32, sizeAt: 42, countAt: 44, sectionCountAt: 48, fields: { type: 0, offset: 4, address: 8, physical: 12, fileBytes: 16, memoryBytes: 20, flags: 24, align: 28 } },
  2: { header: 64, segment: 56, word: 8, tableAt: 32, sectionsAt: 40, sizeAt: 54, countAt: 56, sectionCountAt: 60, fields: { type: 0, flags: 4, offset: 8, address: 16, physical: 24, fileBytes: 32, memoryBytes: 40, align: 48 } },
};
/** Of four bytes in either class. */
const short = ['type', 'flags'];

function shapeOf(file) {
  const shape = classes[file[4]];
  if (file.readUInt32BE(0) !== 0x7f454c46 || shape === undefined || file[5] !== 1) throw new Error('no little-endian ELF file');
  if (readWord(file, shape.tableAt, shape.word) !== shape.header || file.readUInt16LE(shape.sizeAt) !== shape.segment) throw new Error('the table of segments is not where linkers put it');
  return shape;
}

function readWord(file, at, bytes) {
  return bytes === 8 ? Number(file.readBigUInt64LE(at)) : file.readUInt32LE(at);
}

function writeWord(file, at, value, bytes) {
  if (bytes === 8) file.writeBigUInt64LE(BigInt(value), at);
  else file.writeUInt32LE(value, at);
}

/** @throws where the file is no little-endian ELF */
export function readSegments(file) {
  const { header, segment, word, countAt, fields } = shapeOf(file);
  return Array.from({ length: file.readUInt16LE(countAt) }, (_, index) => {
    const base = header + index * segment;
    return Object.fromEntries(Object.entries(fields).map(([name, at]) => [name, readWord(file, base + at, short.includes(name) ? 4 : word)]));
  });
}

/** In place of those that are there: as many. */
function writeSegments(file, segments) {
  const { header, segment, word, countAt, fields } = shapeOf(file);
  if (segments.length !== file.readUInt16LE(countAt)) throw new Error('the table of segments cannot grow');
  for (const [index, values] of segments.entries()) {
    for (const [name, at] of Object.entries(fields)) writeWord(file, header + index * segment + at, values[name], short.includes(name) ? 4 : word);
  }
}

export function loadedSegments(file) {
  return readSegments(file).filter(({ type }) => type === segmentTypes.load);
}

/** What the kernel never loads goes: symbols, sections, debugging. As `strip` would, whatever the architecture. */
export function withoutSections(file) {
  const { word, sectionsAt, sectionCountAt } = shapeOf(file);
  const end = Math.max(...loadedSegments(file).map(({ offset, fileBytes }) => offset + fileBytes));
  const kept = Buffer.from(file.subarray(0, end));
  writeWord(kept, sectionsAt, 0, word);
  kept.writeUInt16LE(0, sectionCountAt);
  kept.writeUInt16LE(0, sectionCountAt + 2);
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
