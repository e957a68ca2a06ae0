// A state of a machine as one word. Pure.

/** `running.settled` for `{ running: 'settled' }`. */
export function stateName(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as Record<string, unknown>) // XState: a state value is a string or a record of state values.
    .map(([name, inner]) => `${name}.${stateName(inner)}`)
    .join(' ');
}
