// Which images go, in which order, and how much has to: the kubelet's arithmetic and its order of victims.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ImageGcPolicy, type ImageRecord, type ImageRecords, imagesInUse, judgeImageSpace, outdatedImages, removableImages, seenImages, unusedImages,
} from '../../../src/machines/decide/image-gc.ts';
import type { ImageFacts } from '../../../src/ports/images-port.ts';

const policy: ImageGcPolicy = { minAgeMs: 120_000, maxAgeMs: 0, highPercent: 85, lowPercent: 80, sandboxImage: '' };

function image(id: string, part: Partial<ImageFacts> = {}): ImageFacts {
  return { id, repoTags: [`registry.example/${id}:1`], repoDigests: [], sizeBytes: 10, pinned: false, ...part };
}

function record(id: string, part: Partial<ImageRecord> = {}): ImageRecord {
  return { id, name: id, names: [], sizeBytes: 10, isKept: false, firstSeenMs: 0, lastUsedMs: undefined, ...part };
}

const recordsOf = (...records: ImageRecord[]): ImageRecords => new Map(records.map((each) => [each.id, each]));
const none: ReadonlySet<string> = new Set();

describe('imagesInUse', () => {
  const images = [
    image('a', { repoTags: ['docker.io/library/web:latest', 'docker.io/library/web:1'] }), image('b', { repoTags: [], repoDigests: ['registry.example/b@sha256:00'] }), image('c'),
  ];
  test.each([
    ['an ID of a container', { ofContainers: ['c'], ofPods: [] }, ['c']],
    ['a digest of a container', { ofContainers: ['registry.example/b@sha256:00'], ofPods: [] }, ['b']],
    ['the short name in a pod', { ofContainers: [], ofPods: ['web'] }, ['a']],
    ['another tag of it in a pod', { ofContainers: [], ofPods: ['library/web:1'] }, ['a']],
    ['names of images that are not there', { ofContainers: ['gone', ''], ofPods: ['web:2', 'not a name'] }, []],
  ])('given %s, when use is told, then it is that image\'s', (_, use, expected) => {
    expect([...imagesInUse(images, use)]).toEqual(expected);
  });
});

describe('seenImages', () => {
  const look = { inUse: new Set(['a']), nowMs: 500, sandboxImage: '' };

  test('given records, when images are looked at again, then first sight stays, use is renewed, and what is gone is forgotten', () => {
    const before = recordsOf(record('a', { firstSeenMs: 100, lastUsedMs: 100 }), record('b', { firstSeenMs: 100, lastUsedMs: 300 }), record('gone'));
    expect([...seenImages(before, [image('a'), image('b'), image('c')], look).values()].map(({ id, firstSeenMs, lastUsedMs }) => [id, firstSeenMs, lastUsedMs]))
      .toEqual([['a', 100, 500], ['b', 100, 300], ['c', 500, undefined]]);
  });

  test.each([
    ['is pinned', { pinned: true }, '', true],
    ['is named pause', { repoTags: ['registry.example/infra/pause:3.9'] }, '', true],
    ['is named pause by digest', { repoTags: [], repoDigests: ['registry.example/pause@sha256:00'] }, '', true],
    ['is the configured one', { repoTags: ['docker.io/library/infra:latest'] }, 'infra', true],
    ['is named like it', { repoTags: ['registry.example/pause-tool:1'] }, 'infra', false],
  ])('given an image that %s, when looked at, then it is kept or not', (_, part, sandboxImage, isKept) => {
    expect(seenImages(new Map(), [image('a', part)], { ...look, sandboxImage }).get('a')?.isKept).toBe(isKept);
  });
});

describe('unusedImages', () => {
  test('given used, kept and unused images, when ordered, then the longest unused comes first, never used before all, older before newer', () => {
    const records = recordsOf(
      record('recent', { lastUsedMs: 900 }), record('never-new', { firstSeenMs: 50 }), record('used', { lastUsedMs: 1_000 }), record('kept', { isKept: true }),
      record('old', { lastUsedMs: 100, firstSeenMs: 90 }), record('never-old', { firstSeenMs: 10 }), record('old-too', { lastUsedMs: 100, firstSeenMs: 20 }),
    );
    expect(unusedImages(records, new Set(['used'])).map(({ id }) => id)).toEqual(['never-old', 'never-new', 'old-too', 'old', 'recent']);
  });

  test('given any records, when ordered, then nothing kept or used is among them and use never falls', () => {
    const arbitrary = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), lastUsedMs: fc.option(fc.nat(50), { nil: undefined }), firstSeenMs: fc.nat(50), isKept: fc.boolean() }), { selector: ({ id }) => id });
    fc.assert(fc.property(arbitrary, fc.array(fc.string()), (parts, used) => {
      const ordered = unusedImages(recordsOf(...parts.map((part) => record(part.id, part))), new Set(used));
      expect(ordered.some(({ id, isKept }) => isKept || used.includes(id))).toBe(false);
      const uses = ordered.map(({ lastUsedMs }) => lastUsedMs ?? -1);
      expect(uses).toEqual([...uses].sort((a, b) => a - b));
    }));
  });
});

describe('ages', () => {
  test('given images younger than the minimum age, when they could go, then they stay', () => {
    const unused = [record('young', { firstSeenMs: 880_001 }), record('old', { firstSeenMs: 880_000 })];
    expect(removableImages(unused, 1_000_000, policy).map(({ id }) => id)).toEqual(['old']);
  });

  test.each([
    ['off', 0, 900_000, []],
    ['longer than the agent has watched', 500_000, 500_000, []],
    ['over for some', 500_000, 900_000, ['never', 'long-ago']],
  ])('given a maximum age that is %s, when images are judged, then those unused for longer go', (_, maxAgeMs, upMs, expected) => {
    const unused = [record('never', { firstSeenMs: 100_000 }), record('long-ago', { firstSeenMs: 0, lastUsedMs: 499_999 }), record('lately', { firstSeenMs: 0, lastUsedMs: 500_000 })];
    expect(outdatedImages(unused, 1_000_000, upMs, { ...policy, maxAgeMs }).map(({ id }) => id)).toEqual(expected);
  });
});

describe('judgeImageSpace', () => {
  test.each([
    ['no capacity', { capacityBytes: 0, availableBytes: 0 }, {}, { kind: 'unknown' }],
    ['below the high threshold', { capacityBytes: 1_000, availableBytes: 160 }, {}, { kind: 'enough', usedPercent: 84 }],
    ['at the high threshold', { capacityBytes: 1_000, availableBytes: 150 }, {}, { kind: 'short', usedPercent: 85, wantedBytes: 50 }],
    ['a whole per cent is not yet lost', { capacityBytes: 1_000, availableBytes: 159 }, {}, { kind: 'short', usedPercent: 85, wantedBytes: 41 }],
    ['full', { capacityBytes: 1_000, availableBytes: 0 }, {}, { kind: 'short', usedPercent: 100, wantedBytes: 200 }],
    ['more available than there is', { capacityBytes: 1_000, availableBytes: 5_000 }, {}, { kind: 'enough', usedPercent: 0 }],
    ['turned off', { capacityBytes: 1_000, availableBytes: 0 }, { highPercent: 100 }, { kind: 'enough', usedPercent: 100 }],
    ['down to nothing', { capacityBytes: 1_000, availableBytes: 100 }, { lowPercent: 0 }, { kind: 'short', usedPercent: 90, wantedBytes: 900 }],
  ])('given a file system that is %s, when judged, then the kubelet\'s whole per cents count', (_, space, part, expected) => {
    expect(judgeImageSpace(space, { ...policy, ...part })).toEqual(expected);
  });
  test('given nothing in use, when nothing is there, then nothing goes', () => {
    expect(unusedImages(new Map(), none)).toEqual([]);
  });
});
