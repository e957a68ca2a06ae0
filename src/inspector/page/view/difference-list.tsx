// What differs between two objects, field by field.
export interface DifferenceListProps {
  readonly before: unknown;
  readonly after: unknown;
  readonly part: string;
}

export function DifferenceList({ before, after, part }: DifferenceListProps) {
  return <pre class="payload object" tabIndex={0} aria-label={part}>{JSON.stringify({ before, after }, null, 2)}</pre>;
}
