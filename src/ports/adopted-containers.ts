// Containers that another agent made and this one takes over as they are, although that agent's hash of them is another.
// Written by `mqlet migrate`, read once when the node starts.

/** Name of the file below the root directory. */
export const adoptedFileName = 'adopted.json';
/** Of one file; what comes behind is left alone, and those containers are restarted once. */
export const adoptedMax = 10_000;

export interface AdoptedContainer {
  /** The runtime's. */
  readonly id: string;
  /** What the other agent wrote into its annotation; with another one the container is not this one. */
  readonly was: string;
  /** The same container by our way of counting. */
  readonly hash: string;
}

export interface AdoptedFile {
  readonly version: 1;
  readonly containers: readonly AdoptedContainer[];
}

/** @returns undefined for a text that is no such file; entries that are none are left out */
export function readAdopted(text: string): readonly AdoptedContainer[] | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(content) || content['version'] !== 1 || !Array.isArray(content['containers'])) return undefined;
  return content['containers'].slice(0, adoptedMax).filter(isAdopted);
}

function isAdopted(value: unknown): value is AdoptedContainer {
  return isRecord(value) && typeof value['id'] === 'string' && typeof value['was'] === 'string' && typeof value['hash'] === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
