// What differs between two pieces of plain data, field by field, in the words of the page. Pure; the search is everybody's.
import { jsonDifferences } from '../../../ports/json-differences.ts';

export interface Difference {
  /** `containerStatuses[app].state.waiting.reason`. */
  readonly path: string;
  /** JSON; undefined where there was nothing. */
  readonly was: string | undefined;
  readonly is: string | undefined;
}

/** Differences told; a whole that has so many is another thing. */
export const differencesMax = 400;

export function differences(before: unknown, after: unknown): readonly Difference[] {
  const found = jsonDifferences(before, after, { limit: differencesMax }).differences;
  // Lists of named things are compared by name, as the API merges them: their order says nothing.
  return found.filter(({ kind }) => kind !== 'reordered').map((each) => ({ path: each.path === '' ? 'everything' : each.path, was: textOf(each.before), is: textOf(each.after) }));
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, null, 1);
}
