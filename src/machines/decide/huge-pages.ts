// Volumes of huge pages: of which size, and how many bytes, from what the pod's containers ask for.
import type { DesiredPod } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { parseQuantity } from '../../ports/quantity.ts';
import { hugepagesPrefix } from './resources.ts';
import { wholeUnits } from './quantity.ts';

const mediumPrefix = 'HugePages';

export interface HugePagesSize {
  readonly pageBytes: number;
  /** What all containers together ask for. */
  readonly sizeBytes: number;
}

export function isHugePagesMedium(medium: string | undefined): boolean {
  return medium === mediumPrefix || medium?.startsWith(`${mediumPrefix}-`) === true;
}

/** A medium without a size is that of the only pages asked for. The fault is the cause that a FailedMount event shows. */
export function hugePagesSize({ pod: { spec } }: DesiredPod, medium: string): Result<HugePagesSize, string> {
  const bytesBySize = new Map<string, number>();
  for (const { resources } of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const [name, quantity] of Object.entries(resources?.requests ?? {})) {
      if (!name.startsWith(hugepagesPrefix)) continue;
      const size = name.slice(hugepagesPrefix.length);
      bytesBySize.set(size, (bytesBySize.get(size) ?? 0) + wholeUnits(quantity));
    }
  }
  const [only, ...others] = bytesBySize.keys();
  if (medium === mediumPrefix && others.length > 0) return fail(`medium ${medium} cannot be used when containers request several sizes of huge pages; name the size, as in HugePages-2Mi`);
  const size = medium === mediumPrefix ? only : medium.slice(mediumPrefix.length + 1);
  const pageBytes = parseQuantity(size ?? '') ?? 0;
  const sizeBytes = bytesBySize.get(size ?? '') ?? 0;
  if (pageBytes <= 0 || sizeBytes <= 0) return fail(`medium ${medium} needs a container that requests such huge pages`);
  return ok({ pageBytes, sizeBytes });
}
