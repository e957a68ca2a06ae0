// How a command says no: one line for standard error and the exit code that goes with it.

export const exitRefused = 1;
export const exitUsage = 2;

/** Thrown inside a command to end it; the dispatcher prints the line. The only exception the commands know. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(line: string, exitCode: number = exitRefused) {
    super(line);
    this.name = refusalName;
    this.exitCode = exitCode;
  }
}

const refusalName = 'Refusal';

/** Each bundle has a class of its own, so that one is known by its name. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === refusalName && 'exitCode' in error;
}

/** @returns never; the words were wrong, not the world */
export function wrongUsage(line: string): Refusal {
  return new Refusal(line, exitUsage);
}
