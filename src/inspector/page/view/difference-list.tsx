// What differs between two objects, field by field: what was, what is.
import { useMemo } from 'preact/hooks';
import { differences, differencesMax } from '../model/differences.ts';

export interface DifferenceListProps {
  readonly before: unknown;
  readonly after: unknown;
  readonly part: string;
}

export function DifferenceList({ before, after, part }: DifferenceListProps) {
  const found = useMemo(() => differences(before, after), [before, after]);
  if (found.length === 0) return <p class="empty">Its {part} was the same.</p>;
  return (
    <div class="differences" role="table" aria-label={`Differences of ${part}`}>
      <div class="difference heading" role="row"><span role="columnheader">Field</span><span role="columnheader">Then</span><span role="columnheader">Now</span></div>
      {found.map(({ path, was, is }) => (
        <div key={path} class="difference" role="row" data-difference={path}>
          <span role="rowheader" class="mono">{path}</span>
          <span role="cell" class="mono was">{was === undefined ? <span class="faint">absent</span> : <del>{was}</del>}</span>
          <span role="cell" class="mono is">{is === undefined ? <span class="faint">absent</span> : <ins>{is}</ins>}</span>
        </div>
      ))}
      {found.length >= differencesMax && <p class="empty">There are more than {differencesMax} differences.</p>}
    </div>
  );
}
