// The data of ICU inside a program: a package of named items that is searched by name. What icupkg(8) does to a file is done here in
// place, so that the locales nobody asks for can be left out of a program that has them built in.

const itemAlign = 16;

/** Items of these kinds, or of these names, whatever their folder: root, English, and what is of no language. */
const keptKinds = ['.icu', '.nrm', '.spp', '.cfu'];
const keptNames = new Set([
  'root', 'en', 'en_001', 'en_US', 'en_US_POSIX', 'pool', 'res_index', 'supplementalData', 'icustd', 'icuver', 'likelySubtags', 'numberingSystems',
  'timezoneTypes', 'zoneinfo64', 'windowsZones', 'metaZones', 'metadata', 'keyTypeData', 'langInfo', 'genderList', 'dayPeriods', 'plurals',
  'pluralRanges', 'units', 'currencyNumericCodes', 'icuTimezoneTypes', 'grammaticalFeatures', 'tzdbNames', 'ucadata', 'char', 'line', 'word', 'sent', 'title',
]);

/** What of the kept names and kinds nothing in JavaScript can reach: names of characters, look-alikes, transliteration, line breaks. */
const unreached = ['unames.icu', 'confusables.cfu', 'line.brk'];

export function isKept(name) {
  if (name.includes('/translit/') || unreached.some((one) => name.endsWith(`/${one}`))) return false;
  const plain = name.slice(name.lastIndexOf('/') + 1);
  return keptKinds.some((kind) => plain.endsWith(kind)) || keptNames.has(plain.replace(/\.[a-z]+$/, ''));
}

/** @returns where the package begins, its items in order, and where its last one does: how long that is, no place says */
export function findPackage(file) {
  for (let at = file.indexOf('CmnD'); at >= 0; at = file.indexOf('CmnD', at + 1)) {
    const header = at - 12;
    if (header < 0 || file[header + 2] !== 0xda || file[header + 3] !== 0x27) continue;
    const base = header + file.readUInt16LE(header);
    const count = file.readUInt32LE(base);
    const entries = Array.from({ length: count }, (_, index) => ({ name: base + file.readUInt32LE(base + 4 + 8 * index), data: base + file.readUInt32LE(base + 8 + 8 * index) }));
    return { base, items: entries.map(({ name, data }, index) => ({ name: textAt(file, name), from: data, to: entries[index + 1]?.data })) };
  }
  throw new Error('there is no ICU data in this program');
}

function textAt(file, from) {
  return file.toString('latin1', from, file.indexOf(0, from));
}

/**
 * Writes the package anew with the items that are kept, at the same place.
 * @returns {{from: number, to: number}} what it does not need any more, as offsets in the file
 */
export function keepItems(file, keeps = isKept) {
  const { base, items } = findPackage(file);
  const last = items.at(-1);
  const kept = items.filter((item) => item !== last && keeps(item.name)).map(({ name, from, to }) => ({ name, data: Buffer.from(file.subarray(from, to)) }));
  const align = (at) => Math.ceil(at / itemAlign) * itemAlign;
  let namesAt = 4 + 8 * kept.length;
  let dataAt = align(namesAt + kept.reduce((sum, { name }) => sum + name.length + 1, 0));
  const from = base + kept.reduce((at, { data }) => align(at + data.length), dataAt);
  if (from > last.from) throw new Error('the smaller package is larger');
  file.fill(0, base, last.from);
  file.writeUInt32LE(kept.length, base);
  for (const [index, { name, data }] of kept.entries()) {
    file.writeUInt32LE(namesAt, base + 4 + 8 * index);
    file.writeUInt32LE(dataAt, base + 8 + 8 * index);
    file.write(name, base + namesAt, 'latin1');
    data.copy(file, base + dataAt);
    namesAt += name.length + 1;
    dataAt = align(dataAt + data.length);
  }
  return { from, to: last.from };
}
