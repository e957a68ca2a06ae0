// What fails in a replayed agent beside the calls it makes: a recording may hold answers that no port of this version would give. Without
// somebody who listens such a failure would end the process.

export interface Failures {
  /** In one line; undefined: nothing has failed. */
  first(): string | undefined;
  note(message: string): void;
  off(): void;
}

const lengthMax = 300;

export function watchFailures(): Failures {
  let found: string | undefined;
  const note = (error: unknown): void => {
    found ??= (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split('\n')[0]?.slice(0, lengthMax);
  };
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  return {
    first: () => found,
    note,
    off: () => {
      process.off('unhandledRejection', note);
      process.off('uncaughtException', note);
    },
  };
}
