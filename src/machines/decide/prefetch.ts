// Images the cloud wants a node to have before any pod asks for them: the list as the node's annotation has it, and how far it has come.
import { imageWithTag } from './image-name.ts';

/** On the node object; names apart by commas or white space. */
export const prefetchAnnotation = 'mqlet.io/prefetch-images';
export const prefetchConditionType = 'ImagesPrefetched';
/** Names taken from one annotation; further ones are left out, which the condition says. */
export const prefetchMax = 100;
const messageLengthMax = 1_000;

export interface PrefetchList {
  /** With tags, each once, in order. */
  readonly images: readonly string[];
  /** What could not be read, one line each. */
  readonly faults: readonly string[];
}

export function readPrefetchList(annotation: string | undefined): PrefetchList {
  const images = new Set<string>();
  const faults: string[] = [];
  for (const name of (annotation ?? '').split(/[\s,]+/).filter((word) => word !== '')) {
    const image = imageWithTag(name);
    if (!image.ok) faults.push(image.fault);
    else if (images.size === prefetchMax && !images.has(image.value)) faults.push(`more than ${prefetchMax} images: ${image.value} is left out`);
    else images.add(image.value);
  }
  return { images: [...images], faults };
}

export type PrefetchStep =
  | { readonly kind: 'idle' }
  | { readonly kind: 'pulling'; readonly image: string }
  | { readonly kind: 'closed'; readonly opensInMs: number };

export interface PrefetchProgress {
  readonly list: PrefetchList;
  readonly present: ReadonlySet<string>;
  /** Why the last attempt failed, by image. */
  readonly failed: ReadonlyMap<string, string>;
  readonly step: PrefetchStep;
}

/** What the node's condition says. */
export interface PrefetchCondition {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** The condition of the node that says so. Its message is the same as long as nothing changed. */
export function prefetchCondition({ list, present, failed, step }: PrefetchProgress): PrefetchCondition {
  const here = list.images.filter((image) => present.has(image)).length;
  const count = `${here} of ${list.images.length} images are on the node`;
  const troubles = [...list.faults, ...[...failed].map(([image, message]) => `${image}: ${message}`)];
  const tail = troubles.length === 0 ? '' : `; ${troubles.join('; ')}`;
  const condition = (status: 'True' | 'False', reason: string, more = ''): PrefetchCondition => ({ status, reason, message: `${count}${more}${tail}`.slice(0, messageLengthMax) });
  if (step.kind === 'pulling') return condition('False', 'Pulling', `; pulling ${step.image}`);
  if (here === list.images.length) return condition(list.faults.length === 0 ? 'True' : 'False', list.faults.length === 0 ? 'AllPresent' : 'InvalidList');
  return step.kind === 'closed' ? condition('False', 'WaitingForWindow', '; the rest waits for --image-prefetch-window') : condition('False', 'PullFailed');
}
