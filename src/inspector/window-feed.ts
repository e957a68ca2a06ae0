// The history of a window that was exported from a page (window.ts), made from its lines, which may be anything: what cannot be shown
// is a fault with the number of its line.
import { fail, ok, type Result } from '../ports/result.ts';
import { podDetails } from './details.ts';
import { entryDetails } from './entries.ts';
import type { Feed, Mask } from './feed.ts';
import { History, isStep } from './history.ts';
import { type Kept, Scales } from './kept.ts';
import { Picture } from './picture.ts';
import { actorRow, nodeFacts } from './rows.ts';
import { readWindowEntry, readWindowHeader, type WindowHeader } from './window.ts';

const bytesMax = 512 * 1024 * 1024;
const noBus = { published: 0, delivered: 0, queued: 0, queuedMax: 0, failures: 0 };

export interface WindowFeed {
  readonly feed: Feed;
  readonly header: WindowHeader;
}

export interface WindowFault {
  readonly line: number;
  readonly message: string;
}

/** @param text the first line of a file */
export function isWindow(text: string): boolean {
  return /^\{"inspection":/.test(text);
}

/** @param lines all of them, the header first */
export function windowFeed(lines: Iterable<string>, mask: Mask): Result<WindowFeed, WindowFault> {
  const scales = new Scales();
  const history = new History({ bytesMax, entriesMax: Number.MAX_SAFE_INTEGER, keepsPictures: true });
  const feed: Feed = {
    history, mask, watch: { begins: () => undefined }, knowObjects: () => undefined, catchUp: () => undefined, statistics: () => noBus, stop: () => undefined,
  };
  let header: WindowHeader | undefined;
  let picture = new Picture();
  let line = 0;
  for (const text of lines) {
    line += 1;
    try {
      if (header === undefined) {
        const read = readWindowHeader(text);
        if (!read.ok) return fail({ line, message: read.fault });
        header = read.value;
        picture = new Picture(header.picture);
        showAll(feed, picture);
        history.beginWith(picture);
        continue;
      }
      if (text === '') continue;
      const read = readWindowEntry(text);
      if (!read.ok) return fail({ line, message: read.fault });
      const kept = withDesired(read.value, picture);
      const chunk = [kept];
      const bytes = scales.weighAll(chunk);
      picture.applyAll(chunk, 0, 1);
      show(feed, picture, chunk[0] ?? kept);
      history.add(chunk, { bytes, plain: false });
    } catch (error) {
      return fail({ line, message: `what is inside cannot be shown: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  return header === undefined ? fail({ line: 1, message: 'the file is empty' }) : ok({ feed, header });
}

/** A machine's memory has the pod it is of, which the window tells once. */
function withDesired(kept: Kept, picture: Picture): Kept {
  const desired = isStep(kept) ? picture.pods.get(kept.pod)?.desired : undefined;
  if (!isStep(kept) || desired === undefined || typeof kept.context !== 'object' || kept.context === null) return kept;
  return { ...kept, context: { ...kept.context, desired } };
}

/** Whoever looks later must not stumble: what cannot be rendered is found now. @throws anything */
function show(feed: Feed, picture: Picture, kept: Kept): void {
  entryDetails(feed, picture.n, kept);
  const pod = isStep(kept) ? picture.pods.get(kept.pod) : [...picture.pods.values()].find(({ changedN }) => changedN === picture.n);
  if (pod !== undefined) podDetails({ ...feed, machines: [] }, picture, pod);
  if (picture.nodeChangedN === picture.n) nodeFacts(picture, { name: '', version: '' }, { bus: noBus, mask: feed.mask });
}

function showAll(feed: Feed, picture: Picture): void {
  for (const pod of picture.pods.values()) podDetails({ ...feed, machines: [] }, picture, pod);
  for (const actor of picture.actors.all()) actorRow(actor, [], feed.mask);
  nodeFacts(picture, { name: '', version: '' }, { bus: noBus, mask: feed.mask });
}
